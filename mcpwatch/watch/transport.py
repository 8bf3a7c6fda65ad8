"""What the controls of a player move: whether it plays, how fast, and where it is going."""

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from enum import StrEnum

from msgspec import Struct

from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised

SPEEDS = (0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 60.0, math.inf)
"""Times as fast as it happened; the last waits for nothing."""
MAX_MARKS = 10_000
"""Alerts that are marked; those after that are not."""


class Stop(StrEnum):
    """What ends a way that leads to no place known before."""

    ENTRY = "entry"
    CALL = "call"
    ALERT = "alert"


class Goal(Struct, frozen=True):
    """Where to go without waiting: through an entry, through a time, or on to what is looked for."""

    index: int = -1
    time: float = -math.inf
    """By the gateway's clock, seconds since the epoch."""
    stop: Stop | None = None

    def covers(self, index: int, when: float) -> bool:
        """Whether an entry lies on the way."""
        return self.stop is not None or index <= self.index or when <= self.time


class Transport:
    """Decides when each entry is given out, and what time it is; hears what is made of them, for alerts and calls.

    `clock` and `sleep` are for tests: seconds, and waiting for them unless a control is moved.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        playing: bool = True,
        goal: Goal | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.speed = speed
        self.playing = playing
        self.goal = goal
        self.is_over = False
        """Everything was given out."""
        self.first = 0
        """Index of the first entry of the recording."""
        self.extent = 0
        """Index after its last one."""
        self.index = -1
        """Of the entry given out last; -1 before the first."""
        self.marks: list[int] = []
        """Indexes of the entries at which an alert was raised that was not there before."""
        self._alerts: set[str] = set()
        self._began = self._entry_time = -math.inf
        """Times of the first entry that had one, and of the latest."""
        self._due = math.inf
        self._since: tuple[float, float] | None = None
        """A time of the recording, and when that was by our clock."""
        self._is_met = False
        self._moved = asyncio.Event()
        self._clock = clock
        self._sleep = sleep

    # -- controls

    def play(self) -> None:
        """Go on; from the end there is nowhere to go on to."""
        self._hold_time()
        self.playing = True
        self._moved.set()

    def pause(self) -> None:
        """Stop where it is, also on the way to a goal."""
        self._hold_time()
        self.playing = False
        self.goal = None
        self._moved.set()

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it happened from here on."""
        self._hold_time()
        self.speed = speed
        self._moved.set()

    def go(self, goal: Goal) -> None:
        """Go forward to a goal; what is looked for pauses it there. At the end there is nothing to go to."""
        if self.is_over:
            return
        self._hold_time()
        self.goal = goal
        self._is_met = False
        self._moved.set()

    # -- where it is

    @property
    def is_moving(self) -> bool:
        """Whether more is to come without anybody doing anything."""
        return not self.is_over and (self.playing or self.goal is not None)

    def now(self) -> float:
        """The time at the cursor, by the gateway's clock; 0 before there is one."""
        if self._since is None:
            return 0.0
        recorded, since = self._since
        if self.playing and self.goal is None and not self.is_over and self.speed < math.inf:
            recorded += (self._clock() - since) * self.speed
        return max(min(recorded, self._due), self._entry_time)

    @property
    def share(self) -> float | None:
        """How much of the way from the first entry to the goal is behind, from 0 to 1; None where none can tell."""
        goal = self.goal
        if goal is None or goal.stop is not None:
            return None
        if goal.index >= 0:
            done, whole = float(self.index + 1 - self.first), float(min(goal.index + 1, self.extent) - self.first)
        else:
            done, whole = self._entry_time - self._began, goal.time - self._began
        return min(max(done / whole, 0.0), 1.0) if self.index >= 0 and 0 < whole < math.inf else 0.0

    # -- what gives out the entries

    def begin(self, first: int, extent: int) -> None:
        """Take note of what there is to play."""
        self.first, self.extent = first, extent

    def delay(self, index: int, when: float) -> float:
        """Seconds until an entry may be given out; infinite until a control is moved, or the goal is left behind."""
        self._due = when
        if self.goal is not None:
            return 0.0 if self.goal.covers(index, when) and not self._is_met else math.inf
        if not self.playing:
            return math.inf
        if self._since is None or self.speed == math.inf or when == -math.inf:
            return 0.0
        return max((when - self.now()) / self.speed, 0.0)

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until a control is moved; all that was given out has been taken in by then."""
        if self.goal is not None:
            self._arrive()
            return
        self._moved.clear()
        if seconds == math.inf:
            await self._moved.wait()
        else:
            await self._sleep_or_moved(seconds)

    def gave(self, index: int, when: float) -> None:
        """Take note that an entry is given out."""
        self._entry_time = max(self._entry_time, when)
        if self._began == -math.inf:
            self._began = when
        self.index = max(self.index, index)
        if self._entry_time > -math.inf and (self._since is None or self.goal is not None or self.speed == math.inf):
            self._since = self._entry_time, self._clock()
        if self.goal is not None and self.goal.stop is Stop.ENTRY:
            self._is_met = True

    @property
    def is_looking(self) -> bool:
        """Whether each entry has to be taken in before it is known if another follows."""
        return self.goal is not None and self.goal.stop is not None

    def end(self) -> None:
        """Take note that everything was given out and taken in; a way back from here ends paused."""
        self.goal = None
        self.playing = False
        if self._entry_time > -math.inf:
            self._since = self._entry_time, self._clock()
        self.is_over = True

    def _arrive(self) -> None:
        goal = self.goal
        if goal is None:
            return
        self.goal = None
        if goal.stop is not None:
            self.playing = False
        self._is_met = False
        if self._entry_time > -math.inf:
            self._since = max(goal.time, self._entry_time), self._clock()

    def _hold_time(self) -> None:
        if self._since is not None:
            self._since = self.now(), self._clock()

    async def _sleep_or_moved(self, seconds: float) -> None:
        waits = [asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._moved.wait())]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
            await asyncio.gather(*waits, return_exceptions=True)

    # -- what it hears

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """An entry was taken in."""
        if self.goal is not None and self.goal.stop is Stop.CALL and row.seen.opened:
            self._is_met = True
        self._mark(row.index, raised)

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """A request was judged again."""
        self._mark(row.index, raised)

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Something is wrong with the recording."""
        self._mark(max(self.index, 0), raised)

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """The standing of the recording says nothing about when to go on."""

    def _mark(self, index: int, raised: Sequence[Raised]) -> None:
        new = {alert.id for _, alert in raised} - self._alerts
        if not new:
            return
        if len(self.marks) < MAX_MARKS:
            self._alerts |= new
            self.marks.append(index)
        if self.goal is not None and self.goal.stop is Stop.ALERT:
            self._is_met = True
