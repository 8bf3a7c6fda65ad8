"""The operator's pinned keys, in a file of the state folder."""

from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import read_private, write_private
from mcpwatch.identity.ed25519 import good_key
from mcpwatch.identity.keys import MAX_ID, KeyBook

FILE = "keys.json"


class Pin(Struct, frozen=True):
    """One identity and one key of it."""

    id: str
    """A DID, or any name that a signature's keyid may have."""
    key: str
    """The Ed25519 public key, standard base64."""


class _File(Struct, frozen=True):
    pins: list[Pin]


def pins_path(state: Path) -> Path:
    """Where the pinned keys lie in the state folder."""
    return state / FILE


def read_pins(path: Path) -> list[Pin]:
    """The pinned keys in the order they were added; none when there is no file. Raises LocalError."""
    if not path.exists():
        return []
    try:
        pins = msgspec.json.decode(read_private(path), type=_File).pins
    except (ValueError, RecursionError) as error:
        raise LocalError(f"{path} is not a file of pinned keys: {error}", "Mend it, or move it away") from None
    for pin in pins:
        if _key(pin.key) is None:
            raise LocalError(f"{path} holds a key for {pin.id} that is not a usable Ed25519 key", "Remove that entry")
    return pins


def write_pins(path: Path, pins: list[Pin]) -> None:
    """Replace the file, 0600."""
    write_private(path, msgspec.json.format(msgspec.json.encode(_File(pins))) + b"\n")


def add_pin(path: Path, id: str, key: str) -> Pin:
    """Pin one more key of an identity. Raises UsageError for a bad name or key, LocalError for the file."""
    if not id or len(id) > MAX_ID or not id.isprintable():
        raise UsageError(f"An identity is a name of 1 to {MAX_ID} printable characters", "Give a DID or a key id")
    if _key(key) is None:
        raise UsageError(f"{key} is not a usable Ed25519 public key", "Give its 32 octets in standard base64")
    pin = Pin(id, key)
    pins = read_pins(path)
    if pin not in pins:
        write_pins(path, [*pins, pin])
    return pin


def remove_pin(path: Path, id: str) -> int:
    """Forget all pinned keys of an identity; how many there were. Raises LocalError."""
    pins = read_pins(path)
    left = [pin for pin in pins if pin.id != id]
    if len(left) < len(pins):
        write_pins(path, left)
    return len(pins) - len(left)


def pin_all(keys: KeyBook, pins: list[Pin]) -> None:
    """Put checked pins into a key book."""
    for pin in pins:
        key = _key(pin.key)
        if key is not None:
            keys.pin(pin.id, key)


def _key(text: str) -> bytes | None:
    key = decode_base64(text)
    return key if key is not None and good_key(key) else None
