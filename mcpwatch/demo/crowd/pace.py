"""When the next call is due, so that there are so many a second, evenly."""

import asyncio
import time
from collections.abc import Callable

MOST_BEHIND_S = 0.5
"""What is further behind is not made up for: a crowd that caught up would come in bursts."""


class Pace:
    """Hands out turns; `rate` is turns a second."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._step = 1 / rate
        self._clock = clock
        self._due = clock()
        self.turns = 0
        """Handed out so far."""

    async def turn(self) -> None:
        """Wait until the next turn."""
        self._due = max(self._due + self._step, self._clock() - MOST_BEHIND_S)
        await asyncio.sleep(max(self._due - self._clock(), 0))
        self.turns += 1
