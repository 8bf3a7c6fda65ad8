"""`mcpwatch keygen` and `mcpwatch keys`: keys made, pinned, named, imported and forgotten."""

import json
import shlex
from base64 import b64encode
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mcpwatch.cli import main
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.verifier import jwk, key_of_jwk


def test_a_new_key_is_told_with_what_to_do_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["keygen"]) == 0
    out = capsys.readouterr().out
    key = AgentKey.load(tmp_path / "agent.pem")
    named = {line.split("  ")[0]: line.split()[-1] for line in out.splitlines()[1:6]}
    assert named["did:key"] == key.did_key and named["did:aip"] == key.did_aip
    assert named["fingerprint"] == key.fingerprint and named["public key"] == key.public_base64
    assert key_of_jwk(json.loads(named["JWK"])) == key.public
    lines = [shlex.split(line)[1:] for line in out.splitlines() if line.startswith("  mcpwatch keys")]
    assert [main([*words[:-1], name]) for words, name in zip(lines, ("one", "two"), strict=True)] == [0, 0]
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    assert key.public_base64 in capsys.readouterr().out
    secret = "".join((tmp_path / "agent.pem").read_text().splitlines()[1:-1])
    assert secret not in out and secret[-43:] not in out


def test_a_key_is_replaced_only_by_force(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a key.pem"
    assert main(["keygen", "--out", str(path)]) == 0
    first = AgentKey.load(path).public
    assert f"--key '{path}'" in capsys.readouterr().out
    assert main(["keygen", "--out", str(path)]) == 5
    assert f"mcpwatch keygen --out '{path}' --force" in capsys.readouterr().err
    assert AgentKey.load(path).public == first
    assert main(["keygen", "--out", str(path), "--force"]) == 0
    assert AgentKey.load(path).public != first


def test_keys_are_pinned_named_listed_and_forgotten(capsys: pytest.CaptureFixture[str]) -> None:
    key = AgentKey(bytes(32))
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out == "no keys are pinned\n"
    assert main(["keys", "add", key.did_aip, key.public_base64, "--name", "ledger"]) == 0
    assert main(["keys", "name", key.did_key, "scribe"]) == 0
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    pinned, named = capsys.readouterr().out.splitlines()
    assert pinned.startswith(f"agent {key.did_aip}  {key.public_base64}") and pinned.endswith("name ledger")
    assert named == f"agent {key.did_key}  no pinned key  name scribe"
    assert main(["keys", "remove", key.did_aip]) == main(["keys", "remove", key.did_key]) == 0
    assert main(["keys", "remove", key.did_key]) == 2


def test_keys_are_imported_and_refused_by_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = b64encode(AgentKey(bytes(range(32))).public).decode()
    file = tmp_path / "bundle.json"
    agents = [
        {"id": "agent-1", "name": "ledger", "pubkey": f"ed25519:{key}", "status": "active"},
        {"id": "agent-2", "name": "old\x1b[2J", "pubkey": f"ed25519:{key}", "status": "revoked"},
    ]
    file.write_text(json.dumps({"agents": agents}))
    assert main(["keys", "import", str(file)]) == 0
    out = capsys.readouterr().out
    assert "pinned agent-1 (ledger)" in out
    assert "not pinned agent-2 (old" in out and "its status is revoked" in out
    assert "\x1b" not in out
    assert main(["keys", "list"]) == 0
    assert f"agent agent-1  {key}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (None, 5, "cannot be read"),
        ("[]", 2, "holds no keys"),
        ('{"agents": [{"id": "off", "status": "disabled"}]}', 2, "No key of"),
    ],
)
def test_a_file_without_keys_is_an_error(
    text: str | None, code: int, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "keys.json"
    if text is not None:
        file.write_text(text)
    assert main(["keys", "import", str(file)]) == code
    assert said in capsys.readouterr().err


def test_a_key_file_named_without_out_is_told_how(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "a key"
    assert main(["keygen", str(path)]) == 2
    assert f"mcpwatch keygen --out '{path}'" in capsys.readouterr().err
    assert not path.exists()


def test_no_folder_is_made_for_a_key(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "nowhere"
    assert main(["keygen", "--out", str(folder / "a.pem")]) == 2
    assert f"There is no folder {folder}" in capsys.readouterr().err
    assert not folder.exists()


@pytest.mark.parametrize("form", ["pem", "jwk", "base64"])
def test_a_key_is_pinned_from_a_file(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    public = generate_private_key(SECP256R1()).public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    texts = {
        "pem": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(),
        "jwk": json.dumps(jwk(point)),
        "base64": b64encode(point).decode() + "\n",
    }
    file = tmp_path / "p256.pem"
    file.write_text(texts[form])
    assert main(["keys", "add", "ci", str(file)]) == main(["keys", "add", "ci", texts[form].strip()]) == 0
    capsys.readouterr()
    assert main(["keys", "list"]) == 0
    assert [line.split()[2] for line in capsys.readouterr().out.splitlines()] == [b64encode(point).decode()]


def test_a_private_key_is_not_pinned(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "agent.pem"
    AgentKey(bytes(32)).save(file)
    assert main(["keys", "add", "ci", str(file)]) == 2
    err = capsys.readouterr().err
    assert "it is a private key" in err
    assert file.read_text().splitlines()[1] not in err


def test_an_agent_is_forgotten_by_its_name(capsys: pytest.CaptureFixture[str]) -> None:
    keys = [AgentKey(bytes([number]) * 32) for number in (1, 2)]
    for key in keys:
        assert main(["keys", "add", "did:web:agent.example", key.public_base64, "--name", "scribe"]) == 0
    capsys.readouterr()
    assert main(["keys", "name", keys[0].did_key, "scribe"]) == 2
    assert "mcpwatch keys remove did:web:agent.example" in capsys.readouterr().err
    assert main(["keys", "remove", "scribe"]) == 0
    assert capsys.readouterr().out == "forgot 2 keys and the name scribe of did:web:agent.example\n"
    assert main(["keys", "list"]) == 0
    assert capsys.readouterr().out == "no keys are pinned\n"


def test_a_name_that_is_also_an_identity_means_the_identity(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["keys", "add", "ci", AgentKey(bytes(32)).public_base64]) == 0
    assert main(["keys", "name", "did:web:agent.example", "ci"]) == 0
    capsys.readouterr()
    assert main(["keys", "remove", "ci"]) == 0
    assert capsys.readouterr().out == "forgot 1 key of ci\n"
