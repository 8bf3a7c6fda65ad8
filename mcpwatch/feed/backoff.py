"""How long to wait before the next attempt: exponential, with full jitter."""

from collections.abc import Callable

BASE = 0.5
CAP = 30.0
RETRY_FLOOR_MS, RETRY_CEILING_MS = 100, 60_000
MAX_RETRY_AFTER = 300.0


class Backoff:
    """Delays in seconds; `random` gives numbers from 0 up to 1."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._attempt = 0
        self._floor = 0.0

    def reset(self) -> None:
        """The feed has proven itself: begin from the shortest delay again."""
        self._attempt = 0

    def heed(self, retry: int | None) -> None:
        """Take the stream's `retry:`, milliseconds, as the shortest delay, within bounds."""
        if retry is not None:
            self._floor = min(max(retry, RETRY_FLOOR_MS), RETRY_CEILING_MS) / 1000

    def next(self, retry_after: float = 0.0) -> float:
        """The next delay, not shorter than the other end asked for with Retry-After, up to 5 minutes."""
        widest = min(CAP, BASE * (1 << min(self._attempt, 16)))
        self._attempt += 1
        return max(self._random() * widest, self._floor, min(retry_after, MAX_RETRY_AFTER))
