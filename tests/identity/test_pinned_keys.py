"""The operator's pinned keys on disk."""

import json
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from p256 import CAROL
from signed import ALICE, BOB, NOW

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.keyset import BadSet
from mcpwatch.identity.pins import (
    Pin,
    PinFile,
    add_pin,
    import_agents,
    pin_all,
    pins_path,
    read_known,
    remove_pin,
    set_name,
)
from mcpwatch.identity.resolution import EARLY_S, Status
from mcpwatch.identity.trust_bundle import Agent, read_agents
from mcpwatch.identity.verifier import jwk


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return pins_path(tmp_path)


def test_add_read_remove(path: Path) -> None:
    assert read_known(path).pins == []
    add_pin(path, ALICE.did_aip, ALICE.public_base64)
    add_pin(path, "ci", BOB.public_base64)
    add_pin(path, "ci", BOB.public_base64)
    assert read_known(path).pins == [Pin(ALICE.did_aip, ALICE.public_base64), Pin("ci", BOB.public_base64)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert remove_pin(path, "ci") == 1
    assert remove_pin(path, "ci") == 0
    assert [pin.id for pin in read_known(path).pins] == [ALICE.did_aip]


def test_pins_reach_the_book(path: Path) -> None:
    add_pin(path, "ci", ALICE.public_base64)
    book = KeyBook()
    pin_all(book, read_known(path).pins)
    assert book.lookup("ci", NOW).status is Status.FOUND


def test_names_are_kept_beside_the_keys(path: Path) -> None:
    add_pin(path, ALICE.did_aip, ALICE.public_base64, "ledger")
    set_name(path, BOB.did_key, "scribe")
    assert read_known(path).names == {ALICE.did_aip: "ledger", BOB.did_key: "scribe"}
    book = KeyBook()
    PinFile(path, book)
    assert [book.lookup(id, NOW).keys[0].signer.name for id in (ALICE.did_aip, BOB.did_key)] == ["ledger", "scribe"]
    assert book.lookup(ALICE.did_key, NOW).keys[0].signer.name == ""
    with pytest.raises(UsageError, match=f"{BOB.did_key} is called scribe already"):
        set_name(path, ALICE.did_aip, "scribe")
    assert remove_pin(path, ALICE.did_aip) == 2
    assert read_known(path).names == {BOB.did_key: "scribe"}


@pytest.mark.parametrize("name", ["", "@ledger", "?ledger", "led\nger", " ledger", "ledger ", "l" * 33])
def test_names_that_could_mislead_are_refused(path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name"):
        set_name(path, ALICE.did_key, name)
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"pins": [], "names": {ALICE.did_key: name}}))
    path.chmod(0o600)
    with pytest.raises(LocalError, match="no name"):
        read_known(path)


def test_what_changed_in_the_file_is_said_by_kind(path: Path) -> None:
    file = PinFile(path, KeyBook())
    for change, said in (
        (lambda: add_pin(path, "ci", ALICE.public_base64), "a key of ci is pinned"),
        (lambda: set_name(path, "ci", "builder"), "ci is called builder"),
        (lambda: remove_pin(path, "ci"), "a key of ci is no longer pinned; ci, called builder, has no name any more"),
    ):
        change()
        assert file.refresh()
        assert file.said == said


def test_a_book_follows_its_file(path: Path) -> None:
    book = KeyBook()
    file = PinFile(path, book)
    assert file.refresh() == set()
    add_pin(path, "ci", ALICE.public_base64)
    assert file.refresh() == {"ci", fingerprint(ALICE.public)}
    add_pin(path, "ci", BOB.public_base64)
    assert file.refresh() == {"ci", fingerprint(BOB.public)}
    assert len(book.lookup("ci", NOW).keys) == 2
    remove_pin(path, "ci")
    assert file.refresh() == {"ci", fingerprint(ALICE.public), fingerprint(BOB.public)}
    assert book.lookup("ci", NOW).status is Status.UNAVAILABLE


@pytest.mark.parametrize("key", ["", "YQ==", ALICE.public_base64[:-1], ALICE.public.hex(), "AQ" + "A" * 41 + "="])
def test_bad_keys_are_refused(path: Path, key: str) -> None:
    with pytest.raises(UsageError, match="cannot be pinned"):
        add_pin(path, "ci", key)
    assert not path.exists()


def pem(key: bytes) -> str:
    public = Ed25519PublicKey.from_public_bytes(key) if len(key) == 32 else CAROL.private.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.mark.parametrize("key", [ALICE.public, CAROL.public])
