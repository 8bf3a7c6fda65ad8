"""How busy something was over its time, in few numbers: finer while it is young, and an hour back at most."""

from collections.abc import Iterable

WIDTHS = (1, 5, 15, 60)
"""Seconds of a stretch; each divides the next."""
STRETCHES = 30
"""How many are kept unless more are asked for; half an hour of the widest."""


class Trend:
    """Events in stretches that begin at multiples of their width, by the gateway's clock.

    When there are too many stretches they become wider, and of the widest the oldest leave.
    """

    __slots__ = ("_counts", "_kept", "_width")

    def __init__(self, times: Iterable[float] = (), kept: int = STRETCHES) -> None:
        self._width = WIDTHS[0]
        self._kept = kept
        self._counts: dict[int, int] = {}
        """By number of the stretch since the epoch; those without events are left out."""
        for time in times:
            self.add(time)

    def add(self, time: float) -> None:
        """Take in an event; one from before all stretches that are kept is dropped."""
        at = int(time // self._width)
        if at in self._counts:
            self._counts[at] += 1
            return
        self._counts[at] = 1
        while len(self._counts) > 1 and max(self._counts) - min(self._counts) >= self._kept:
            self._make_room()

    def take_back(self, time: float) -> None:
        """Take an event back that was taken in, where its stretch is still kept."""
        at = int(time // self._width)
        left = self._counts.get(at, 0) - 1
        if left > 0:
            self._counts[at] = left
        else:
            self._counts.pop(at, None)

    def series(self, now: float, number: int) -> tuple[int, list[int]]:
        """Seconds of a stretch, and events in the last stretches up to now, at most `number`, oldest first.

        They begin with the first event that is known where that fits; without events there is no stretch.
        """
        if not self._counts:
            return self._width, []
        first, latest = min(self._counts) * self._width, max(max(self._counts) * self._width, now)
        fits = (each for each in WIDTHS if each >= self._width and latest // each - first // each < number)
        width = next(fits, WIDTHS[-1])
        newest = int(latest // width)
        begin = max(first // width, newest - number + 1)
        counts = [0] * (newest - begin + 1)
        for at, count in self._counts.items():
            place = at * self._width // width - begin
            if place >= 0:
                counts[place] += count
        return width, counts

    def _make_room(self) -> None:
        wider = next((each for each in WIDTHS if each > self._width), None)
        if wider is None:
            oldest = max(self._counts) - self._kept + 1
            self._counts = {at: count for at, count in self._counts.items() if at >= oldest}
            return
        merged: dict[int, int] = {}
        for at, count in self._counts.items():
            place = at * self._width // wider
            merged[place] = merged.get(place, 0) + count
        self._counts, self._width = merged, wider
