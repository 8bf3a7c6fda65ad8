"""The operator's pinned keys, in a file of the state folder."""

import shlex
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import alone, read_private, stamp, write_private
from mcpwatch.identity.key_text import HINT, read_key
from mcpwatch.identity.keys import MAX_ID, KeyBook, identity_of
from mcpwatch.identity.resolution import ANOTHERS
from mcpwatch.identity.trust_bundle import Agent
from mcpwatch.identity.verifier import fingerprint, good_key
from mcpwatch.program import program

FILE = "keys.json"
MAX_NAME = 32
_TOLD = 3
"""Changes that are told one by one."""

_NAME_HINT = f"A name has 1 to {MAX_NAME} printable characters and begins with a letter or a digit"


class Pin(Struct, frozen=True, omit_defaults=True):
    """One identity and one key of it."""

    id: str
    """A DID, or any name that a signature's keyid may have."""
    key: str
    """The public key, 32 octets (Ed25519) or 65 (P-256), standard base64."""
    kid: str = ""
    """What signatures may call it besides: its kid in the JWKS that it was imported from."""


class Known(Struct, frozen=True):
    """What the file says."""

    pins: list[Pin] = []
    names: dict[str, str] = {}
    """What the operator calls an identity, pinned or not."""


class _File(Struct, frozen=True):
    pins: list[Pin]
    names: dict[str, str] = {}


def pins_path(state: Path) -> Path:
    """Where the pinned keys lie in the state folder."""
    return state / FILE


def read_known(path: Path) -> Known:
    """Keys in the order they were added, and names; nothing when there is no file. Raises LocalError."""
    if not path.exists():
        return Known()
    try:
        known = msgspec.json.decode(read_private(path), type=_File)
    except (ValueError, RecursionError) as error:
        raise LocalError(f"{path} is not a file of pinned keys: {error}", "Mend it, or move it away") from None
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    for pin in known.pins:
        if _key(pin.key) is None:
            raise LocalError(f"{path} holds a key for {pin.id} that is not a usable public key", "Remove that entry")
    for id, name in known.names.items():
        if not _is_name(name):
            raise LocalError(f"{path} calls {id} by something that is no name", _NAME_HINT)
    return Known(known.pins, known.names)


def add_pin(path: Path, id: str, key: str, name: str = "") -> Pin:
    """Pin one more key of an identity, in any form that `read_key` reads, and name it if asked to.

    Raises UsageError for a bad identity, key or name, LocalError for the file.
    """
    _check_id(id)
    try:
        pin = Pin(id, b64encode(read_key(key)).decode("ascii"))
    except ValueError as error:
        raise UsageError(f"The key of {id} cannot be pinned: {error}", HINT) from None
    with alone(path):
        known = read_known(path)
        names = _renamed(known.names, id, name) if name else known.names
        _write(path, known, Known(_with_pin(known.pins, pin), names))
    return pin


def import_agents(path: Path, agents: Sequence[Agent]) -> list[tuple[Agent, str]]:
    """Pin the keys of a file at one stroke; each entry with what there is to say of it, empty where all went well.

    Raises LocalError for the file of pins.
    """
    with alone(path):
        known = read_known(path)
        after, told = _with_agents(known, agents)
        _write(path, known, after)
    return told


def _with_agents(known: Known, agents: Sequence[Agent]) -> tuple[Known, list[tuple[Agent, str]]]:
    pins, names, told = list(known.pins), dict(known.names), []
    thumbprints = {fingerprint(_key(pin.key) or b"") for pin in pins}
    for agent in agents:
        if agent.kid in thumbprints:
            agent = Agent(agent.kid, fault=ANOTHERS)
        said = agent.fault or ("" if _is_id(agent.id) else "its id is too long or not printable")
        if not said:
            pins = _with_pin(pins, Pin(agent.id, b64encode(agent.key).decode("ascii"), agent.kid))
            try:
                names = _renamed(names, agent.id, agent.name) if agent.name else names
            except UsageError as error:
                said = f"pinned without its name: {error.title}"
        elif any(pin.id == agent.id for pin in pins):
            said += f"; a key is pinned for it from before, see: {program()} keys remove {agent.id}"
        told.append((agent, said))
    return Known(pins, names), told


def _with_pin(pins: list[Pin], pin: Pin) -> list[Pin]:
    """The pins with one more; one key of an identity is there once, with the last kid that it was given."""
    same = next((one for one in pins if (one.id, one.key) == (pin.id, pin.key)), None)
    if same is None:
        return [*pins, pin]
    return [pin if one == same and pin.kid else one for one in pins]


