"""Server-sent events (WHATWG HTML, section 9.2), with exact octets and with limits.

httpx-sse reads the event, id and retry fields. What stands before it is ours, because the library splits and
decodes text without bounds, holds back a line that ends in CR, keeps a byte order mark, dispatches blocks
without data once an id was seen, and reads `retry: 1_000` as a number.
"""

import re

from msgspec import Struct

from mcpwatch.feed.decimals import MAX_DIGITS
from mcpwatch.feed.envelope import MAX_LEAF
from mcpwatch.http_fields import media_type

MEDIA_TYPE = "text/event-stream"
MAX_LINE = MAX_LEAF + MAX_LEAF // 2
"""Octets; half as much again as the largest leaf, so that one too large is still shown, by its index."""
MAX_EVENT = 2 * MAX_LEAF
"""Octets of all lines of an event."""
MAX_LINES = 128
"""Lines of an event; a checkpoint has at most 68."""
_BOM = b"\xef\xbb\xbf"
_COLON = ord(":")
_PLAIN = re.compile(rb"id: ([0-9]{1,20})\nevent: ([a-z]{1,20})\ndata: ")
"""What an event begins with as `frame` writes it, with an id; nearly all of a feed are such, with one line of data."""


class StreamFault(Exception):
    """The stream is past what a feed may send; `frames` came whole before the fault."""

    def __init__(self, reason: str, frames: "list[Frame]") -> None:
        super().__init__(reason)
        self.reason = reason
        self.frames = frames


class Frame(Struct, frozen=True, gc=False):
    """One dispatched event."""

    event: str
    """`message` where the stream names none."""
    data: bytes
    """The data lines joined by LF, exactly as sent, UTF-8 or not."""
    id: str | None = None
    """The last event id as it stands; None while there is none."""
    retry: int | None = None
    """Milliseconds, where this event sets them."""


class SseReader:
    """Turns the octets of one connection into frames; limits in octets and lines, comments not counted."""

    def __init__(self, max_line: int = MAX_LINE, max_event: int = MAX_EVENT, max_lines: int = MAX_LINES) -> None:
        # It comes with an HTTP client, and who reads a recording's events needs neither.
        from httpx_sse._decoders import SSEDecoder

        self.retry: int | None = None
        """The newest reconnection time the stream has set, milliseconds."""
        self._max_line = max_line
        self._max_event = max_event
        self._max_lines = max_lines
        self._max_plain = min(max_line, max_event) if max_lines >= 3 else 0
        self._decoder = SSEDecoder()
        self._pending = bytearray()
        self._at_start = True
        self._after_cr = False
        self._data: list[bytes] = []
        self._size = 0
        self._lines = 0
        self._index = ""
        self._fault = ""

    @property
    def held(self) -> int:
        """Octets of the event that has not come whole yet."""
        return self._size + len(self._pending)

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that end in `chunk`; raises StreamFault, from then on at every call."""
        frames: list[Frame] = []
        if not self._fault:
            self._fault = self._read(chunk, frames)
            if self._fault and self._index:
                self._fault = f"{self._fault}, in the event with id {self._index}"
        if self._fault:
            raise StreamFault(self._fault, frames)
        return frames

    def _read(self, chunk: bytes, frames: list[Frame]) -> str:
        """Fill `frames`; the reason when a limit is passed, else empty."""
        if self._after_cr and chunk:
            chunk = chunk.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in chunk:
            self._after_cr = chunk.endswith(b"\r")
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        at = 0
        while at < len(chunk):
            if not self._lines and not self._pending:
                at = self._read_plain(chunk, at, frames)
            end = chunk.find(b"\n\n", at) + 2
            fault = self._read_lines(chunk[at:] if end < 2 else chunk[at:end], frames)
            if fault:
                return fault
            at = len(chunk) if end < 2 else end
        return ""

    def _read_lines(self, chunk: bytes, frames: list[Frame]) -> str:
        """Take in lines of any event, the last perhaps not whole yet."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            if self._pending:
                line = bytes(self._pending + line)
                self._pending.clear()
            if self._at_start:
                line = line.removeprefix(_BOM)
                self._at_start = False
            length = len(line)
            if length > self._max_line:
                return f"a line is longer than {self._max_line} octets"
            if not length:
                self._dispatch(frames)
            elif line[0] != _COLON:
                self._lines += 1
                self._size += length
                if self._lines > self._max_lines:
                    return f"an event has more than {self._max_lines} lines"
                if self._size > self._max_event:
                    return f"an event is larger than {self._max_event} octets"
                self._field(line)
        self._pending += rest
        marked = self._at_start and self._pending.startswith(_BOM)
        longest = self._max_line + (len(_BOM) if marked else 0)
        return f"a line is longer than {self._max_line} octets" if len(self._pending) > longest else ""

    def _read_plain(self, chunk: bytes, at: int, frames: list[Frame]) -> int:
        """Fill `frames` with the plain events that stand from there on; where the first of another form begins."""
        id = ""
        while plain := _PLAIN.match(chunk, at):
            start = plain.end()
            end = chunk.find(b"\n", start)
            if end < 0 or end - at > self._max_plain or not chunk.startswith(b"\n", end + 1):
                break
            index, name = plain.groups()
            id = index.decode()
            frames.append(Frame(name.decode(), chunk[start:end], id))
            at = end + 2
        if id:
            self._at_start = False
            # Events that name no id have the last one that was named.
            self._decoder.decode(f"id: {id}")
        return at

    def _field(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            return
        if name == b"id":
            self._index = value.decode() if value.isdigit() and len(value) <= MAX_DIGITS else ""
        if name != b"retry" or value.isdigit():
            self._decoder.decode(line.decode("utf-8", "replace"))

    def _dispatch(self, frames: list[Frame]) -> None:
        if not self._lines:
            return
        # All but the data, which would be decoded, comes from httpx-sse; leaves are hashed as octets.
        event = self._decoder.decode("")
        name, id, retry = (event.event, event.id or None, event.retry) if event else ("message", None, None)
        if retry is not None:
            self.retry = retry
        if self._data:
            frames.append(Frame(name, b"\n".join(self._data), id, retry))
            self._data.clear()
        self._size = self._lines = 0
        self._index = ""


def frame(event: str, data: bytes, id: int | None = None) -> bytes:
    """An event as a feed sends it; each LF in `data` begins another data line.

    Raises ValueError when `event` or `data` would not arrive as they are.
    """
    if "\n" in event or "\r" in event or b"\r" in data:
        raise ValueError("an event name holds no line ends, and data no CR")
    head = f"event: {event}\n" if id is None else f"id: {id}\nevent: {event}\n"
    return b"%bdata: %b\n\n" % (head.encode(), data.replace(b"\n", b"\ndata: "))


def is_event_stream(content_type: str) -> bool:
    """Whether a Content-Type header names an event stream; parameters, charset too, mean nothing."""
    return media_type(content_type) == MEDIA_TYPE
