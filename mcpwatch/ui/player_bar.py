"""The line of a player: whether it moves, what time it is there, how far it is, what is left."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mcpwatch.ui.times import clock, day
from mcpwatch.ui.widgets.lines import Line, Tone, from_cells, line, span
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.watch.player import Player
from mcpwatch.watch.seeking import speed_text
from mcpwatch.watch.transport import Goal, Stop, Transport

_LEAST_BAR = 12
_MOST_BAR = 60
_DATED = 100
"""From this width on the date stands before the time."""
_LOOKED_FOR = {Stop.ENTRY: "the next entry", Stop.CALL: "the next call", Stop.ALERT: "the next alert"}


class Played(NamedTuple):
    """How far something is played: places from `first` up to, not including, `extent`."""

    first: int
    extent: int
    at: int
    marks: Iterable[int]
    """Where alerts were raised."""


def player_line(player: Player, cells: int) -> Line:
    """All of it in one line, the bar as wide as there is room."""
    transport = player.transport
    left = max(transport.extent - max(transport.index + 1, transport.first), 0)
    ends = "at the end" if transport.is_over else f"{left:,} left"
    head = [
        _word(player),
        line(when_text(transport.now(), cells)),
        line(span("entry ", Tone.DIM), _at(transport), span(f"/{max(transport.extent - 1, 0):,}", Tone.DIM)),
        line(span(speed_text(player.speed), Tone.ACCENT), span(f"  {ends}", Tone.DIM)),
    ]
    at = transport.extent if transport.is_over else transport.index
    return with_bar(head, Played(transport.first, transport.extent, at, player.marks), cells)


def with_bar(head: Sequence[Line], played: Played, cells: int) -> Line:
    """A line with the bar after its second part, where there is room for it."""
    room = min(cells - sum(cells_of(part) + 2 for part in head) - 2, _MOST_BAR)
    bar = [_bar(played, room - 2)] if room >= _LEAST_BAR else []
    return spread([*head[:2], *bar, *head[2:]], Line(), cells)


def goal_text(goal: Goal) -> str:
    """Where a goal leads, in words."""
    if goal.stop is not None:
        return _LOOKED_FOR[goal.stop]
    if goal.index >= 0:
        return f"entry {goal.index:,}"
    return clock(goal.time, millis=False) if goal.time > 0 else "the start"


def _word(player: Player) -> Line:
    if player.coming is not None:
        return _going_back(player.coming[0])
    transport = player.transport
    if transport.is_over:
        return line(span("■ ended", Tone.STRONG))
    if transport.goal is not None:
        return line(span(f"» to {goal_text(transport.goal)}", Tone.CHIP))
    if transport.playing:
        return line(span("▶ playing", Tone.GOOD))
    return line(span("‖ paused", Tone.WARN))


def _going_back(coming: Transport) -> Line:
    goal, share = coming.goal, coming.share
    where = f" to {goal_text(goal)}" if goal is not None else ""
    told = f": {math.floor(share * 100)} %" if share is not None else ""
    return line(span(f"« back{where}{told}", Tone.CHIP))


def _at(transport: Transport) -> str:
    return "–" if transport.index < 0 else f"{transport.index:,}"


def when_text(time: float, cells: int) -> str:
    """A time, with its date where there is room."""
    if time <= 0:
        return "--:--:--"
    return f"{day(time)} {clock(time, millis=False)}" if cells >= _DATED else clock(time, millis=False)


def _bar(played: Played, cells: int) -> Line:
    """What was played as `=`, the cursor as `|`, the rest as `-`, and an `!` where an alert was raised."""
    size = max(played.extent - played.first, 1)

    def at(index: int) -> int:
        return min(max((index - played.first) * cells // size, 0), cells - 1)

    alerts, cursor = set(map(at, played.marks)), at(played.at)
    drawn = from_cells(_cell(cell, cursor, alerts) for cell in range(cells))
    return line(span("[", Tone.DIM), *drawn.spans, span("]", Tone.DIM))


def _cell(place: int, cursor: int, alerts: set[int]) -> tuple[str, Tone]:
    if place == cursor:
        return "|", Tone.STRONG
    if place in alerts:
        return "!", Tone.BAD
    return ("=", Tone.ACCENT) if place < cursor else ("-", Tone.DIM)
