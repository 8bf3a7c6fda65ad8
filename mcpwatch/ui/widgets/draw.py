"""Cells to segments: exact widths, marked hits."""

from collections.abc import Callable, Iterator

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style

from mcpwatch.text import Shown, cut, width
from mcpwatch.ui.widgets.lines import Line, Span, Tone

_SHORTEST = 12
"""Cells below which a text that is cut keeps its beginning alone."""
StyleOf = Callable[[Tone], Style]


def draw_span(span: Span, cells: int, style_of: StyleOf, right: bool = False) -> Segment:
    """A span in exactly `cells` cells."""
    text: str = span.text if len(span.text) <= cells and span.text.isascii() else cut(span.text, cells)
    short = cells - cell_len(text)
    if short > 0:
        text = " " * short + text if right else text + " " * short
    elif short < 0:
        text = set_cell_size(text, cells)
    return Segment(text, style_of(span.tone))


def both_ends(span: Span, cells: int) -> Span:
    """The span without its middle where it is wider than `cells`."""
    if width(span.text) <= cells:
        return span
    tail = span.text[-(cells // 3) :].lstrip("…") if cells >= _SHORTEST else ""
    return span._replace(text=Shown(cut(span.text, cells - width(tail)) + tail))


def draw_line(line: Line, cells: int, style_of: StyleOf) -> Iterator[Segment]:
    """A line of spans in exactly `cells` cells."""
    left = cells
    for span in line.spans:
        room = min(width(span.text), left)
        if room > 0:
            yield draw_span(span, room, style_of)
            left -= room
    if left > 0:
        yield Segment(" " * left, style_of(Tone.PLAIN))


def mark(segment: Segment, needle: str, style: Style) -> Iterator[Segment]:
    """Split a segment so that each occurrence of `needle` (any case) stands out."""
    text, lowered, at = segment.text, segment.text.lower(), 0
    if not needle or len(lowered) != len(text):
        yield segment
        return
    while (hit := lowered.find(needle, at)) >= 0:
        if hit > at:
            yield Segment(text[at:hit], segment.style)
        at = hit + len(needle)
        yield Segment(text[hit:at], (segment.style or Style()) + style)
    if at < len(text):
        yield Segment(text[at:], segment.style)
