"""The newest checkpoint that was verified of each log, kept over restarts: a log must go on from it."""

from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.errors import LocalError
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.vkey import BadNote
from mcpwatch.files import alone, read_private, write_private
from mcpwatch.model.feed import Checkpoint

MAX_PIN = 262_144
"""Octets of a file that may be a pin."""


class CheckpointPin(Struct, frozen=True):
    """A checkpoint of a log, with what it takes to verify it again."""

    origin: str
    keys: tuple[str, str]
    """C2SP verifier keys of types 0x01 and 0x04."""
    note: str
    """The signed note."""
    address: str
    """The feed that it came from."""
    time: float
    """When it was verified, seconds since the epoch."""

    def verifier(self) -> NoteVerifier:
        """What opens its note; raises BadNote for keys that are none."""
        verifier = NoteVerifier(*self.keys)
        if verifier.origin != self.origin:
            raise BadNote("it names another origin than its key")
        return verifier

    def checkpoint(self) -> Checkpoint:
        """What its note says, both signatures verified; raises BadNote."""
        return self.verifier().open(self.note.encode())


class CheckpointPins:
    """One private file a log, which only ever moves to a larger checkpoint."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, origin: str, key: str) -> Path:
        """The file for the log of this origin under this verifier key of type 0x01."""
        return self._folder / f"{sha256((origin + key).encode()).hexdigest()[:24]}.json"

    def find(self, verifier: NoteVerifier) -> Checkpoint | None:
        """What this log was last seen to sign; None where it never was.

        Raises LocalError when the file is damaged or readable by others: neither is taken for a first use.
        """
        path = self.path(verifier.origin, str(verifier.key))
        if not path.exists():
            return None
        try:
            return verifier.open(_decode(read_private(path)).note.encode())
        except (BadNote, ValueError):
            raise _damaged(path) from None

    def keep(self, pin: CheckpointPin, size: int) -> None:
        """Write a pin, whose note is of `size`, unless the one that is there is of a larger log.

        Raises LocalError as `find` does, and where the one there is of a log of this size with another root, which
        stays; and OSError.
        """
        path = self.path(pin.origin, pin.keys[0])
        with alone(path):
            before = self.find(pin.verifier())
            if before is not None and before.size == size and before.root != pin.checkpoint().root:
                raise LocalError(
                    f"another watcher pinned another root for the first {size:,} entries of {pin.origin}",
                    "The log signed two histories. Restart this watcher: it holds the log against that pin.",
                )
            if before is None or before.size <= size:
                write_private(path, msgspec.json.encode(pin))

    def all(self) -> list[CheckpointPin]:
        """Every pin, by origin; raises LocalError as `find` does."""
        return sorted((read_pin(path) for path in self._folder.glob("*.json")), key=lambda pin: (pin.origin, pin.keys))


def checkpoint_pins_folder(state: Path) -> Path:
    """Where the pinned checkpoints lie in the state folder."""
    return state / "checkpoints"


def read_pin(path: Path) -> CheckpointPin:
    """The pin in a private file, its signatures verified; raises LocalError as `CheckpointPins.find` does."""
    try:
        pin = _decode(read_private(path))
        pin.checkpoint()
    except (BadNote, ValueError):
        raise _damaged(path) from None
    return pin


def parse_pin(data: bytes) -> CheckpointPin | None:
    """A pin from its octets, not verified; None when they are something else."""
    try:
        return _decode(data)
    except ValueError:
        return None


def _decode(data: bytes) -> CheckpointPin:
    """Raises ValueError for octets that are no pin."""
    try:
        return msgspec.json.decode(data, type=CheckpointPin)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise ValueError("not a pinned checkpoint") from None


def _damaged(path: Path) -> LocalError:
    return LocalError(
        f"the pinned checkpoint in {path} is damaged",
        f"It says what this log had signed. To begin anew with what the log says today: rm {path}",
    )
