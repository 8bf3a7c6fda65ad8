"""Whatever happens to a book, its alerts stay in order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from mcpwatch.detect.book import ACKNOWLEDGED_FOR, AcknowledgeError, AlertBook, StaleAcknowledgement
from mcpwatch.model.alerts import Alert, AlertState, EventKind, Finding, Severity

LIMIT = 4
RULES = ("session/shared", "feed/gap")
findings = st.builds(
    Finding,
    rule=st.sampled_from(RULES),
    severity=st.sampled_from(Severity),
    subject=st.sampled_from("abcdefgh"),
    reason=st.just("because"),
    evidence=st.lists(st.integers(0, 200), max_size=3).map(tuple),
    source=st.sampled_from(["", "gw"]),
    session=st.sampled_from(["", *"stuvwxyz"]),
)


class BookMachine(RuleBasedStateMachine):
    """Findings, acknowledgements and time in any order, beside a plain count of what went in."""

    @initialize()
    def start(self) -> None:
        self.book = AlertBook(limit=LIMIT)
        self.now = 0.0
        self.added = 0
        self.seen: dict[str, set[int]] = {}
        self.worst: dict[str, Severity] = {}

    @rule(finding=findings)
    def add(self, finding: Finding) -> None:
        alert = self.book.add(finding, self.now)
        self.added += 1
        self.seen.setdefault(alert.id, set()).update(finding.evidence)
        self.worst[alert.id] = max(self.worst.get(alert.id, finding.severity), finding.severity)
        assert (alert.rule, alert.source) == (finding.rule, finding.source)
        assert alert.reason == finding.reason

    @rule(data=st.data(), behind=st.integers(-1, 1), note=st.sampled_from(["", "known"]))
    def acknowledge(self, data: st.DataObject, behind: int, note: str) -> None:
        alert = self._any(data)
        if alert is None:
            return
        before = (alert.state, len(alert.history))
        try:
            self.book.acknowledge(alert.id, "ann", note, alert.last_index - behind, self.now)
        except AcknowledgeError as error:
            assert isinstance(error, StaleAcknowledgement) == (behind > 0 and bool(note))
            assert (alert.state, len(alert.history)) == before
        else:
            assert note and behind <= 0
            assert alert.state is AlertState.ACKNOWLEDGED

    @rule(data=st.data())
    def unacknowledge(self, data: st.DataObject) -> None:
        alert = self._any(data)
        if alert is None:
            return
        was = alert.state
        try:
            self.book.unacknowledge(alert.id, "bob", "no", self.now)
        except AcknowledgeError:
            assert was is AlertState.FIRING
        assert alert.state is AlertState.FIRING

    @rule(seconds=st.sampled_from([1.0, ACKNOWLEDGED_FOR / 2, ACKNOWLEDGED_FOR]))
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        resting = [alert for alert in self.book.alerts.values() if alert.acknowledgement]
        due = {alert.id for alert in resting if alert.acknowledgement and alert.acknowledgement.expires <= self.now}
        assert {alert.id for alert in self.book.tick(self.now)} == due

    @invariant()
    def nothing_is_lost(self) -> None:
        alerts = self.book.alerts
        assert sum(alert.count for alert in alerts.values()) == self.added
        assert len(alerts) <= LIMIT + len(RULES) * 2
        for id, alert in alerts.items():
            seen = sorted(self.seen[id])
            assert alert.id == id
            assert alert.evidence == (seen if len(seen) <= 32 else seen[:8] + seen[-24:])
            assert (alert.first_index, alert.last_index) == ((seen[0], seen[-1]) if seen else (-1, -1))
            assert alert.severity is self.worst[id]
            assert alert.first_time <= alert.last_time <= self.now
            assert len(set(alert.sessions)) == len(alert.sessions) <= 16

    @invariant()
    def state_and_history_agree(self) -> None:
        for alert in self.book.alerts.values():
            last = alert.history[-1].kind if alert.history else None
            acknowledged = last is EventKind.ACKNOWLEDGED
            assert (alert.state is AlertState.ACKNOWLEDGED) == acknowledged == (alert.acknowledgement is not None)
            if alert.acknowledgement:
                assert alert.acknowledgement.severity >= alert.severity
                assert alert.acknowledgement.expires > self.now
            assert [event.time for event in alert.history] == sorted(event.time for event in alert.history)

    def _any(self, data: st.DataObject) -> Alert | None:
        alerts = list(self.book.alerts.values())
        return data.draw(st.sampled_from(alerts)) if alerts else None


TestBook = BookMachine.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
