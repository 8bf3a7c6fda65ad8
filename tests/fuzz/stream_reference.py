"""Server-sent events a second time: the standard's rules (WHATWG HTML, section 9.2.6) over the whole stream at once.

Data stays octets, and a reconnection time counts once the block that it stands in has ended.
"""

import re

from msgspec import Struct

_LINE_END = re.compile(rb"\r\n|\r|\n")


class Event(Struct, frozen=True):
    """One dispatched event."""

    name: str
    data: bytes
    id: str


class Parsed(Struct, frozen=True):
    """What a stream says."""

    events: tuple[Event, ...]
    retry: int | None


def parse_stream(octets: bytes) -> Parsed:
    """Read a whole stream; what its end leaves unfinished is not dispatched."""
    *lines, _ = _LINE_END.split(octets.removeprefix(b"\xef\xbb\xbf"))
    events: list[Event] = []
    name = last_id = ""
    data: list[bytes] = []
    retry = coming = None
    for line in lines:
        field, value = split_field(line)
        if not line:
            if data:
                events.append(Event(name or "message", b"\n".join(data), last_id))
            name, data, retry = "", [], coming
        elif field == b"event":
            name = value.decode("utf-8", "replace")
        elif field == b"data":
            data.append(value)
        elif field == b"id" and b"\0" not in value:
            last_id = value.decode("utf-8", "replace")
        elif field == b"retry" and re.fullmatch(rb"[0-9]+", value):
            coming = int(value)
    return Parsed(tuple(events), retry)


def split_field(line: bytes) -> tuple[bytes, bytes]:
    """Name and value of a line; a comment has the empty name."""
    matched = re.fullmatch(rb"([^:]*)(?:: ?(.*))?", line, re.DOTALL)
    assert matched is not None
    return matched[1], matched[2] or b""


def within(octets: bytes, max_line: int, max_event: int, max_lines: int) -> bool:
    """Whether a stream keeps to the limits; a comment is a line and no part of an event."""
    lines = _LINE_END.split(octets.removeprefix(b"\xef\xbb\xbf"))
    size = count = 0
    for line in lines[:-1]:
        if line and not line.startswith(b":"):
            size, count = size + len(line), count + 1
        if len(line) > max_line or size > max_event or count > max_lines:
            return False
        if not line:
            size = count = 0
    return len(lines[-1]) <= max_line
