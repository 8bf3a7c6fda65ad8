"""One line of the last minutes: how many entries came, and when alerts were raised."""

from mcpwatch.text import count
from mcpwatch.ui.widgets.lines import Line, Span, Tone, from_cells, line, span
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.ui.widgets.sparks import sparks
from mcpwatch.watch.rates import SECONDS
from mcpwatch.watch.state import State

BAR_S = 5
"""Seconds that a bar stands for."""
_WORDS = 36
"""Cells that the words beside the bars take at most."""


def rate_strip(state: State, cells: int) -> Line:
    """A bar for every five seconds, red where something was found wrong; the highest is as high as a bar can be."""
    number = max(min(SECONDS, (cells - _WORDS) * BAR_S) // 60, 1) * 60 // BAR_S
    entries = state.entry_rate.series(state.now, BAR_S, number)
    wrong = state.alert_rate.series(state.now, BAR_S, number)
    top = max(entries)
    bars = from_cells((bar, Tone.BAD if bad else Tone.DIM) for bar, bad in zip(sparks(entries), wrong, strict=True))
    found = sum(wrong)
    told: tuple[Span | str, ...] = (f"most {top / BAR_S:,.1f}/s", span(f" in {number * BAR_S // 60}m", Tone.DIM))
    if found:
        told = (*told, span(f"  {count(found, 'finding')}", Tone.BAD))
    return spread([bars], line(*told), cells)
