"""Whatever happens to a book, its alerts stay in order."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from people import acknowledge, act, resolve, silence, unacknowledge, unsilence

from mcpwatch.detect.act_checks import ActError, StaleAct
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.life import ACKNOWLEDGED_FOR
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
    who=st.sampled_from(["", "alice", "bob"]),
)
lasting = st.sampled_from([1.0, ACKNOWLEDGED_FOR / 2, ACKNOWLEDGED_FOR, 7 * 86_400.0])
OF_SILENCES = {EventKind.SILENCED, EventKind.UNSILENCED}


class BookMachine(RuleBasedStateMachine):
    """Findings, acts of people and time in any order, beside a plain count of what went in."""

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

    @rule(data=st.data(), behind=st.integers(-1, 1), note=st.sampled_from(["", "known"]), done=st.booleans())
    def acknowledge_or_resolve(self, data: st.DataObject, behind: int, note: str, done: bool) -> None:
        alert = self._any(data)
        if alert is None:
            return
        before = (alert.state, len(alert.history))
        does = resolve if done else acknowledge
        try:
            does(self.book, alert.id, "ann", note, alert.last_index - behind, self.now)
        except ActError as error:
            if note and before[0] is not AlertState.RESOLVED:
                assert isinstance(error, StaleAct) and behind > 0
            assert (alert.state, len(alert.history)) == before
        else:
            assert note and behind <= 0 and before[0] is not AlertState.RESOLVED
            assert alert.state is self._rests(alert, AlertState.RESOLVED if done else AlertState.ACKNOWLEDGED)

    @rule(data=st.data())
    def unacknowledge(self, data: st.DataObject) -> None:
        alert = self._any(data)
        if alert is None:
            return
        was = alert.state, alert.acknowledgement
        try:
            unacknowledge(self.book, alert.id, "bob", "no", self.now)
        except ActError:
            assert was[0] is not AlertState.RESOLVED and was[1] is None
        assert alert.state is self._rests(alert, AlertState.FIRING)

    @rule(glob=st.sampled_from(["*", "session/*", "feed/*"]), subject=st.sampled_from("*abc"), lasts=lasting)
    def silence(self, glob: str, subject: str, lasts: float) -> None:
        try:
            silence(self.book, self.now, rule=glob, subject=subject, lasts=lasts)
        except ActError:
            assert glob == "feed/*"

    @rule(data=st.data())
    def unsilence(self, data: st.DataObject) -> None:
        if self.book.silences:
            unsilence(self.book, data.draw(st.sampled_from(list(self.book.silences.values()))), self.now)

    @rule(data=st.data(), kind=st.sampled_from([EventKind.ACKNOWLEDGED, EventKind.RESOLVED]))
    def forge(self, data: st.DataObject, kind: EventKind) -> None:
        alert = self._any(data)
        if alert is None:
            return
        before = alert.state
        self.book.take([act(kind, alert.id, "eve", "all well", self.now, alert.last_index, fault="forged")])
        assert alert.state is before

    @rule(seconds=lasting)
    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        resting = [alert for alert in self.book.alerts.values() if alert.acknowledgement]
        due = {alert.id for alert in resting if alert.acknowledgement and alert.acknowledgement.expires <= self.now}
        due |= {id for id, alert in self.book.alerts.items() if alert.silence and alert.silence.until <= self.now}
        assert due <= {alert.id for alert in self.book.tick(self.now)}

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
    def state_follows_from_what_is_in_force(self) -> None:
        for alert in self.book.alerts.values():
            said = [each for each in alert.history if not each.fault and each.kind not in OF_SILENCES]
            last = said[-1].kind if said else None
            if last is EventKind.EXPIRED and not said[-1].note.startswith("the ack"):
                continue
            assert (alert.state is AlertState.RESOLVED) == (last is EventKind.RESOLVED)
            assert (last is EventKind.ACKNOWLEDGED) == (alert.acknowledgement is not None)
            if alert.state is not AlertState.RESOLVED:
                resting = AlertState.FIRING if alert.acknowledgement is None else AlertState.ACKNOWLEDGED
                assert alert.state is self._rests(alert, resting)
            if alert.acknowledgement:
                assert alert.acknowledgement.severity >= alert.severity
                assert alert.acknowledgement.expires > self.now
            assert [event.time for event in alert.history] == sorted(event.time for event in alert.history)

    @invariant()
    def silences_end_and_spare_the_feed(self) -> None:
        for alert in self.book.alerts.values():
            assert alert.silence is None or not alert.rule.startswith("feed/")
            assert alert.silence is None or self.now < alert.silence.until <= alert.silence.time + 7 * 86_400
        assert all(silence.until > self.now for silence in self.book.silences.values())

    @staticmethod
    def _rests(alert: Alert, otherwise: AlertState) -> AlertState:
        """The state of an alert that a silence may cover."""
        return AlertState.SILENCED if alert.silence and otherwise is not AlertState.RESOLVED else otherwise

    def _any(self, data: st.DataObject) -> Alert | None:
        alerts = list(self.book.alerts.values())
        return data.draw(st.sampled_from(alerts)) if alerts else None


TestBook = BookMachine.TestCase
TestBook.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
