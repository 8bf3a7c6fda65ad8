"""When the registry does not answer as it is asked to: too many requests, and an outage that an agent arranged."""

import time
from collections import Counter
from collections.abc import Callable
from math import ceil

from msgspec import Struct

WINDOW_S = 60
PER_WINDOW = 120


class Allowance(Struct, frozen=True):
    """What one client still has in this minute."""

    limit: int
    remaining: int
    reset: int
    """Seconds since the epoch."""
    wait: int
    """Seconds until it is answered again; 0 while it is."""

    @property
    def headers(self) -> dict[str, str]:
        fields = {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": str(self.reset),
        }
        return fields | ({"Retry-After": str(self.wait)} if self.wait else {})


class RateLimit:
    """So many requests a minute from one address."""

    def __init__(self, limit: int = PER_WINDOW, clock: Callable[[], float] = time.time) -> None:
        self._limit = limit
        self._clock = clock
        self._start = 0
        self._count: Counter[str] = Counter()

    def take(self, client: str) -> Allowance:
        """Count a request."""
        now = int(self._clock())
        start = now - now % WINDOW_S
        if start != self._start:
            self._start = start
            self._count.clear()
        self._count[client] += 1
        left = self._limit - self._count[client]
        return Allowance(self._limit, max(left, 0), start + WINDOW_S, 0 if left >= 0 else start + WINDOW_S - now)


class Outage:
    """A time in which nobody is answered: some seconds, and until somebody has asked for one identity in vain."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until = float("-inf")
        self._awaited = ""

    def begin(self, seconds: float, did: str) -> None:
        self._until, self._awaited = self._clock() + seconds, did

    def wait(self, did: str) -> int:
        """Seconds until the next request may be answered, 0 while it is up; `did` is whose key this one asks for."""
        left = self._until - self._clock()
        down = bool(self._awaited) or left > 0
        if did == self._awaited:
            self._awaited = ""
        return max(ceil(left), 1) if down else 0
