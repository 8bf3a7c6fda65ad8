"""What a running gateway counts of itself, for whoever asks how it does."""

from bisect import bisect_left
from collections import Counter
from itertools import accumulate

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
"""Seconds."""


class Calls:
    """Exchanges with agents."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.begun = 0
        self.refused: Counter[int] = Counter()
        """By the HTTP status of the gateway's own answer."""


class Times:
    """How long something took, each time; one thread adds, any may read."""

    def __init__(self) -> None:
        self.newest = 0.0
        self.total = 0.0
        self._counts = [0] * (len(BOUNDS) + 1)

    def add(self, seconds: float) -> None:
        self.newest = seconds
        self.total += seconds
        self._counts[bisect_left(BOUNDS, seconds)] += 1

    def buckets(self) -> list[tuple[str, float]]:
        """For each bound, and for none, how many took no longer."""
        return list(zip([*map(str, BOUNDS), "+Inf"], map(float, accumulate(self._counts)), strict=True))
