"""Recordings of a `TinyLog`, made as `mcpwatch record` makes them."""

from pathlib import Path

from tiny_log import START, TinyLog, frames

from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.feed.recorder import RecordedReader, RecordingFile
from mcpwatch.model.entries import Entry

NAME = "tiny.mcpfeed"


class Tape:
    """A recording on its way; `close` it before it is read."""

    def __init__(self, log: TinyLog, path: Path, *, from_start: bool = True) -> None:
        self.log = log
        self.path = path
        self.file = RecordingFile(path)
        self.reader = RecordedReader("tiny", "http://127.0.0.1:4181", self.file, from_start=from_start)
        self.reader.meet(log.verifier)

    def join(self, oldest: int = 0) -> None:
        """Connect, with all proofs that are asked for."""
        checkpoint = self.log.verifier.open(self.log.note())
        proofs = {size: self.log.consistency(size) for size in self.reader.asks(checkpoint, oldest)}
        self.reader.join(checkpoint, self.log.frontier.hashes(), oldest, START, proofs)

    def take(self, *events: bytes) -> None:
        for frame in frames(*events):
            self.reader.take(frame, START)

    def close(self) -> Path:
        self.file.close()
        return self.path


def tape(path: Path, *, checkpoints: int = 2, every: int = 2, tail: int = 0) -> TinyLog:
    """A recording from the log's beginning; returns the log."""
    log = TinyLog()
    taping = Tape(log, path)
    taping.join()
    taping.take(*log.grow(checkpoints * every, every), *log.grow(tail))
    taping.close()
    return log


def read(path: Path, state: Path | None = None) -> tuple[RecordedLog, list[Entry]]:
    """All of a recording, read to its end."""
    recorded = RecordedLog(path, NAME, state, clock=lambda: START)
    entries = [entry for _, brought in recorded.events() for entry in brought]
    recorded.finish()
    recorded.close()
    return recorded, entries
