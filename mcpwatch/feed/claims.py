"""What watchers say they saw of a log: pins, state folders and signed notes on disk, each verified."""

from pathlib import Path

from msgspec import Struct

from mcpwatch.errors import LocalError, McpwatchError, UsageError
from mcpwatch.feed.checkpoint_pins import MAX_PIN, checkpoint_pins_folder, parse_pin
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.feed import Checkpoint


class Incomparable(McpwatchError):
    """Nothing can be said of the two."""

    exit_code = 3


class Found(Struct, frozen=True):
    """A signed note as it lies on disk, not yet verified."""

    place: str
    note: bytes
    keys: tuple[str, str] | None = None
    """The log's verifier keys, where the file names them."""
    address: str = ""

    @property
    def origin(self) -> str:
        """The log that it says it is of."""
        return self.note.split(b"\n", 1)[0].decode(errors="replace")


class Claim(Struct, frozen=True):
    """A checkpoint that holds, and where it was found."""

    place: str
    checkpoint: Checkpoint
    verifier: NoteVerifier
    address: str


Pair = tuple[Claim, Claim]


def claims_of(path: Path) -> list[Found]:
    """What a state folder, a pin or a file with a signed note says; raises UsageError and LocalError."""
    if not path.is_dir():
        return [_read(path)]
    folder = checkpoint_pins_folder(path)
    files = sorted((folder if folder.is_dir() else path).glob("*.json"))
    if not files:
        raise UsageError(f"{path} holds no pinned checkpoint", "A watcher's state folder has them under checkpoints/.")
    return [_read(file) for file in files]


def pair(these: list[Found], those: list[Found]) -> list[Pair]:
    """What both sides say of one log, verified; raises Incomparable where there is no such log."""
    pairs = [(a, b) for a in these for b in those if a.origin == b.origin and _may_be_one(a, b)]
    if not pairs:
        said = [", ".join(sorted({each.origin for each in side})) for side in (these, those)]
        if said[0] == said[1]:
            raise Incomparable(
                f"cannot tell: {said[0]} has another key on each side",
                "One name with two keys is two logs. Ask whoever runs the gateway which key is its own.",
            )
        raise Incomparable(f"cannot tell: one is of {said[0]}, the other of {said[1]}", "Compare pins of one log.")
    return [_verified(a, b) for a, b in pairs]


def _may_be_one(a: Found, b: Found) -> bool:
    return a.keys is None or b.keys is None or a.keys == b.keys


def _verified(a: Found, b: Found) -> Pair:
    keys = a.keys or b.keys
    if keys is None:
        raise Incomparable(
            f"cannot tell: neither {a.place} nor {b.place} names the log's keys",
            "Give a pin or a state folder for one of them.",
        )
    try:
        verifier = NoteVerifier(*keys)
    except BadNote as bad:
        raise Incomparable(f"cannot tell: the keys of {a.origin} are none: {bad.reason}") from None
    return _claim(a, verifier), _claim(b, verifier)


def _claim(found: Found, verifier: NoteVerifier) -> Claim:
    try:
        return Claim(found.place, verifier.open(found.note), verifier, found.address)
    except BadNote as bad:
        raise Incomparable(f"cannot tell: the checkpoint in {found.place} does not hold: {bad.reason}") from None


def _read(path: Path) -> Found:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_PIN + 1)
    except OSError as error:
        raise LocalError(f"{path} cannot be read: {error.strerror}") from None
    if len(data) > MAX_PIN:
        raise UsageError(f"{path} is too large to be a checkpoint", "Give a pin, a state folder or a signed note.")
    pin = parse_pin(data)
    if pin is None:
        return Found(str(path), data)
    return Found(str(path), pin.note.encode(), pin.keys, pin.address)
