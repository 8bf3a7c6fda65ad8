"""Folding a whole log at once."""

from collections.abc import Mapping

from build import Log
from msgspec import Struct
from verdicts import unsigned

from mcpwatch.model.entries import Entry
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import Call, Observation, Session
from mcpwatch.traffic.fold import Traffic
from mcpwatch.traffic.records import Limits


class Folded(Struct):
    """A log's traffic, and what each entry turned out to mean."""

    traffic: Traffic
    seen: list[Observation]

    @property
    def calls(self) -> list[Call]:
        """All calls, in the order they were opened."""
        return list(self.traffic.calls.values())

    @property
    def sessions(self) -> list[Session]:
        """All sessions, in the order they were opened."""
        return list(self.traffic.sessions.values())

    @property
    def states(self) -> list[str]:
        """What became of each call."""
        return [call.state.value for call in self.calls]

    def at(self, entry: Entry) -> Observation:
        """What that entry turned out to mean."""
        return next(seen for seen in self.seen if seen.index == entry.index)


def fold(log: Log, verdict: Verdict | Mapping[int, Verdict] | None = None, limits: Limits | None = None) -> Folded:
    """Fold a log; `verdict` is that of all requests, or of those at certain indexes, the others being unsigned."""
    traffic = Traffic(limits=limits)
    default = verdict if isinstance(verdict, Verdict) else unsigned()
    chosen = verdict if isinstance(verdict, Mapping) else {}
    return Folded(traffic, [traffic.apply(entry, chosen.get(entry.index, default)) for entry in log.entries])