def test_keys_in_every_form(path: Path, key: bytes) -> None:
    for text in (b64encode(key).decode(), json.dumps(jwk(key)), json.dumps({**jwk(key), "kid": "ci"}), pem(key)):
        assert add_pin(path, "ci", text) == Pin("ci", b64encode(key).decode())
    assert len(read_known(path).pins) == 1
    book = KeyBook()
    PinFile(path, book)
    assert [book.lookup(id, NOW).keys[0].key for id in ("ci", verifier.fingerprint(key))] == [key, key]


SECRET = "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n-----END PRIVATE KEY-----\n", "a private key"),
        (json.dumps({**jwk(ALICE.public), "d": SECRET}), "private or secret"),
        (json.dumps({**jwk(ALICE.public), "x": "AQ" + "A" * 41}), "small order"),
        ("{}", "not checked here"),
        ('{"kty":"OKP","kty":"OKP"}', "a member twice"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "no PEM public key"),
        (b64encode(CAROL.public[:-1] + b"\0").decode(), "no point of its curve"),
        (SECRET, "no key of 32 or 65 octets"),
        (f"{SECRET}!", "neither standard base64"),
    ],
)
def test_what_is_no_public_key_is_not_quoted(path: Path, text: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason) as caught:
        add_pin(path, "ci", text)
    assert SECRET not in f"{caught.value.title} {caught.value.hint}"
    assert not path.exists()


def agent(id: str, key: bytes = ALICE.public, **more: object) -> dict[str, object]:
    return {"id": id, "name": f"{id}-bot", "owner": "ops", "pubkey": f"ed25519:{b64encode(key).decode()}", **more}


BUNDLE = {
    "agents": [
        agent("one", status="active"),
        agent("two", BOB.public, status="active", expires_at="2999-01-01T00:00:00Z"),
        agent("off", status="disabled"),
        agent("gone", status="revoked"),
        agent("odd"),
        agent("late", status="active", expires_at="2020-01-01T00:00:00Z"),
        agent("never", status="active", expires_at="never"),
        agent("small", b"\x01" + bytes(31), status="active"),
        agent("curve", CAROL.public, status="active"),
        agent("x" * 600, status="active"),
        agent("same", ALICE.public, status="active", name="one-bot"),
        {"name": "nobody"},
        7,
    ]
}


def test_a_trust_bundle_is_imported_at_one_stroke(path: Path) -> None:
    add_pin(path, "gone", BOB.public_base64)
    told = {entry.id: said for entry, said in import_agents(path, read_agents(json.dumps(BUNDLE).encode(), NOW))}
    known = read_known(path)
    assert [(pin.id, pin.key) for pin in known.pins[1:]] == [
        ("one", ALICE.public_base64),
        ("two", BOB.public_base64),
        ("same", ALICE.public_base64),
    ]
    assert known.names == {"one": "one-bot", "two": "two-bot"}
    assert (told["one"], told["two"]) == ("", "")
    for id, reason in {
        "off": "its status is disabled",
        "gone": "its status is revoked, not active; a key is pinned for it from before",
        "odd": "its status is None",
        "late": "it expired at 2020-01-01",
        "never": "its expires_at is no time",
        "small": "no Ed25519 key that may be used",
        "curve": "no Ed25519 key that may be used",
        "x" * 600: "too long",
        "same": "pinned without its name: one is called one-bot already",
    }.items():
        assert reason in told[id]
    assert import_agents(path, read_agents(json.dumps(BUNDLE).encode(), NOW))
    assert read_known(path) == known


