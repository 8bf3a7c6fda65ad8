"""The operator's pinned keys on disk."""

import stat
from pathlib import Path

import pytest
from signed import ALICE, BOB, NOW

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.identity.answers import Status
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import Pin, add_pin, pin_all, pins_path, read_pins, remove_pin


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
