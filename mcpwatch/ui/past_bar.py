"""The line that says that Live shows the past: where it is, how fast it plays, what came since."""

from mcpwatch.text import count
from mcpwatch.ui.player_bar import Played, when_text, with_bar
from mcpwatch.ui.widgets.lines import Line, Tone, line, span
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.watch.past import Past
from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.seeking import speed_text


def past_line(past: Past, cells: int) -> Line:
    """On Live: the place in what is held, the bar as wide as there is room."""
    rows = past.view.state.rows
    word = span("▶ past", Tone.GOOD) if past.playing else span("‖ past", Tone.WARN)
    head = [
        line(word),
        line(when_text(past.time, cells)),
        line(span(speed_text(past.speed), Tone.ACCENT), span(f"  {_since(past.view)}", Tone.DIM)),
    ]
    return with_bar(head, Played(rows.first, rows.end, past.view.stop - 1, past.marks), cells)


def _since(view: PastView) -> str:
    """How many entries came after the place, and how many of them the view will show."""
    told = f"{count(view.since, 'entry')} since"
    return told if view.pending == view.since else f"{told}, {view.pending:,} to show"


def present_line(past: Past, cells: int) -> Line:
    """On other screens: that they show the present."""
    text = f"This screen shows the present; Live is at {when_text(past.time, cells)}"
    return spread([line(span(text, Tone.WARN))], Line(), cells)
