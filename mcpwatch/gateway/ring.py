"""The newest part of the log, framed for the wire once and shared by all watchers."""

from msgspec import Struct

from mcpwatch.feed.sse import frame

MAX_ENTRIES = 8_192
MAX_OCTETS = 4 * 1024 * 1024


class Note(Struct, frozen=True):
    """A signed checkpoint and its frame; `serial` tells two of the same size apart."""

    size: int
    text: bytes
    frame: bytes
    serial: int


class Ring:
    """Frames of entries `first` up to `next` (not included), and of the checkpoints that fall among them."""

    def __init__(self, first: int) -> None:
        self.first = self.next = first
        self.notes: dict[int, Note] = {}
        """By tree size: sent right after entry `size` - 1."""
        self._frames: dict[int, bytes] = {}
        self._octets = 0

    def add(self, index: int, leaf: bytes) -> None:
        """Take in entry `index`, the one that follows, and let the oldest go that no longer fit."""
        framed = entry_frame(index, leaf)
        self._frames[index] = framed
        self._octets += len(framed)
        self.next = index + 1
        while len(self._frames) > MAX_ENTRIES or (self._octets > MAX_OCTETS and len(self._frames) > 1):
            self._octets -= len(self._frames.pop(self.first))
            self.first += 1
            self.notes.pop(self.first, None)

    def __getitem__(self, index: int) -> bytes:
        return self._frames[index]


def entry_frame(index: int, leaf: bytes) -> bytes:
    """An entry as it stands in the feed."""
    return frame("entry", leaf, index)


def note_frame(note: bytes) -> bytes:
    """A checkpoint as it stands in the feed: a data line for each line, the final newline left to the reader."""
    return frame("checkpoint", note.removesuffix(b"\n"))
