"""Two columns of lines, row beside row."""

from collections.abc import Sequence
from itertools import zip_longest

from mcpwatch.text import Shown
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, cells
from mcpwatch.ui.widgets.wrap import wrap

_EDGE = Span(Shown(" │ "), Tone.DIM)


def beside(left: Sequence[Line], right: Sequence[Line], wide: int) -> list[Line]:
    """Lines that begin on one row, each wrapped to its half of `wide` cells; what is missing is blank."""
    half = (wide - len(_EDGE.text)) // 2
    rows: list[Line] = []
    for one, other in zip_longest(left, right, fillvalue=BLANK):
        wrapped = zip_longest(wrap([one], half), wrap([other], half), fillvalue=BLANK)
        rows += [Line((*_filled(each, half), _EDGE, *beyond.spans)) for each, beyond in wrapped]
    return rows


def _filled(text: Line, wide: int) -> tuple[Span, ...]:
    return (*text.spans, Span(Shown(" " * (wide - cells(text)))))
