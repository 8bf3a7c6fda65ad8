"""Bodies to read: JSON laid out and folded, anything else as it is."""

import msgspec

from mcpwatch.model.entries import Body, Json
from mcpwatch.text import count, show, show_lines
from mcpwatch.ui.lines import Line, Span, Tone, field, line, span

_ROW = 72
"""A value that fits into this many characters stays on one line."""
_LONG = 2_000
"""Longer strings are cut; the exact octets have a view of their own."""
_NAME = 60
_ITEMS = 100
_TEXT_LINES = 200
_DEPTH = 24
_LINES = 1_500
_INDENT = 2


def body_lines(body: Body | None) -> list[Line]:
    """What a body holds, as far as the capture let it through."""
    if body is None:
        return [line(span("no body", Tone.DIM))]
    lines = [
        field("size", f"{body.size:,} octets", span(_kept(body), Tone.DIM)),
        field("sha256", span(body.sha256, Tone.DIM)),
    ]
    if body.text is not None:
        return [*lines, *text_lines(body.text)]
    if body.base64 is not None:
        return [*lines, line(span("not UTF-8; in base64:", Tone.DIM)), line(body.base64[:_LONG])]
    return lines


def text_lines(text: str) -> list[Line]:
    """JSON laid out if it is JSON, else the text's own lines."""
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return [line(Span(each)) for each in show_lines(text[: 64 * _LONG], _LINES)]
    return json_lines(value)


def json_lines(value: Json) -> list[Line]:
    """A JSON value over several lines; long parts are folded and counted, text with line breaks is laid open."""
    lines: list[Line] = []
    _lay(value, 0, (), "", lines)
    if len(lines) > _LINES:
        more = len(lines) - _LINES
        lines = [*lines[:_LINES], line(span(f"… {more:,} more lines", Tone.DIM))]
    return lines


def _lay(value: Json, depth: int, head: tuple[Span, ...], tail: str, lines: list[Line]) -> None:
    if isinstance(value, str) and "\n" in value.strip():
        _lay_text(value, depth, head, lines)
        return
    flat = _flat(value, len(lines) > _LINES or depth >= _DEPTH)
    if flat is not None:
        hang = _INDENT * (depth + 1)
        lines.append(Line((_indent(depth), *head, span(flat, _tone(value)), span(tail, Tone.DIM)), hang))
        return
    opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
    items = list(value.items()) if isinstance(value, dict) else [(None, item) for item in value]
    lines.append(Line((_indent(depth), *head, span(opening, Tone.DIM))))
    for at, (name, item) in enumerate(items[:_ITEMS]):
        comma = "," if at + 1 < len(items) else ""
        _lay(item, depth + 1, () if name is None else (span(f'"{show(name, _NAME)}": ', Tone.DIM),), comma, lines)
    if len(items) > _ITEMS:
        lines.append(Line((_indent(depth + 1), span(f"… {len(items) - _ITEMS:,} more", Tone.DIM))))
    lines.append(Line((_indent(depth), span(closing + tail, Tone.DIM))))


def _lay_text(value: str, depth: int, head: tuple[Span, ...], lines: list[Line]) -> None:
    lines.append(Line((_indent(depth), *head, span("text", Tone.DIM))))
    for each in show_lines(value[: _TEXT_LINES * _LONG], _TEXT_LINES):
        lines.append(Line((_indent(depth), span("│ ", Tone.DIM), Span(each)), _INDENT * depth + 2))


def _flat(value: Json, forced: bool) -> str | None:
    """The value on one line, None when it should take several."""
    if isinstance(value, str):
        more = f"… {len(value) - _LONG:,} more characters" if len(value) > _LONG else ""
        return _encode(value[:_LONG]) + more
    if isinstance(value, dict | list) and value:
        if forced:
            return f"… {len(value):,} items"
        inner = list(value.values()) if isinstance(value, dict) else value
        if len(value) > _ROW or any((isinstance(item, dict | list) and item) or _is_long(item) for item in inner):
            return None
        text = _encode(value)
        return text if len(text) <= _ROW else None
    return _encode(value)


def _is_long(value: Json) -> bool:
    return isinstance(value, str) and (len(value) > _ROW or "\n" in value)


def _encode(value: Json) -> str:
    return msgspec.json.encode(value).decode("utf-8", "replace")


def _indent(depth: int) -> Span:
    return span(" " * (_INDENT * depth))


def _tone(value: Json) -> Tone:
    return Tone.PLAIN if isinstance(value, str | dict | list) else Tone.ACCENT


def _kept(body: Body) -> str:
    if body.truncated:
        return "   too large to carry: only its size and digests stand"
    if body.text is None and body.base64 is None:
        return "   digest only"
    return f"   {count(body.masked, 'value')} masked" if body.masked else ""
