"""The operator's pinned keys on disk."""

import json
import stat
from pathlib import Path

import pytest
from signed import ALICE, BOB, NOW

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.identity.answers import Status
from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import (
    Pin,
    PinFile,
    add_pin,
    pin_all,
    pins_path,
    read_known,
    read_pins,
    remove_pin,
    set_name,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return pins_path(tmp_path)


def test_add_read_remove(path: Path) -> None:
    assert read_pins(path) == []
    add_pin(path, ALICE.did_aip, ALICE.public_base64)
    add_pin(path, "ci", BOB.public_base64)
    add_pin(path, "ci", BOB.public_base64)
    assert read_pins(path) == [Pin(ALICE.did_aip, ALICE.public_base64), Pin("ci", BOB.public_base64)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert remove_pin(path, "ci") == 1
    assert remove_pin(path, "ci") == 0
    assert [pin.id for pin in read_pins(path)] == [ALICE.did_aip]


def test_pins_reach_the_book(path: Path) -> None:
    add_pin(path, "ci", ALICE.public_base64)
    book = KeyBook()
    pin_all(book, read_pins(path))
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
    with pytest.raises(UsageError, match="not a usable Ed25519 public key"):
        add_pin(path, "ci", key)
    assert not path.exists()


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
        read_pins(path)


def test_a_file_others_can_read_is_refused(path: Path) -> None:
    add_pin(path, "ci", ALICE.public_base64)
    path.chmod(0o644)
    with pytest.raises(LocalError, match="read by others"):
        read_pins(path)
