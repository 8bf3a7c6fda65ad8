"""The line that says that Live shows the past: where it is, how fast it plays, what came since."""

from mcpwatch.ui.lines import Line, Tone, line, span
from mcpwatch.ui.lines import cells as cells_of
from mcpwatch.ui.player_bar import bar, when_text
from mcpwatch.ui.ribbon import spread
from mcpwatch.watch.held_view import HeldView
from mcpwatch.watch.past import Past
from mcpwatch.watch.seeking import speed_text

_LEAST_BAR = 12
_MOST_BAR = 60


def past_line(past: Past, cells: int) -> Line:
    """On Live: the place in what is held, the bar as wide as there is room."""
    rows = past.view.state.rows
    word = span("▶ past", Tone.GOOD) if past.playing else span("‖ past", Tone.WARN)
    head = [
        line(word),
        line(when_text(past.time, cells)),
        line(span(speed_text(past.speed), Tone.ACCENT), span(f"  {_since(past.view)}", Tone.DIM)),
    ]
    room = cells - sum(cells_of(part) + 2 for part in head) - 2
    if room >= _LEAST_BAR:
        head.insert(2, bar(rows.first, rows.end, past.view.stop - 1, past.marks, min(room, _MOST_BAR) - 2))
    return spread(head, Line(), cells)


def _since(view: HeldView) -> str:
    """How many entries came after the place, and how many of them the view will show."""
    told = f"{view.since:,} {'entry' if view.since == 1 else 'entries'} since"
    return told if view.pending == view.since else f"{told}, {view.pending:,} to show"


def present_line(past: Past, cells: int) -> Line:
    """On other screens: that they show the present."""
    text = f"This screen shows the present; Live is at {when_text(past.time, cells)}"
    return spread([line(span(text, Tone.WARN))], Line(), cells)
