"""Breaking toned lines to a width in cells."""

import re
from collections.abc import Iterable, Iterator

from mcpwatch.text import Shown, width
from mcpwatch.ui.widgets.lines import Line, Span

_WIDEST = 2
"""Cells of the widest character."""
_PIECES = re.compile(r" +|[^ ]+")


def wrap(lines: Iterable[Line], cells: int) -> list[Line]:
    """Break every line that is wider than `cells`; at least one line comes out for each that goes in."""
    wrapped: list[Line] = []
    for each in lines:
        wrapped.extend(_wrap_line(each, max(cells, 1)))
    return wrapped


def _wrap_line(text: Line, cells: int) -> Iterator[Line]:
    if sum(width(part.text) for part in text.spans) <= cells:
        yield text
        return
    indent = min(text.hang, cells // 2)
    if cells - indent < _WIDEST:
        indent = 0
    row: list[Span] = []
    used = 0
    for part in text.spans:
        for piece in [part.text] if text.exact else _PIECES.findall(part.text):
            wide = width(piece)
            if used + wide > cells and used > indent:
                yield Line(tuple(row))
                row, used = _indented(indent)
                if piece.isspace():
                    continue
            for chunk in _chop(piece, cells - used, cells - indent):
                if used + width(chunk) > cells and used > indent:
                    yield Line(tuple(row))
                    row, used = _indented(indent)
                row.append(Span(Shown(chunk), part.tone, part.action))
                used += width(chunk)
    if len(row) > bool(indent) or not text.spans:
        yield Line(tuple(row))


def _indented(indent: int) -> tuple[list[Span], int]:
    return ([Span(Shown(" " * indent))] if indent else []), indent


def _chop(piece: str, first: int, rest: int) -> Iterator[str]:
    """Cut a word that is wider than a line into chunks that fit."""
    room = max(first, 1)
    if width(piece) <= room:
        yield piece
        return
    if piece.isascii():
        yield piece[:room]
        step = max(rest, 1)
        for start in range(room, len(piece), step):
            yield piece[start : start + step]
        return
    start = used = 0
    for at, char in enumerate(piece):
        wide = width(char)
        if used + wide > room and at > start:
            yield piece[start:at]
            start, used, room = at, 0, max(rest, 1)
        used += wide
    yield piece[start:]
