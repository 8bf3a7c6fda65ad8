"""Bodies to read: JSON laid out and folded, text as it is, octets in hex."""

import base64
import binascii
from collections.abc import Callable, Sequence
from functools import lru_cache

from mcpwatch.model.entries import Body, Json
from mcpwatch.text import Shown, count
from mcpwatch.ui.widgets.json_outline import JsonOutline
from mcpwatch.ui.widgets.json_pieces import encoded
from mcpwatch.ui.widgets.lines import Line, Span, Tone, field, line, span
from mcpwatch.ui.widgets.outline import Part

_STEPS = 3_000
"""How much of a text stands on a page on which nothing can be folded."""
_OCTETS = 16 * 1024
_ROW = 16

Layout = Callable[[Body], Sequence[Part]]
"""Lays out the text of a body that has one."""


def still(body: Body) -> list[Line]:
    """For a page on which nothing can be folded."""
    return text_lines(body.text or "", masked=bool(body.masked))


def body_parts(body: Body | None, lay: Layout = still) -> list[Part]:
    """What a body holds, as far as the capture let it through."""
    if body is None:
        return [line(span("no body", Tone.DIM))]
    parts: list[Part] = [
        field("size", f"{body.size:,} octets", span(_kept(body), Tone.DIM)),
        field("sha256", span(body.sha256, Tone.DIM)),
    ]
    if body.text is not None:
        return [*parts, *lay(body)]
    if body.base64 is not None:
        return [*parts, line(span("not UTF-8; in hex:", Tone.DIM)), *_binary(body.base64)]
    return parts


def text_lines(text: str, *, masked: bool = False) -> list[Line]:
    """JSON laid out if it is JSON, else the text's own lines, for a page on which nothing can be folded."""
    return list(_laid(text, masked))


def json_lines(value: Json) -> list[Line]:
    """A JSON value over several lines; long parts are folded and counted, text with line breaks is laid open."""
    return text_lines(encoded(value))


def hex_lines(octets: bytes) -> list[Line]:
    """Octets in hex, with their place and what of them is ASCII."""
    lines = [_hex_line(at, octets[at : at + _ROW]) for at in range(0, min(len(octets), _OCTETS), _ROW)]
    if len(octets) > _OCTETS:
        lines.append(line(span(f"… {len(octets) - _OCTETS:,} more octets", Tone.DIM)))
    return lines


@lru_cache(maxsize=8)
def _laid(text: str, masked: bool) -> tuple[Line, ...]:
    """Live looks ten times a second at the same body."""
    outline = JsonOutline(text, masked=masked)
    outline.read(_STEPS)
    more = outline.left_out
    told = (line(span(f"… {more}", Tone.DIM)),) if more else ()
    return (*outline.lines(), *told)


def _binary(text: str) -> list[Line]:
    try:
        return hex_lines(base64.b64decode(text, validate=True))
    except binascii.Error:
        return [line(span("this is no base64", Tone.WARN)), Line((span(text[:_OCTETS]),), exact=True)]


def _hex_line(at: int, octets: bytes) -> Line:
    row = octets.hex(" ").ljust(3 * _ROW)
    drawn = "".join(chr(each) if 0x20 <= each < 0x7F else "·" for each in octets)
    return Line((span(f"{at:06x}  ", Tone.DIM), Span(Shown(row)), span(drawn, Tone.DIM)))


def _kept(body: Body) -> str:
    if body.truncated:
        return "   too large to carry: only its size and digests stand"
    if body.text is None and body.base64 is None:
        return "   digest only"
    return f"   {count(body.masked, 'value')} masked" if body.masked else ""
