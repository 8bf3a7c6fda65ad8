"""How many messages a minute."""

from collections import deque

MINUTE_S = 60.0


class Pace:
    """At most `limit` messages in any minute; times are seconds on any clock that runs forward."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sent: deque[float] = deque()

    def free(self, now: float) -> int:
        """How many may go out now."""
        while self._sent and now - self._sent[0] >= MINUTE_S:
            self._sent.popleft()
        return self._limit - len(self._sent)

    def take(self, now: float) -> None:
        """One goes out."""
        self._sent.append(now)

    def wait(self, now: float) -> float:
        """Seconds until one may go out."""
        return 0.0 if self.free(now) > 0 else MINUTE_S - (now - self._sent[0])
