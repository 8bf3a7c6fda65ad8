"""What changed in a tool's definition: field by field, what went and what came, with nothing hidden."""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from mcpwatch.model.entries import Json
from mcpwatch.model.tools import DefinitionPin, Tool
from mcpwatch.ui.pages.beside import beside
from mcpwatch.ui.times import full
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, line, span
from mcpwatch.watch.definition_changes import Changed, Piece, changed, pieces

WIDE = 120
"""Cells from which on what was and what is stand side by side."""
_FIELDS = 60
_LINES = {False: 40, True: 2_000}
"""Of one field, on each side; more where it is shown whole."""
_CHARACTERS = {False: 4_000, True: 20_000}
"""Of what went or came at one place."""
_PATH_CELLS = 120
_SAME = {False: 60, True: 20_000}
"""Characters shown of what stayed, on each side of what did not."""
_CUT = " … "
_TONES = {"-": Tone.BAD, "+": Tone.GOOD}


class Diff(NamedTuple):
    """How differences are laid out."""

    cells: int = 0
    """Of the pane; 0 where only one column is wanted."""
    is_whole: bool = False
    """Whether all that stayed is shown, and not only what stands beside a change."""


NARROW = Diff()
"""One column, of what changed and the words beside it."""


def baseline(tool: Tool) -> tuple[str, Json]:
    """What the definition is held against, and how that is called: what is trusted, or else what was before."""
    if tool.pin is None and tool.pins:
        return f"since it was {pinned(tool.pins[-1])}", tool.pins[-1].definition
    return "with the last change", tool.previous


def pinned(pin: DefinitionPin) -> str:
    """How a definition came to be trusted, as it follows `was`."""
    if pin.author:
        return f"accepted by {pin.author}, {_when(pin)}"
    where = f", entry {pin.index}" if pin.index is not None else ""
    return f"pinned on first use, {_when(pin)}{where}"


def _when(pin: DefinitionPin) -> str:
    return full(pin.time).partition(".")[0]


def change_lines(before: Json, after: Json, diff: Diff = NARROW) -> list[Line]:
    """The fields that differ; what of them stayed is dim."""
    if before is None:
        return [line(span("of the definition before, only the digest was still held", Tone.WARN))]
    fields = changed(before, after)
    lines = [each for field in fields[:_FIELDS] for each in _field(field, diff)]
    if len(fields) > _FIELDS:
        lines.append(line(span(f"… {len(fields) - _FIELDS:,} more fields", Tone.DIM)))
    if lines and diff.cells >= WIDE:
        lines[:0] = beside([line(span("- before", Tone.BAD))], [line(span("+ now", Tone.GOOD))], diff.cells)
    return lines or [line(span("only the order or the kind of its values", Tone.DIM))]


def meanwhile_lines(trusted: Json, meanwhile: Json) -> list[Line]:
    """How a definition differed from the trusted one while it was another."""
    if trusted is None or meanwhile is None:
        return [line(span("only its digest was still held", Tone.WARN))]
    return change_lines(trusted, meanwhile)


@lru_cache(maxsize=2 * _FIELDS)
def _field(field: Changed, diff: Diff) -> tuple[Line, ...]:
    """Its name and what it was and is; a page that is looked at again and again asks for the same."""
    name = span(field.path[:_PATH_CELLS] or "all of it", Tone.ACCENT)
    kind = "  removed" if field.after is None else "  added" if field.before is None else ""
    before, after = _sides(field, diff)
    drawn = beside(before, after, diff.cells) if diff.cells >= WIDE else [*before, *after]
    return (line(name, span(kind, Tone.DIM)), *drawn)


def _sides(field: Changed, diff: Diff) -> tuple[list[Line], list[Line]]:
    """The lines that it had and has; side by side, lines that stayed stand on one row."""
    if field.before is None or field.after is None:
        parts = [Piece("-" if field.after is None else "+", field.before or field.after or "")]
    else:
        parts = pieces(field.before, field.after)
    rows: dict[str, list[list[Span] | None]] = {
        "-": [] if field.before is None else [[]],
        "+": [] if field.after is None else [[]],
    }
    last = len(parts) - 1
    for at, part in enumerate(parts):
        is_same = part.sign == " "
        text = _short(part.text, at > 0, at < last, diff.is_whole) if is_same else _most(part.text, diff.is_whole)
        sides = list(rows) if is_same else [part.sign]
        for number, piece in enumerate(text.replace("\r\n", "\n").split("\n")):
            if number and is_same and diff.cells >= WIDE:
                _level(*rows.values())
            for sign in sides:
                if number:
                    rows[sign].append([])
                if (row := rows[sign][-1]) is not None:
                    row.append(span(piece, Tone.DIM if is_same else _TONES[sign]))
    return _lines("-", rows["-"], diff.is_whole), _lines("+", rows["+"], diff.is_whole)


def _level(one: list[list[Span] | None], other: list[list[Span] | None]) -> None:
    """Fill up the shorter side, so that what follows stands on one row."""
    for rows in (one, other):
        rows += [None] * (max(len(one), len(other)) - len(rows))


def _lines(sign: str, rows: Sequence[list[Span] | None], is_whole: bool) -> list[Line]:
    most = _LINES[is_whole]
    mark = span(f"{sign} ", _TONES[sign])
    lines = [BLANK if row is None else Line((mark, *row), 2) for row in rows[:most]]
    if len(rows) > most:
        lines.append(line(span(f"  … {len(rows) - most:,} more lines", Tone.DIM)))
    return lines


def _most(text: str, is_whole: bool) -> str:
    """What went or came, up to a length; what is beyond that is told."""
    most = _CHARACTERS[is_whole]
    return text if len(text) <= most else f"{text[:most]}{_CUT}{len(text) - most:,} more characters"


def _short(text: str, is_after: bool, is_before: bool, is_whole: bool) -> str:
    """What stayed, cut to what stands beside a change."""
    same = _SAME[is_whole]
    head, tail = same if is_after else 0, same if is_before else 0
    if len(text) <= head + tail + len(_CUT):
        return text
    return text[:head] + _CUT + (text[-tail:] if tail else "")
