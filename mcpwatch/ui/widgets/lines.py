"""Lines of toned text: all that the widgets of this package draw.

A span holds text that has passed the door and a tone, which is a meaning and not a colour. Widgets turn
tones into styles, so nothing that came from outside can choose how it looks.
"""

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from mcpwatch.text import Shown, show, width


class Tone(StrEnum):
    """What a piece of text means to the reader."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    TITLE = "title"
    ACCENT = "accent"
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"
    WORST = "worst"
    ALARM = "alarm"
    CHIP = "chip"


class Span(NamedTuple):
    """Text in one tone; a click on it runs `action`, which is always one of ours."""

    text: Shown
    tone: Tone = Tone.PLAIN
    action: str = ""


class Line(NamedTuple):
    """One logical line; when it is wrapped, what follows is indented by `hang` cells.

    With `exact` it is broken at the edge and nowhere else, so that no character is lost.
    """

    spans: tuple[Span, ...] = ()
    hang: int = 0
    exact: bool = False


FILLED = frozenset({Tone.ALARM, Tone.CHIP})
"""Tones with a ground of their own, which no cursor covers."""
LABEL_CELLS = 13
BLANK = Line()
SPACE = Span(Shown(" "))


def span(text: str, tone: Tone = Tone.PLAIN, action: str = "") -> Span:
    """Text from anywhere, made safe."""
    return Span(show(text), tone, action)


def line(*parts: Span | str, hang: int = 0) -> Line:
    """A line of spans; strings are plain text."""
    return Line(tuple(part if isinstance(part, Span) else span(part) for part in parts), hang)


def title(text: str) -> Line:
    """A heading."""
    return Line((span(text, Tone.TITLE),))


def field(label: str, *parts: Span | str) -> Line:
    """A dim label of fixed width and its value, which wraps under itself."""
    name = span(label.ljust(LABEL_CELLS), Tone.DIM)
    return line(name, *(parts or (span("–", Tone.DIM),)), hang=LABEL_CELLS)


def bullet(mark: Span, *parts: Span | str) -> Line:
    """A marked item, which wraps under its text."""
    return line(mark, SPACE, *parts, hang=width(mark.text) + 1)


def pair(left: Line, right: Line, left_cells: int) -> Line:
    """Two short lines side by side, the second beginning at `left_cells`."""
    used = sum(width(part.text) for part in left.spans)
    gap = Span(Shown(" " * max(1, left_cells - used)))
    return Line((*left.spans, gap, *right.spans), 0)


def plain(text: Line) -> str:
    """The characters alone."""
    return "".join(part.text for part in text.spans)


def cells(text: Line) -> int:
    """How wide the line is when it is not wrapped."""
    return sum(width(part.text) for part in text.spans)


def from_cells(drawn: Iterable[tuple[str, Tone]]) -> Line:
    """What stands in each cell and its tone, as a line; neighbours of one tone are one span."""
    runs = groupby(drawn, key=lambda each: each[1])
    return Line(tuple(span("".join(char for char, _ in run), tone) for tone, run in runs))


def join(parts: Iterable[Line], gap: str = "  ") -> Line:
    """Lines one after the other with `gap` between them; empty ones are left out."""
    spans: list[Span] = []
    for part in parts:
        if part.spans:
            if spans:
                spans.append(Span(show(gap)))
            spans.extend(part.spans)
    return Line(tuple(spans))
