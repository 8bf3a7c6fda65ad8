"""The played story as recordings that do not hold: one with a gap, one with a checkpoint that is of another log."""

from pathlib import Path

from scene import Scene
from tiny_log import TinyLog, frames

from mcpwatch.feed.recording_format import Head, Join, encode_event, encode_head, encode_join
from mcpwatch.feed.sse import Frame


def with_gap(scene: Scene, path: Path, first: int, oldest: int) -> Path:
    """Entries `first` to before `oldest` were gone when the connection came back; all others are proven."""
    log = told(scene)
    note, proof = log.note(oldest, time_of(scene, oldest)), log.consistency(first, oldest)
    join = encode_join(Join(note.decode(), oldest, log.at(oldest).hashes(), (proof,)))
    before = [*map(log.entry, range(first)), log.checkpoint(first, time_of(scene, first))]
    after = [*map(log.entry, range(oldest, log.size)), log.checkpoint(time=time_of(scene, log.size))]
    return write(log, path, [*frames(*before), join, *frames(*after)])


def with_bad_proof(scene: Scene, path: Path, size: int) -> Path:
    """The checkpoint after `size` entries has the log's signature, and the root of another."""
    log, other = told(scene), told(scene, first=b"another")
    wrong = other.checkpoint(size, time_of(scene, size))
    events = [*map(log.entry, range(size)), wrong, *map(log.entry, range(size, log.size))]
    return write(log, path, frames(*events))


def told(scene: Scene, first: bytes = b"") -> TinyLog:
    """The story as a log, perhaps with another first entry."""
    log = TinyLog(scene.log.origin)
    for entry in scene.log.entries:
        log.add(leaf=first if first and not log.size else entry.leaf)
    return log


def time_of(scene: Scene, size: int) -> int:
    """When the log had so many entries."""
    return int(scene.log.entries[size - 1].received)


def write(log: TinyLog, path: Path, events: list[Frame]) -> Path:
    """A recording of these events, from the log's beginning."""
    keys = log.key.verifier_key, log.key.time_verifier_key
    head = Head(keys=keys, note=log.note(0).decode(), first=0, frontier=())
    path.write_bytes(encode_head(head) + b"".join(map(encode_event, events)))
    return path
