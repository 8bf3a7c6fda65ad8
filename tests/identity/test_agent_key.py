"""An agent's key file."""

import pickle
import stat
from pathlib import Path

import pytest
from signed import ALICE

from mcpwatch.errors import LocalError
from mcpwatch.identity.ed25519 import good_key, verify
from mcpwatch.identity.multikey import decode_multikey
from mcpwatch.identity.signer import AgentKey
from mcpwatch.identity.verifier import fingerprint


def test_a_new_key_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "agent.pem"
    key = AgentKey.generate()
    key.save(path)
    again = AgentKey.load(path)
    assert again.public == key.public
    assert good_key(key.public)
    assert verify(again.public, b"m", again.sign(b"m"))
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_no_two_generated_keys_are_the_same() -> None:
    assert AgentKey.generate().public != AgentKey.generate().public


def test_the_names_of_a_key() -> None:
    assert ALICE.did_aip == "did:aip:56475aa75463474c0285df5dbf2bcab7"
    assert decode_multikey(ALICE.did_key.removeprefix("did:key:")) == ALICE.public
    assert ALICE.fingerprint == fingerprint(ALICE.public)
    assert ALICE.public_base64 == "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg="


def test_the_file_is_pkcs8_pem(tmp_path: Path) -> None:
    """RFC 8410 section 10.3's private key."""
    path = tmp_path / "rfc8410.pem"
    path.write_text(
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n"
        "-----END PRIVATE KEY-----\n"
    )
    path.chmod(0o600)
    assert AgentKey.load(path).public.hex() == "19bf44096984cdfe8541bac167dc3b96c85086aa30b6b6cb0c5c38ad703166e1"


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "agent.pem"
    ALICE.save(path)
    with pytest.raises(LocalError, match="already"):
        AgentKey.generate().save(path)
    assert AgentKey.load(path).public == ALICE.public


def test_a_key_is_replaced_only_where_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "agent.pem"
    path.write_text("an older one")
    path.chmod(0o644)
    ALICE.save(path, replace=True)
    assert AgentKey.load(path).public == ALICE.public
    assert [each.name for each in tmp_path.iterdir()] == ["agent.pem"]


def test_a_place_that_cannot_be_read_or_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LocalError, match="cannot be written"):
        ALICE.save(tmp_path / "file" / "agent.pem")
    with pytest.raises(LocalError, match="cannot be read"):
        AgentKey.load(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp\n-----END PRIVATE KEY-----\n",
        "-----BEGIN PUBLIC KEY-----\nMC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n",
        "é" * 100,
    ],
)
def test_another_file_is_said_to_be_none(tmp_path: Path, text: str) -> None:
    path = tmp_path / "other.pem"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(LocalError, match="not an Ed25519 key"):
        AgentKey.load(path)


def test_a_key_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "agent.pem"
    ALICE.save(path)
    path.chmod(0o640)
    with pytest.raises(LocalError, match="read by others"):
        AgentKey.load(path)


def test_the_seed_never_prints() -> None:
    assert bytes(range(32)).hex() not in repr(ALICE)
    assert repr(ALICE) == f"AgentKey({ALICE.did_key})"
    with pytest.raises(TypeError):
        pickle.dumps(ALICE)


def test_a_seed_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="32 octets"):
        AgentKey(b"short")
