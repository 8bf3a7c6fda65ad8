"""How a recording is written (SPEC.md, section 12): its head, and its events with a digest before each."""

import base64
import re
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from mcpwatch.feed.envelope import MAX_LEAF
from mcpwatch.feed.merkle import HASH_SIZE, leaf_hash
from mcpwatch.feed.placed import entry_index
from mcpwatch.feed.proof_answers import MAX_SIZE, ConsistencyAnswer, Hashes
from mcpwatch.feed.sse import Frame, frame

FORMAT = "mcpwatch-recording"
VERSION = 1
SUFFIX = ".mcpfeed"
END = b"\n\n"
"""What ends the head and each event."""
MAX_BLOCK = 2 * MAX_LEAF + MAX_LEAF // 4
"""Octets of the head, or of an event with its digest; a little more than an event of the stream may have."""
JOIN = "join"
"""The event that says how a feed was joined again."""
EVENTS = frozenset({"entry", "checkpoint", JOIN})

Count = Annotated[int, Meta(ge=0, le=MAX_SIZE)]

_DIGEST = 2 + (HASH_SIZE + 2) // 3 * 4 + 1
"""Octets of the line before an event."""
_ENTRY = re.compile(rb".{%d}\nid: (0|[1-9][0-9]{0,15})\nevent: entry\ndata: " % (_DIGEST - 1))
"""What stands before the leaf of an entry."""


class Head(Struct, frozen=True, kw_only=True):
    """What stands before the first event; the checkpoints that follow cover all of it."""

    format: str = FORMAT
    version: int = VERSION
    keys: tuple[str, str]
    """C2SP verifier keys of types 0x01 and 0x04, by the recording's own word."""
    note: str
    """The signed note by which the log was joined."""
    first: Count
    """Index of the first entry."""
    frontier: Hashes
    """The right edge at `first`, largest subtree first."""


class Join(Struct, frozen=True):
    """How the log was joined again after a connection was lost."""

    note: str
    oldest: Count
    """Index of the oldest entry that the gateway still had."""
    frontier: Hashes
    """The right edge at the note's size, where reading went on there, else empty."""
    proofs: tuple[ConsistencyAnswer, ...]
    """That the log went on from where it was, each to the note's size."""


class Unreadable(Exception):
    """Octets that no recording of this version has there; `reason` says why, and may quote them."""

    def __init__(self, reason: str, index: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = entry_index(index)
        """Of the entry, as far as the octets tell."""


class OtherVersion(Unreadable):
    """A recording of a version that is not known here."""


class _Kind(Struct, frozen=True):
    """What a head of any version begins by saying."""

    format: str
    version: int


def encode_head(head: Head) -> bytes:
    """The head in its one form, with its digest and the blank line after it."""
    line = msgspec.json.encode(head)
    return line + b"\n" + _digest_line(line) + b"\n"


def decode_head(block: bytes) -> Head:
    """The head in what stands before the first blank line; raises Unreadable, and OtherVersion."""
    line = block.partition(b"\n")[0]
    try:
        if (kind := msgspec.json.decode(line, type=_Kind)).format != FORMAT:
            raise Unreadable("it does not begin as a recording does")
        if kind.version != VERSION:
            raise OtherVersion(f"it is of version {kind.version}, and this mcpwatch reads version {VERSION}")
        head = msgspec.json.decode(line, type=Head)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unreadable("it does not begin as a recording does") from None
    if encode_head(head) != block + END:
        raise Unreadable("its head is not what was written")
    return head


def encode_event(seen: Frame) -> bytes:
    """An event in its one form, with its digest before it and the blank line after it.

    The id of an entry is its index; where it came with none, or with something else, it has none here either.
    """
    return _digest_line(seen.data) + _text(seen)


def decode_event(block: bytes) -> Frame:
    """The event in what stands between two blank lines; raises Unreadable."""
    seen = _entry(block) or _any_event(block)
    if _digest_line(seen.data) != block[:_DIGEST]:
        raise Unreadable("its octets are not those that were recorded: they have another digest", seen.id)
    return seen


def _entry(block: bytes) -> Frame | None:
    """An entry in its one form whose leaf is one line, as nearly all events are; None for all else."""
    head = _ENTRY.match(block)
    if head is None:
        return None
    leaf = block[head.end() :]
    return None if b"\n" in leaf or b"\r" in leaf else Frame("entry", leaf, head[1].decode())


def _any_event(block: bytes) -> Frame:
    """The event, whatever its digest says; raises Unreadable where it is not in its one form."""
    _, *lines = block.split(b"\n")
    id = lines.pop(0)[4:].decode("ascii", "replace") if lines and lines[0].startswith(b"id: ") else None
    event = lines[0][7:].decode("ascii", "replace") if lines else ""
    data = b"\n".join(line[6:] for line in lines[1:])
    seen = Frame(event, data, id)
    if event not in EVENTS or b"\r" in data or _text(seen) != block[_DIGEST:] + END:
        raise Unreadable("it is no event of a recording", id)
    return seen


def encode_join(join: Join) -> Frame:
    """The event that carries it."""
    return Frame(JOIN, msgspec.json.encode(join))


def decode_join(data: bytes) -> Join:
    """What the event carries; raises Unreadable."""
    try:
        join = msgspec.json.decode(data, type=Join)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Unreadable("it does not say how the log was joined") from None
    if msgspec.json.encode(join) != data:
        raise Unreadable("how the log was joined is not in canonical form")
    return join


def _text(seen: Frame) -> bytes:
    return frame(seen.event, seen.data, entry_index(seen.id) if seen.event == "entry" else None)


def _digest_line(data: bytes) -> bytes:
    """A comment of the event stream: the leaf hash of what follows."""
    return b": " + base64.b64encode(leaf_hash(data)) + b"\n"
