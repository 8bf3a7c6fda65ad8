"""A trend as a row of bars, and what the highest stands for."""

from mcpwatch.ui.widgets.lines import Line, Tone, line, span
from mcpwatch.ui.widgets.sparks import sparks
from mcpwatch.watch.trend import Trend


def trend_line(trend: Trend, now: float, bars: int) -> Line:
    """At most so many bars, the newest last; empty where nothing happened."""
    width, counts = trend.series(now, bars)
    if not any(counts):
        return Line()
    return line(span(sparks(counts), Tone.ACCENT), span(f"  most {max(counts):,} in {width}s", Tone.DIM))
