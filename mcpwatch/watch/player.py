"""A recording under a transport, also backwards: what is watched is made anew, from the start up to the place."""

import asyncio
import bisect
import math
from collections.abc import Callable

from mcpwatch.tasks import cancel
from mcpwatch.watch.transport import SPEEDS, Goal, Stop, Transport
from mcpwatch.watch.watcher import Watcher

SKIP_S = 10.0
"""Seconds of the recording that a skip goes over."""


class Player:
    """`watcher` is what has been played so far, and `transport` moves it.

    `open` makes a watcher that a transport feeds; for each way back there is another, which `take` puts in the place
    of the one before once it has arrived. `fresh` makes the transports. Raises as `open` does.
    """

    def __init__(
        self,
        open: Callable[[Transport], Watcher],
        transport: Transport,
        fresh: Callable[[Goal, float], Transport] = lambda goal, speed: Transport(
            goal=goal, speed=speed, playing=False
        ),
    ) -> None:
        self._open = open
        self._fresh = fresh
        self.transport = transport
        self.watcher = open(transport)
        self.coming: tuple[Transport, Watcher] | None = None
        """On the way back to a place."""
        self._plays_on = False
        self._marks: set[int] = set()
        """Alerts that are known from before a way back."""
        self._runs: dict[Transport, asyncio.Task[None]] = {}
        self._failed: asyncio.Future[None] | None = None

    async def run(self) -> None:
        """Play until it is cancelled; raises what ends a watcher."""
        self._failed = asyncio.get_running_loop().create_future()
        self._start(self.transport, self.watcher)
        if self.coming is not None:
            self._start(*self.coming)
        try:
            await self._failed
        finally:
            await cancel(*self._runs.values())

    async def close(self) -> None:
        """Close what is open; after `run`."""
        await self._drop_coming()
        await self.watcher.close()

    # -- controls

    def toggle(self) -> None:
        """Play, or pause; a way back is given up."""
        if self.coming is not None:
            self._plays_on = not self._plays_on
        elif self.transport.is_moving:
            self.transport.pause()
        else:
            self.transport.play()

    @property
    def plays(self) -> bool:
        """Whether it plays, or will when it has arrived."""
        return self._plays_on if self.coming is not None else self.transport.playing

    @property
    def marks(self) -> set[int]:
        """Indexes of the entries at which alerts were raised, as far as it was ever played."""
        return self._marks.union(self.transport.marks)

    @property
    def speed(self) -> float:
        """Times as fast as it happened."""
        return self.transport.speed

    def set_speed(self, speed: float) -> None:
        """Play so many times as fast as it happened."""
        for transport in self._transports():
            transport.set_speed(speed)

    def change_speed(self, step: int) -> None:
        """To a faster (1) or slower (-1) one of the table."""
        at = bisect.bisect_left(SPEEDS, self.speed)
        if step > 0 and SPEEDS[min(at, len(SPEEDS) - 1)] == self.speed:
            at += 1
        at = at if step > 0 else at - 1
        self.set_speed(SPEEDS[min(max(at, 0), len(SPEEDS) - 1)])

    @property
    def time(self) -> float:
        """The time at the cursor, or where it is on the way back to; by the gateway's clock."""
        return self._place()[1]

    @property
    def index(self) -> int:
        """The entry at the cursor, or where it is on the way back to."""
        return self._place()[0]

    def _place(self) -> tuple[int, float]:
        if self.coming is None:
            return self.transport.index, self.transport.now()
        coming, held = self.coming[0], reversed(self.watcher.state.rows)
        goal = coming.goal
        if goal is None:
            return coming.index, coming.now()
        if goal.index >= 0:
            row = next((row for row in held if row.index <= goal.index), None)
            return goal.index, row.time if row is not None else self.transport.now()
        row = next((row for row in held if row.time <= goal.time), None)
        return row.index if row is not None else self.transport.index, goal.time

    def step(self, stop: Stop) -> None:
        """Forward to the next entry, call or alert, and pause."""
        if self.coming is None:
            self.transport.pause()
            self.transport.go(Goal(stop=stop))

    async def seek(self, goal: Goal) -> None:
        """To an entry or a time, with what plays playing on; raises as `open` does where that is back."""
        plays = self.plays
        await self._drop_coming()
        transport = self.transport
        if goal.index >= transport.index if goal.time == -math.inf else goal.time >= transport.now():
            if plays and not transport.playing:
                transport.play()
            transport.go(goal)
            return
        transport.pause()
        coming = self._fresh(goal, transport.speed)
        self.coming = coming, self._open(coming)
        self._plays_on = plays
        if self._failed is not None:
            self._start(*self.coming)

    # -- the way back

    @property
    def has_arrived(self) -> bool:
        """Whether the way back is over and `take` may be called."""
        return self.coming is not None and (self.coming[0].goal is None or self.coming[0].is_over)

    async def take(self) -> Watcher:
        """Put what arrived in the place of what was watched, which is closed; returns it."""
        if self.coming is None:
            return self.watcher
        before = self.transport, self.watcher
        self._marks.update(self.transport.marks)
        (self.transport, self.watcher), self.coming = self.coming, None
        await self._end(*before)
        if self._plays_on:
            self.transport.play()
        return self.watcher

    def _transports(self) -> list[Transport]:
        return [self.transport] if self.coming is None else [self.transport, self.coming[0]]

    async def _drop_coming(self) -> None:
        if self.coming is not None:
            dropped, self.coming = self.coming, None
            await self._end(*dropped)

    def _start(self, transport: Transport, watcher: Watcher) -> None:
        run = asyncio.get_running_loop().create_task(watcher.run(transport))
        self._runs[transport] = run
        run.add_done_callback(self._ended)

    def _ended(self, run: asyncio.Task[None]) -> None:
        if run.cancelled() or (error := run.exception()) is None:
            return
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    async def _end(self, transport: Transport, watcher: Watcher) -> None:
        run = self._runs.pop(transport, None)
        if run is not None:
            await cancel(run)
        await watcher.close()
