"""How much happens: counts by second over the last minute."""

SECONDS = 60


class Rate:
    """Events in each of the last 60 seconds, by the clock that the caller passes."""

    def __init__(self) -> None:
        self._counts = [0] * SECONDS
        self._newest = 0

    def add(self, now: float, count: int = 1) -> None:
        """Count events at `now`; what lies more than a minute back is dropped."""
        second = int(now)
        if second != self._newest:
            self._advance(now)
        if second > self._newest - SECONDS:
            self._counts[second % SECONDS] += count

    def series(self, now: float) -> list[int]:
        """Events in each second, oldest first; the last is the current, unfinished second."""
        self._advance(now)
        start = self._newest + 1
        return [self._counts[(start + step) % SECONDS] for step in range(SECONDS)]

    def per_second(self, now: float, span: int = 5) -> float:
        """Mean over the last `span` whole seconds."""
        return sum(self.series(now)[-1 - span : -1]) / span

    def _advance(self, now: float) -> None:
        second = int(now)
        if second > self._newest:
            for passed in range(max(self._newest + 1, second - SECONDS + 1), second + 1):
                self._counts[passed % SECONDS] = 0
            self._newest = second