def test_a_jwks_is_imported_by_kid_and_thumbprint(path: Path) -> None:
    small = {"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41, "kid": "bad"}
    data = json.dumps({"keys": [{**jwk(ALICE.public), "kid": "ci"}, jwk(CAROL.public), small]}).encode()
    told = import_agents(path, read_agents(data, NOW))
    assert [pin.id for pin in read_known(path).pins] == ["ci", f"key:{verifier.fingerprint(CAROL.public)}"]
    assert [said for _, said in told] == ["", "", "it is of small order, or no point of its curve"]


@pytest.mark.parametrize("kid", [BOB.did_aip, "key:ci"])
def test_a_jwks_pins_no_key_under_anothers_name(path: Path, kid: str) -> None:
    ((_, said),) = import_agents(
        path, read_agents(json.dumps({"keys": [{**jwk(ALICE.public), "kid": kid}]}).encode(), NOW)
    )
    assert said.startswith("its kid")
    assert read_known(path).pins == []


def with_kid(key: bytes, kid: str) -> list[Agent]:
    return read_agents(json.dumps({"keys": [{**jwk(key), "kid": kid}]}).encode(), NOW)


def test_a_kid_like_a_thumbprint_finds_the_imported_key_and_does_not_name_it(path: Path) -> None:
    own, kid, keys = verifier.fingerprint(ALICE.public), "k" * 43, KeyBook()
    file = PinFile(path, keys)
    add_pin(path, f"key:{own}", ALICE.public_base64)
    for _ in range(2):
        assert [said for _, said in import_agents(path, with_kid(ALICE.public, kid))] == [""]
        assert [(pin.id, pin.kid) for pin in read_known(path).pins] == [(f"key:{own}", kid)]
    assert {kid, own, f"key:{own}"} <= file.refresh()
    for name in (kid, own, f"key:{own}"):
        (found,) = keys.lookup(name, NOW).keys
        assert (found.key, found.signer.id) == (ALICE.public, f"key:{own}")
    remove_pin(path, f"key:{own}")
    file.refresh()
    assert keys.lookup(kid, NOW).keys == ()


def test_no_key_is_imported_whose_kid_is_the_thumbprint_of_a_pinned_one(path: Path) -> None:
    add_pin(path, "bob", BOB.public_base64)
    ((agent, said),) = import_agents(path, with_kid(ALICE.public, verifier.fingerprint(BOB.public)))
    assert (agent.id, agent.key) == (verifier.fingerprint(BOB.public), b"")
    assert "of another key, and not its own" in said
    assert [pin.id for pin in read_known(path).pins] == ["bob"]


def test_the_owner_of_a_thumbprint_wins_over_the_kid_of_an_imported_key(path: Path) -> None:
    thumbprint, keys = verifier.fingerprint(BOB.public), KeyBook()
    import_agents(path, with_kid(ALICE.public, thumbprint))
    PinFile(path, keys)
    assert [key.key for key in keys.lookup(thumbprint, NOW).keys] == [ALICE.public]
    assert [key.key for key in keys.lookup(thumbprint, NOW, embedded=BOB.public).keys] == [BOB.public]
    assert [key.key for key in keys.lookup(thumbprint, NOW).keys] == [BOB.public]
    keys.pin("bob", BOB.public)
    assert [key.signer.id for key in keys.lookup(thumbprint, NOW).keys] == ["bob"]


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b"{}", b'{"agents":7}', b'{"agents":[],"agents":[]}', b"[" * 100_000],
    ids=lambda data: repr(data)[:30],
)
def test_what_holds_no_keys_is_said_to_hold_none(data: bytes) -> None:
    with pytest.raises(BadSet):
        read_agents(data, NOW)


@pytest.mark.parametrize("id", ["", "a" * 513, "a\nb", "\x1b[2J"])
def test_bad_names_are_refused(path: Path, id: str) -> None:
    with pytest.raises(UsageError, match="printable"):
        add_pin(path, id, ALICE.public_base64)


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"pins":[{"id":"a"}]}', b'{"pins":[{"id":"a","key":"YQ=="}]}', b"[" * 100_000]
)
def test_a_damaged_file_is_said_to_be_one(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o600)
    with pytest.raises(LocalError):
        read_known(path)


def test_a_file_others_can_read_is_refused(path: Path) -> None:
    add_pin(path, "ci", ALICE.public_base64)
    path.chmod(0o644)
    with pytest.raises(LocalError, match="read by others"):
        read_known(path)


def test_a_key_of_a_jwks_that_has_run_out_is_not_pinned(path: Path) -> None:
    keys = [{**jwk(ALICE.public), "kid": "old", "exp": NOW}, {**jwk(BOB.public), "kid": "good", "exp": NOW + 1}]
    told = import_agents(path, read_agents(json.dumps({"keys": keys}).encode(), NOW))
    assert {agent.id: said for agent, said in told} == {"old": "it has run out, as its exp says", "good": ""}
    assert [pin.id for pin in read_known(path).pins] == ["good"]


def test_a_key_of_a_jwks_that_does_not_count_yet_is_not_pinned(path: Path) -> None:
    early = {**jwk(ALICE.public), "kid": "early", "nbf": NOW + EARLY_S + 1}
    good = {**jwk(BOB.public), "kid": "good", "nbf": NOW + EARLY_S}
    told = import_agents(path, read_agents(json.dumps({"keys": [early, good]}).encode(), NOW))
    assert {agent.id: said for agent, said in told} == {"early": "it does not count yet, as its nbf says", "good": ""}
    assert [pin.id for pin in read_known(path).pins] == ["good"]


def test_programs_that_pin_at_the_same_time_lose_nothing(path: Path) -> None:
    keys = [AgentKey(bytes([number]) * 32).public_base64 for number in range(24)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add_pin(path, f"agent-{number}", keys[number]), range(24)))
        assert {pin.id for pin in read_known(path).pins} == {f"agent-{number}" for number in range(24)}
        assert list(pool.map(lambda number: remove_pin(path, f"agent-{number}"), range(24))) == [1] * 24
    assert read_known(path).pins == []
    assert {stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()} == {0o600}
