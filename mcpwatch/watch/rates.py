"""How much happens: counts by second over the last minutes."""

SECONDS = 600


class Rate:
    """Events in each of the last ten minutes' seconds, by the clock that the caller passes."""

    def __init__(self) -> None:
        self._counts = [0] * SECONDS
        self._newest = 0

    def add(self, now: float, count: int = 1) -> None:
        """Count events at `now`; what lies more than ten minutes back is dropped."""
        second = int(now)
        if second != self._newest:
            self._advance(now)
        if second > self._newest - SECONDS:
            self._counts[second % SECONDS] += count

    def series(self, now: float, wide: int = 1, number: int = 60) -> list[int]:
        """Events in each of the last `number` stretches of `wide` seconds, oldest first; the last is unfinished.

        Stretches begin at multiples of `wide`, so that none changes once it is over.
        """
        self._advance(now)
        first = (self._newest // wide - number + 1) * wide
        held = max(first, self._newest - SECONDS + 1)
        counts = [0] * number
        for second in range(held, self._newest + 1):
            counts[(second - first) // wide] += self._counts[second % SECONDS]
        return counts

    def per_second(self, now: float, span: int = 5) -> float:
        """Mean over the last `span` whole seconds."""
        return sum(self.series(now, number=span + 1)[:-1]) / span

    def _advance(self, now: float) -> None:
        second = int(now)
        if second > self._newest:
            for passed in range(max(self._newest + 1, second - SECONDS + 1), second + 1):
                self._counts[passed % SECONDS] = 0
            self._newest = second
