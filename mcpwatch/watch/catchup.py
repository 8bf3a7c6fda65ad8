"""What was in the log before tail began: how much of it is printed, and when it is over."""

from collections import deque
from collections.abc import Iterable

from mcpwatch.model.alerts import Alert
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.watch.row import Row

_OVER = frozenset({FeedState.REFUSED, FeedState.ENDED})
_COMING = frozenset({FeedState.CONNECTING, FeedState.LIVE, FeedState.GAP})
"""States in which more of the past may be on its way; a log that begins late is in a gap from the start."""


class Held:
    """A row of the past with the alerts it raised."""

    __slots__ = ("alerts", "row")

    def __init__(self, row: Row, alerts: Iterable[Alert]) -> None:
        self.row = row
        self.alerts = list(alerts)


class CatchUp:
    """The past of one source: its entries below the size that the log had when it was joined."""

    def __init__(self, lines: int) -> None:
        """`lines` is how many rows are kept; the newest are."""
        self.is_over = False
        self.rows: deque[Held] = deque(maxlen=lines)
        self.alerts: dict[str, Alert] = {}
        """Alerts raised by rows that were not kept because they were printed at once."""
        self._size: int | None = None

    def hear(self, status: FeedStatus) -> bool:
        """Learn where the past ends; True when there is none, or no more of it comes."""
        if self._size is None:
            self._size = status.announced
        unknown = self._size is None and status.state is not FeedState.CONNECTING
        nothing = self._size is not None and status.received == 0 and status.next_index >= self._size
        self.is_over = unknown or nothing or status.state in _OVER
        return self.is_over

    def passed(self, index: int) -> bool:
        """Take note of how far the entries have come; True when that was the last of the past."""
        self.is_over = self._size is not None and index >= self._size - 1
        return self.is_over

    def find(self, row: Row) -> Held | None:
        """What is kept of a row."""
        return next((held for held in self.rows if held.row is row), None)


def is_caught_up(status: FeedStatus) -> bool:
    """Whether what a feed had before it was joined has been given out, or does not come any more."""
    if status.announced is not None and status.next_index >= status.announced:
        return True
    return status.state not in _COMING
