"""The whole as of now: one `apply`, one version number."""

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import structs

from mcpwatch.model.alerts import Alert, AlertState, Finding, Severity
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import ServerProof
from mcpwatch.model.tools import Tool, ToolKey
from mcpwatch.model.traffic import Call, Observation, Session, SessionKey
from mcpwatch.watch.clock import GatewayClock
from mcpwatch.watch.counts import Counts
from mcpwatch.watch.identities import Identities
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.marks import Marks
from mcpwatch.watch.pinned import Pinned
from mcpwatch.watch.policy_watch import PolicyStanding
from mcpwatch.watch.rates import Rate
from mcpwatch.watch.ring import MAX_BYTES, MAX_ROWS, Ring
from mcpwatch.watch.row import Row
from mcpwatch.watch.signer_names import SignerNames

Raised = tuple[Finding, Alert]
"""A finding and the alert it went into."""

K = TypeVar("K")
V = TypeVar("V")

MAX_CALLS = 20_000
MAX_SESSIONS = 20_000
MAX_TOOLS = 20_000
MAX_TOUCHES = 20_000
MAX_ALERTS_OF_ROW = 32


class State:
    """Everything a screen or tail reads; only the pipeline writes it.

    `version` grows with every change, so a reader that saw the same number need not look again. `touched` tells
    which rows changed after they were added.
    """

    def __init__(
        self, alerts: Mapping[str, Alert] | None = None, *, max_rows: int = MAX_ROWS, max_bytes: int = MAX_BYTES
    ) -> None:
        self.version = 0
        self.now = 0.0
        """The watcher's clock as of the last change or tick, seconds since the epoch."""
        self.rows = Ring(max_rows, max_bytes)
        self.evicted = 0
        self.counts = Counts()
        self.entry_rate = Rate()
        self.alert_rate = Rate()
        """Findings a second."""
        self.sessions: dict[SessionKey, Session] = {}
        self.calls: dict[str, Call] = {}
        self.tools: dict[ToolKey, Tool] = {}
        self.alerts: Mapping[str, Alert] = {} if alerts is None else alerts
        self.feeds: dict[str, FeedStatus] = {}
        self.pinned = Pinned()
        """Evidence of alerts that the ring no longer holds."""
        self.marks = Marks(self._changed)
        self.policy = PolicyStanding()
        self.alert_changes = 0
        """How often the state of some alert changed."""
        self.touches = 0
        """How often a row changed after it was added."""
        self._touched: deque[int] = deque(maxlen=MAX_TOUCHES)
        self._alert_states: dict[str, AlertState] = {}
        self._identities = Identities()
        self._clocks: dict[str, GatewayClock] = {}

    @property
    def identities(self) -> dict[str, Identity]:
        """Signer ids of requests, verified or claimed."""
        return self._identities.all

    @property
    def servers(self) -> dict[str, Identity]:
        """Signer ids of answers, verified or claimed."""
        return self._identities.servers

    @property
    def names(self) -> SignerNames:
        """Who goes by which name."""
        return self._identities.names

    def apply(self, entry: Entry, seen: Observation, raised: Sequence[Raised] = ()) -> Row:
        """Take in one entry with its meaning and with what is wrong about it."""
        self.version += 1
        source, kind, time = entry.source, seen.kind, seen.time
        row = Row(self.rows.end, entry.index, source, time, entry, seen)
        counts = self.counts
        counts.entries += 1
        counts.kinds[kind] += 1
        counts.sources[source] += 1
        clock = self._clock(source)
        clock.note(time, entry.received)
        happened = entry.received - self._age(entry, time, clock)
        self.entry_rate.add(happened)
        self._index(seen)
        for old in self.rows.append(row):
            self.evicted += 1
            self.pinned.offer(old, self.alerts)
            self.marks.let_go(old)
        if kind == "request":
            if seen.verdict is not None:
                counts.words[seen.verdict.word] += 1
            self._identities.observe(row)
        else:
            self._touch_request(seen)
        if seen.proof is not None:
            self._identities.answered(row, seen.proof)
        if raised:
            self._mark(raised, happened)
        return row

    def rejudge(self, seen: Observation) -> Row | None:
        """Put the meaning of a request in place of an earlier one; None when its row is gone."""
        row = self.row(seen.index, seen.source)
        if row is None:
            return None
        self.version += 1
        before = row.verdict
        if before is not None:
            self.counts.words[before.word] -= 1
        if seen.verdict is not None:
            self.counts.words[seen.verdict.word] += 1
        moved = seen.session is not row.seen.session
        row.seen = structs.replace(row.seen, verdict=seen.verdict, session=seen.session, rebound=seen.rebound)
        if moved:
            self._move(row)
        self._index(seen)
        self._identities.rejudge(row, before)
        self._touch(row.seq)
        return row

    def prove(self, index: int, source: str, proof: ServerProof) -> Row | None:
        """Put what an answer proves in place of what it was held to prove before; None when its row is gone."""
        row = self.row(index, source)
        if row is None:
            return None
        self.version += 1
        before = row.seen.proof
        row.seen = structs.replace(row.seen, proof=proof)
        self._identities.answered(row, proof, before)
        self._touch(row.seq)
        return row

    def raise_alerts(self, raised: Sequence[Raised], now: float) -> None:
        """Take in what is wrong with a feed, or was found late."""
        self.version += 1
        self._mark(raised, now)

    def touch_calls(self, calls: Iterable[Call]) -> None:
        """Take note that calls changed without an entry: time gave them up."""
        for call in calls:
            self.version += 1
            self._touch_entry(call.source, call.index)

    def set_feed(self, status: FeedStatus) -> None:
        """Take in how a feed stands."""
        self.version += 1
        self.feeds[status.name] = status
        checkpoint = status.checkpoint
        if checkpoint is not None and checkpoint.time is not None and status.last_checkpoint_at is not None:
            self._clock(status.name).note(checkpoint.time, status.last_checkpoint_at)

    def advance(self, now: float) -> None:
        """Move the watcher's clock, which running times and ages are read against."""
        self.now = max(self.now, now)

    def set_policy(self, standing: PolicyStanding) -> None:
        """Take note of how the policy stands."""
        self.version += 1
        self.policy = standing

    def alerts_changed(self) -> None:
        """Take note that alerts were acknowledged, un-acknowledged, or fire again because time ran out."""
        self.version += 1
        self.alert_changes += 1
        self.pinned.sweep(self.alerts)

    def gateway_now(self, source: str) -> float:
        """The present by the clock of that feed's gateway, as well as its entries and checkpoints tell."""
        clock = self._clocks.get(source)
        return self.now if clock is None else clock.at(self.now)

    def row(self, index: int, source: str = "") -> Row | None:
        """The row of one log entry, if it is in the ring or pinned as evidence."""
        return self.rows.find(source, index) or self.pinned.find(source, index)

    def rows_of_call(self, call: Call) -> list[Row]:
        """The rows of a call that are still held, oldest first."""
        rows = (self.row(index, call.source) for index in call.entries)
        return [row for row in rows if row is not None]

    def rows_of_alert(self, alert: Alert) -> list[Row]:
        """The rows an alert rests on, oldest first; all its evidence that was ever received and not released."""
        rows = (self.row(index, alert.source) for index in alert.evidence)
        return [row for row in rows if row is not None]

    def open_alerts(self) -> Counter[Severity]:
        """Alerts that fire and nobody acknowledged, by severity."""
        return Counter(alert.severity for alert in self.alerts.values() if alert.state is AlertState.FIRING)

    def touched_since(self, touches: int) -> set[int] | None:
        """`seq` of rows that changed after `touches` was read; None when that is too long ago to tell."""
        new = self.touches - touches
        if new > len(self._touched):
            return None
        return {self._touched[-1 - step] for step in range(new)}

    def _age(self, entry: Entry, time: float, clock: GatewayClock) -> float:
        """How old an entry was as it came: what a log kept for us is no traffic of the moment."""
        feed = self.feeds.get(entry.source)
        # A log that is read from its past states past times; until it has caught up, its clock is taken to be ours.
        caught_up = feed is not None and feed.announced is not None and entry.index >= feed.announced
        age = (clock.at(entry.received) if caught_up else entry.received) - time
        return age if age > 0.0 else 0.0

    def _clock(self, source: str) -> GatewayClock:
        clock = self._clocks.get(source)
        if clock is None:
            clock = self._clocks[source] = GatewayClock()
        return clock

    def _index(self, seen: Observation) -> None:
        session = seen.session
        if session is not None:
            _put(self.sessions, (seen.source, session.key), session, MAX_SESSIONS)
        for gone in seen.gone:
            if self.sessions.get((seen.source, gone.key)) is gone:
                del self.sessions[seen.source, gone.key]
        for call in seen.opened:
            _put(self.calls, call.id, call, MAX_CALLS)
        for change in seen.tools:
            _put(self.tools, change.tool.key, change.tool, MAX_TOOLS)

    def _touch_request(self, seen: Observation) -> None:
        for call in seen.updated:
            self._touch_entry(seen.source, call.index)
        if seen.exchange is not None and seen.kind != "message":
            self._touch_entry(seen.source, seen.exchange.index)

    def _move(self, asked: Row) -> None:
        """Let what came of a request be in the session that the request turned out to be in."""
        exchange = asked.seen.exchange
        for index in {index for call in (exchange.calls if exchange is not None else ()) for index in call.entries}:
            row = self.row(index, asked.source)
            if row is not None and row.seen.exchange is exchange and row.seen.session is not asked.seen.session:
                row.seen = structs.replace(row.seen, session=asked.seen.session)
                self._touch(row.seq)

    def _mark(self, raised: Iterable[Raised], now: float) -> None:
        for finding, alert in raised:
            self.counts.findings += 1
            self.alert_rate.add(now)
            if self._alert_states.get(alert.id, alert.state) is not alert.state:
                self.alert_changes += 1
            self._alert_states[alert.id] = alert.state
            newest = finding.newest
            for index in finding.evidence:
                row = self.row(index, finding.source)
                if row is None:
                    continue
                if index == newest:
                    # The rest is what it is compared with: the original of a replay is nothing bad.
                    row.severity = max(row.severity or finding.severity, finding.severity)
                if alert.id not in row.alerts and len(row.alerts) < MAX_ALERTS_OF_ROW:
                    row.alerts = (*row.alerts, alert.id)
                self._identities.alert(row, alert.id)
                self._touch(row.seq)

    def _touch_entry(self, source: str, index: int) -> None:
        row = self.rows.find(source, index)
        if row is not None:
            self._touch(row.seq)

    def _changed(self, seq: int) -> None:
        self.version += 1
        self._touch(seq)

    def _touch(self, seq: int) -> None:
        self.touches += 1
        self._touched.append(seq)


def _put(table: dict[K, V], key: K, value: V, limit: int) -> None:
    if key not in table and len(table) >= limit:
        del table[next(iter(table))]
    table[key] = value
