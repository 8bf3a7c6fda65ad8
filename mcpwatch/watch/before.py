"""Which alerts were there before their feed was live: what a log held when it was first joined is no news."""

from math import inf

from mcpwatch.model.alerts import Alert
from mcpwatch.model.feed import FeedState
from mcpwatch.watch.state import State

SETTLE_S = 2.0
"""Seconds after which what a log held was not only read but looked through, keys that were asked for included."""
_OVER = frozenset({FeedState.REFUSED, FeedState.ENDED, FeedState.BROKEN, FeedState.ROLLBACK})
"""States in which no more of the past comes."""
_UNJOINED = frozenset({FeedState.CONNECTING, FeedState.DISCONNECTED, FeedState.REFUSED})
"""States of a feed that may have a log, though it did not say how long that is."""


class Before:
    """Follows each feed through its first catch-up; a feed without a log has none."""

    def __init__(self) -> None:
        self._sizes: dict[str, float] = {}
        """By feed the size of the log when it was first joined; 0 once all of that was looked through."""
        self._read_at: dict[str, float] = {}

    def look(self, state: State, now: float) -> bool:
        """Learn how far the feeds are, `now` in monotonic seconds; whether the past of one ended with this look."""
        ended = False
        for name, status in state.feeds.items():
            if status.announced is None:
                self._sizes.setdefault(name, inf if status.state in _UNJOINED else 0)
                continue
            size = self._sizes.get(name, inf)
            if size == inf:
                size = self._sizes[name] = status.announced
            is_read = status.next_index >= size or status.state in _OVER
            if size and is_read and now - self._read_at.setdefault(name, now) >= SETTLE_S:
                self._sizes[name] = 0
                ended = True
        return ended

    def has(self, alert: Alert) -> bool:
        """Whether all that shows an alert was in its feed's log before that was live."""
        return bool(alert.evidence) and alert.last_index < self._sizes.get(alert.source, 0)
