"""Which feeds show one log: a feed and its recording hold the same requests, which are no replays of each other."""

from collections.abc import Mapping

from mcpwatch.model.feed import FeedStatus


class OneLog:
    """By what name a feed's log goes where requests are compared: that of the first feed that showed it."""

    def __init__(self, feeds: Mapping[str, FeedStatus]) -> None:
        self._feeds = feeds
        self._first: dict[str, str] = {}

    def of(self, source: str) -> str:
        """The name; a feed whose log is not known, or that has none, goes by its own."""
        status = self._feeds.get(source)
        return self._first.setdefault(status.key, source) if status is not None and status.key else source
