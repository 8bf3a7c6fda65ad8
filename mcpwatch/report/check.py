"""Reads feeds to their ends and examines what came of it."""

from collections.abc import Sequence

from mcpwatch.feed.upto import UpTo
from mcpwatch.model.feed import FeedStatus
from mcpwatch.report.report import Report, Terms, examine
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised, State
from mcpwatch.watch.watcher import Watcher

KEYS_S = 15.0
"""Seconds to wait for keys after the last entry; a question to a registry is given up after ten."""


async def check(watcher: Watcher, feeds: Sequence[UpTo], terms: Terms, query: Query = ALL) -> Report:
    """Run a watcher of `feeds` until they end and report; an alert counts where an entry passes that raised it."""
    gathered = Gathered(watcher.state, query)
    await watcher.run(gathered, keys_s=KEYS_S)
    return examine(watcher.state, feeds, terms, gathered.alerts_shown, len(gathered.waiting))


class Gathered:
    """A pipeline's listener that keeps which alerts pass a filter, and which requests wait for a key."""

    def __init__(self, state: State, query: Query) -> None:
        self.alerts_shown: set[str] = set()
        """Ids of alerts that an entry raised which passes, or a feed."""
        self.waiting: set[tuple[str, int]] = set()
        """Source and index."""
        self._state = state
        self._query = query

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """Take note of an entry and of what it raised."""
        if raised and self._query.matches(row, self._state):
            self.alerts(raised)
        if row.verdict is not None and row.verdict.waiting:
            self.waiting.add((row.source, row.index))

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """Take note of an entry that was judged again."""
        self.waiting.discard((row.source, row.index))
        self.entry(row, raised)

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Take note of what was raised; what is wrong with a feed passes every filter."""
        self.alerts_shown.update(alert.id for _, alert in raised)

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """Nothing: the report looks at feeds when they have ended."""
