"""The foot of Live: what is shown of all there is, whether it moves, and the keys that matter for it."""

from collections.abc import Iterable

from mcpwatch.ui.commands import Command, Group
from mcpwatch.ui.widgets.lines import Line, Tone, line, span
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.watch.past_view import PastView

_IN_THE_PAST = {"freeze": "play/pause", "follow": "now"}
"""What keys do there, which come first."""


def foot(view: PastView, below: int, fault: str, cells: int) -> Line:
    """The filter to the left, the pill to the right; `below` rows lie under what is in view.

    A click on the filter does what escape does.
    """
    left = [_filter(view, fault)]
    if view.query.is_empty and view.hidden and not view.frozen:
        left.append(line(span(f"{view.hidden:,} of plumbing hidden (p)", Tone.DIM)))
    return spread(left, _pill(view, below), cells)


def _filter(view: PastView, fault: str) -> Line:
    if fault:
        return line(span(f"✗ {fault}", Tone.BAD))
    if view.query.is_empty:
        return line(f"{len(view):,}", span(" entries", Tone.DIM))
    english = span(f"  where {view.query.english()}", Tone.DIM)
    return line(
        span(f"/ {view.query}", Tone.ACCENT, "app.back"),
        f"  {len(view):,}{'…' if view.is_filling else ''} of {len(view.state.rows):,}",
        english,
    )


def _pill(view: PastView, below: int) -> Line:
    if view.is_past:
        pill = span(f" PAST +{view.pending:,} to show ", Tone.CHIP, "screen.follow")
        return line(pill, span(" f returns", Tone.DIM))
    if view.frozen:
        pill = span(f" FROZEN +{view.pending:,} new ", Tone.CHIP, "screen.freeze")
        return line(pill, span(" space goes on", Tone.DIM))
    if view.follow:
        return line(span("▼ following", Tone.DIM))
    if not below:
        return line(span("▽ not following  f follows", Tone.DIM))
    return line(span(f" +{below:,} below ", Tone.CHIP, "screen.follow"), span(" f follows", Tone.DIM))


def hinted(commands: Iterable[Command], *, is_past: bool, is_played: bool) -> list[Command]:
    """The commands as the foot names them; a player's only where something is played."""
    told = _IN_THE_PAST if is_past else {}
    return [
        command._replace(label=told[command.id], hint=1) if command.id in told else command
        for command in commands
        if is_played or command.group is not Group.PLAY
    ]
