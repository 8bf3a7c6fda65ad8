"""What the rules make of what is seen, as alerts in the book; what takes it back, or is done about it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from msgspec import structs

from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.engine import Engine
from mcpwatch.model.entries import AlertActed, Entry
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.traffic import Observation
from mcpwatch.watch.operators import ANYBODY, Operators
from mcpwatch.watch.read_acts import act_in_log
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised


class Standing(NamedTuple):
    """What a change of a feed's standing came to."""

    raised: list[Raised]
    mended: bool
    """Whether it ended an alert."""


class Alerting:
    """The engine with the book that its findings go into; `clock` is the watcher's, and `operators` may act."""

    def __init__(
        self, engine: Engine, book: AlertBook, clock: Callable[[], float], operators: Operators = ANYBODY
    ) -> None:
        self._engine = engine
        self._book = book
        self._clock = clock
        self._operators = operators
        self._keys: dict[str, str] = {}
        """A log's origin -> its verifier key."""

    @property
    def rule_failures(self) -> int:
        """How often a rule failed."""
        return sum(failure.count for failure in self._engine.failures.values())

    def observe(self, seen: Observation, held: float | None = None) -> list[Raised]:
        """What is wrong with an entry; `held` is since when it was here, where it is judged again."""
        found = self._engine.observe(seen)
        return [(finding, self._book.add(finding, seen.time, held=held)) for finding in found] if found else []

    def observe_feed(self, before: FeedStatus | None, after: FeedStatus) -> Standing:
        """What is wrong with the way a feed's standing changed, and what is so no more."""
        self._know(after)
        before = before or FeedStatus(after.name, after.address)
        now = self._clock()
        found = self._engine.observe_feed(before, after)
        raised = [(finding, self._book.add(finding, now, live=True)) for finding in found]
        over = [self._book.mend(rule, after, why, now) for rule, why in self._engine.mended(before, after)]
        return Standing(raised, any(over))

    def _know(self, feed: FeedStatus) -> None:
        """Take note of whose log a feed is; of two with different keys that go by one name, the first is believed."""
        if not feed.origin or self._book.origins.get(feed.name) == feed.origin:
            return
        if self._keys.setdefault(feed.origin, feed.key) == feed.key:
            self._book.origins[feed.name] = feed.origin

    def settle(self, row: Row, raised: Sequence[Raised]) -> bool:
        """Let the alerts that an entry was evidence for, and is no more under its new verdict, know of that."""
        still = {alert.id for _, alert in raised}
        over = [self._book.settle(id, row.index, self._clock()) for id in row.alerts if id not in still]
        return any(over)

    def act(self, acted: AlertActed, entry: Entry, seen: Observation) -> Observation:
        """Let an act in the log count for what it is worth; the observation says why where it does not."""
        act = act_in_log(acted, self._book.origin(entry.source), entry.index, seen.time, self._operators)
        self._book.take([act])
        fault = act.event.fault
        return structs.replace(seen, note=f"{seen.note} (does not count: {fault})") if fault else seen

    def tick(self, now: float) -> bool:
        """Let time pass; whether an alert changed with it."""
        return bool(self._book.tick(now))