def set_name(path: Path, id: str, name: str) -> None:
    """Call an identity by a name, whether a key of it is pinned or not. Raises UsageError, LocalError."""
    _check_id(id)
    with alone(path):
        known = read_known(path)
        _write(path, known, Known(known.pins, _renamed(known.names, id, name)))


def remove_pin(path: Path, id: str) -> int:
    """Forget all pinned keys of an identity, and its name; how many things that were. Raises LocalError."""
    with alone(path):
        known = read_known(path)
        left = Known(
            [pin for pin in known.pins if pin.id != id], {one: name for one, name in known.names.items() if one != id}
        )
        _write(path, known, left)
    return len(known.pins) - len(left.pins) + len(known.names) - len(left.names)


class PinFile:
    """The file of pinned keys, and the key book that is kept at what the file says."""

    def __init__(self, path: Path, keys: KeyBook) -> None:
        """Raises LocalError when the file cannot be used."""
        self.path = path
        self._keys = keys
        self._known = Known()
        self._stamp: tuple[int, ...] = ()
        self.said = ""
        """What the last refresh that found a change found, in a sentence."""
        self.refresh()

    def refresh(self) -> set[str]:
        """Take in what changed in the file; the identities, DIDs and thumbprints, that this bears on.

        Raises LocalError, once for each change, when the file cannot be used: what was known holds on.
        """
        seen = stamp(self.path)
        if seen == self._stamp:
            return set()
        self._stamp = seen
        after, before = read_known(self.path), self._known
        self._known = after
        self.said = _difference(before, after)
        changed = set(before.pins) ^ set(after.pins)
        for id in {pin.id for pin in changed}:
            self._keys.unpin(id)
            pin_all(self._keys, [pin for pin in after.pins if pin.id == id])
        called = {id for id, _ in before.names.items() ^ after.names.items()}
        for id in called:
            self._keys.name(id, after.names.get(id, ""))
        return called | {name for pin in changed for name in _names_of(pin)}


def _difference(before: Known, after: Known) -> str:
    """What changed from one reading of the file to the next: `a key of ID is pinned`, `ID is called NAME`."""
    told = [f"a key of {pin.id} is pinned" for pin in after.pins if pin not in before.pins]
    told += [f"a key of {pin.id} is no longer pinned" for pin in before.pins if pin not in after.pins]
    told += [f"{id} is called {name}" for id, name in after.names.items() if before.names.get(id) != name]
    told += [f"{id}, called {name}, has no name any more" for id, name in before.names.items() if id not in after.names]
    more = [f"{len(told) - _TOLD} more"] if len(told) > _TOLD else []
    return "; ".join([*told[:_TOLD], *more])


def pin_all(keys: KeyBook, pins: list[Pin]) -> None:
    """Put checked pins into a key book."""
    for pin in pins:
        key = _key(pin.key)
        if key is not None:
            keys.pin(pin.id, key, pin.kid)


def _names_of(pin: Pin) -> tuple[str, ...]:
    """What a request may call the pinned key's owner by."""
    names = pin.id, identity_of(pin.id), fingerprint(_key(pin.key) or b"")
    return (*names, pin.kid) if pin.kid else names


def _write(path: Path, before: Known, after: Known) -> None:
    if after != before:
        write_private(path, msgspec.json.format(msgspec.json.encode(after)) + b"\n")


def _renamed(names: dict[str, str], id: str, name: str) -> dict[str, str]:
    if not _is_name(name):
        raise UsageError(f"{name!r} is no name for a key", _NAME_HINT)
    other = next((one for one, taken in names.items() if taken == name and one != id), None)
    if other is not None:
        remove = f"{program()} keys remove {shlex.quote(other)}"
        hint = f"Give each its own name, or forget that one and its keys first: {remove}"
        raise UsageError(f"{other} is called {name} already", hint)
    return {**names, id: name}


def _is_id(id: str) -> bool:
    return 0 < len(id) <= MAX_ID and id.isprintable()


def _check_id(id: str) -> None:
    if not _is_id(id):
        raise UsageError(f"An identity is a name of 1 to {MAX_ID} printable characters", "Give a DID or a key id")


def _is_name(name: str) -> bool:
    """Whether it is good for a narrow column, and cannot be taken for the marks that stand before claims."""
    return 1 <= len(name) <= MAX_NAME and name.isprintable() and name[0].isalnum() and name == name.strip()


def _key(text: str) -> bytes | None:
    key = decode_base64(text)
    return key if key is not None and good_key(key) else None
