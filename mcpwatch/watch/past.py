"""A way through what is held in memory: an earlier place of a view, moved by hand or as fast as one likes."""

import time
from collections.abc import Callable
from typing import Literal

from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.row import Row
from mcpwatch.watch.transport import SPEEDS, Goal, Stop

MARKS_S = 1.0
"""Seconds for which the alerts that were found hold good."""

_WANTED: dict[Stop, Callable[[Row], bool]] = {
    Stop.ENTRY: lambda row: True,
    Stop.CALL: lambda row: bool(row.seen.opened),
    Stop.ALERT: lambda row: row.severity is not None,
}


class Past:
    """Where a view stands in what is held; the state goes on. It lasts until the view is thawed.

    The view shows the rows up to the first one that is later than `time`, seconds since the epoch by the gateway's
    clock. `clock` counts seconds.
    """

    def __init__(self, view: PastView, clock: Callable[[], float] = time.monotonic) -> None:
        self.view = view
        self.time = 0.0
        self.speed = 1.0
        self.playing = False
        self.marks: list[int] = []
        """Where alerts were raised, each the `seq` of its row."""
        self._clock = clock
        self._ticked = self._marked = clock()
        self._find_marks()

    @property
    def here(self) -> float:
        """The time at the place; else that of the newest entry which the view knows of."""
        if self.view.is_past:
            return self.time
        rows = self.view.state.rows
        newest = rows.get(min(max(self.view.stop - 1, rows.first), rows.end - 1))
        return newest.time if newest is not None else 0.0

    def toggle(self) -> None:
        """Play, or pause."""
        self.playing = not self.playing
        self._ticked = self._clock()

    def rest(self) -> None:
        """Let time pass without playing, where nobody sees it."""
        self._ticked = self._clock()

    def change_speed(self, step: Literal[1, -1]) -> None:
        """The next speed of the table, or the one before."""
        faster = [speed for speed in SPEEDS if speed > self.speed]
        slower = [speed for speed in SPEEDS if speed < self.speed]
        if step > 0:
            self.speed = faster[0] if faster else SPEEDS[-1]
        else:
            self.speed = slower[-1] if slower else SPEEDS[0]

    def tick(self) -> bool:
        """Play on by the clock; True when there was something to play."""
        now = self._clock()
        passed, self._ticked = now - self._ticked, now
        if now - self._marked >= MARKS_S:
            self._marked = now
            self._find_marks()
        if not self.playing:
            return False
        self.time += passed * self.speed if passed else 0.0
        rows, stop = self.view.state.rows, max(self.view.stop, self.view.state.rows.first)
        while (row := rows.get(stop)) is not None and row.time <= self.time:
            stop += 1
        if stop == rows.end:
            self.view.thaw()
            self.view.last()
        elif stop != self.view.stop:
            self.view.stop_at(stop)
        return True

    def step(self, direction: Literal[1, -1], stop: Stop) -> bool:
        """To the next or previous entry of the kind that passes the filter, and pause; False where there is none."""
        wanted = _WANTED[stop]
        if direction > 0:
            later = self.view.state.rows.since(self.view.stop)
            found = next((row for row in later if wanted(row) and self.view.passes(row)), None)
        else:
            found = self.view.before(wanted)
        if found is not None:
            self._stand_at(found)
        return found is not None

    def seek(self, goal: Goal, source: str = "") -> bool:
        """To an entry of a feed or a time; False where it is not held. What is later than all is the present."""
        rows = self.view.state.rows
        if goal.index >= 0:
            row = rows.find(source, goal.index)
            if row is not None:
                self._stand_at(row)
            return row is not None
        if not len(rows):
            return False
        stop = next((row.seq for row in rows if row.time > goal.time), rows.end)
        if stop == rows.first:
            return False
        if stop == rows.end:
            self.view.thaw()
            self.view.last()
        else:
            self.time = goal.time
            self.view.stop_at(stop)
        self._ticked = self._clock()
        return True

    def _stand_at(self, row: Row) -> None:
        self.playing = False
        self.time = row.time
        self.view.stop_at(row.seq + 1)

    def _find_marks(self) -> None:
        self.marks = [row.seq for row in self.view.state.rows if row.severity is not None]
