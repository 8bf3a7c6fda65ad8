"""An alert's life."""

import hashlib

import pytest
from people import acknowledge, unacknowledge

from mcpwatch.detect import book as book_module
from mcpwatch.detect.act_checks import ActError, StaleAct
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.life import ACKNOWLEDGED_FOR
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Finding, Severity

NOW = 1_000.0


def finding(
    *evidence: int,
    subject: str = "s",
    rule: str = "session/shared",
    severity: Severity = Severity.HIGH,
    source: str = "gw",
    reason: str = "because",
    session: str = "",
    call: str = "",
) -> Finding:
    return Finding(rule, severity, subject, reason, evidence, source, session, call)


def grown(book: AlertBook, *indexes: int) -> Alert:
    """One alert with these entries."""
    return [book.add(finding(index), float(index)) for index in indexes][-1]


def test_an_alert_gathers_findings() -> None:
    book = AlertBook()
    book.add(finding(5, 7, reason="one", session="x", call="7"), 2.0)
    alert = book.add(finding(5, 9, reason="two", session="y", call="9"), 3.0)
    assert list(book.alerts.values()) == [alert]
    assert alert.id == hashlib.sha256(b"session/shared|gw|s").hexdigest()[:12]
    assert (alert.title, alert.severity, alert.count) == ("Session shared", Severity.HIGH, 2)
    assert (alert.first_index, alert.last_index, alert.first_time, alert.last_time) == (5, 9, 2.0, 3.0)
    assert (alert.reason, alert.sessions, alert.calls) == ("two", ["x", "y"], ["7", "9"])
    assert (alert.evidence, alert.state, alert.history) == ([5, 7, 9], AlertState.FIRING, [])


def test_source_and_subject_and_rule_tell_alerts_apart() -> None:
    book = AlertBook()
    findings = [finding(1), finding(1, source="b"), finding(1, subject="t"), finding(1, rule="feed/gap")]
    assert len({book.add(each, NOW).id for each in findings}) == 4


def test_a_rule_nobody_lists_goes_by_its_id() -> None:
    assert AlertBook().add(finding(1, rule="local/rule"), NOW).title == "local/rule"


def test_an_alert_may_have_no_entry() -> None:
    book = AlertBook()
    alert = book.add(finding(), NOW)
    assert (alert.first_index, alert.last_index, alert.evidence) == (-1, -1, [])
    book.add(finding(4), NOW)
    assert (alert.first_index, alert.last_index) == (4, 4)


def test_evidence_is_the_first_8_and_the_newest_24() -> None:
    alert = grown(AlertBook(), *range(100))
    assert alert.evidence == [*range(8), *range(76, 100)]
    assert alert.count == 100


def test_names_are_bounded() -> None:
    book = AlertBook()
    for number in range(40):
        alert = book.add(finding(number, session=str(number), call=str(number)), NOW)
    assert len(alert.sessions) == len(alert.calls) == 16


def test_severity_is_the_highest_seen() -> None:
    book = AlertBook()
    book.add(finding(1, severity=Severity.CRITICAL), NOW)
    assert book.add(finding(2, severity=Severity.LOW), NOW).severity is Severity.CRITICAL


def test_acknowledge_says_who_and_why() -> None:
    book = AlertBook()
    alert = grown(book, 1, 2)
    assert acknowledge(book, alert.id, "ann", "  known client \n", 2, NOW) is alert
    assert alert.state is AlertState.ACKNOWLEDGED
    rests = alert.acknowledgement
    assert rests is not None
    assert (rests.author, rests.note, rests.time, rests.last_index) == ("ann", "known client", NOW, 2)
    assert (rests.severity, rests.expires) == (Severity.HIGH, NOW + 8 * 3600)
    assert alert.history == [AlertEvent(EventKind.ACKNOWLEDGED, "ann", "known client", NOW, 2, Severity.HIGH)]


def test_what_was_not_shown_cannot_be_acknowledged() -> None:
    book = AlertBook()
    alert = grown(book, 1, 2)
    with pytest.raises(StaleAct):
        acknowledge(book, alert.id, "ann", "known", 1, NOW)
    assert (alert.state, alert.history) == (AlertState.FIRING, [])
    acknowledge(book, alert.id, "ann", "known", 3, NOW)


@pytest.mark.parametrize("note", ["", " \n\t", "x" * 2_001])
def test_a_note_is_needed_and_bounded(note: str) -> None:
    book = AlertBook()
    alert = grown(book, 1)
    with pytest.raises(ActError):
        acknowledge(book, alert.id, "ann", note, 1, NOW)
    assert alert.history == []
    acknowledge(book, alert.id, "ann", "x" * 2_000, 1, NOW)
    with pytest.raises(ActError):
        unacknowledge(book, alert.id, "ann", note, NOW)
    assert alert.state is AlertState.ACKNOWLEDGED


def test_an_alert_nobody_knows() -> None:
    with pytest.raises(ActError):
        acknowledge(AlertBook(), "0" * 12, "ann", "known", 1, NOW)
    with pytest.raises(ActError):
        unacknowledge(AlertBook(), "0" * 12, "ann", "known", NOW)


def test_an_acknowledged_alert_counts_on_in_silence() -> None:
    book = AlertBook()
    alert = grown(book, 1)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    grown(book, 2, 3)
    assert (alert.count, alert.last_index, alert.state) == (3, 3, AlertState.ACKNOWLEDGED)


def test_unacknowledge_fires_again_and_keeps_what_was() -> None:
    book = AlertBook()
    alert = grown(book, 1)
    with pytest.raises(ActError):
        unacknowledge(book, alert.id, "bob", "not at all", NOW)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    unacknowledge(book, alert.id, "bob", "not known to me", NOW + 1)
    assert (alert.state, alert.acknowledgement) == (AlertState.FIRING, None)
    assert [(event.kind, event.author) for event in alert.history] == [
        (EventKind.ACKNOWLEDGED, "ann"),
        (EventKind.UNACKNOWLEDGED, "bob"),
    ]


def test_a_higher_severity_fires_again() -> None:
    book = AlertBook()
    alert = book.add(finding(1, severity=Severity.MEDIUM), NOW)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    book.add(finding(2, severity=Severity.MEDIUM), NOW)
    assert alert.state is AlertState.ACKNOWLEDGED
    book.add(finding(3, severity=Severity.CRITICAL), NOW + 5)
    assert (alert.state, alert.acknowledgement) == (AlertState.FIRING, None)
    assert alert.history[1] == AlertEvent(
        EventKind.FIRED_AGAIN, "", "severity rose from medium to critical", NOW + 5, 3, Severity.CRITICAL
    )


def test_an_acknowledgement_runs_out() -> None:
    book = AlertBook()
    alert, other = grown(book, 1), book.add(finding(1, subject="other"), NOW)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    acknowledge(book, other.id, "ann", "known", 1, NOW + 10)
    assert book.tick(NOW + ACKNOWLEDGED_FOR - 1) == []
    assert book.tick(NOW + ACKNOWLEDGED_FOR) == [alert]
    assert book.tick(NOW + ACKNOWLEDGED_FOR + 1) == []
    assert (alert.state, alert.history[-1].kind) == (AlertState.FIRING, EventKind.EXPIRED)
    assert other.state is AlertState.ACKNOWLEDGED


def test_acknowledging_again_renews() -> None:
    book = AlertBook()
    alert = grown(book, 1)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    acknowledge(book, alert.id, "bob", "still known", 1, NOW + 100)
    assert book.tick(NOW + ACKNOWLEDGED_FOR) == []
    assert alert.acknowledgement and alert.acknowledgement.author == "bob"
    assert len(alert.history) == 2


def test_acknowledgements_stick_over_a_restart() -> None:
    before = AlertBook()
    alert = grown(before, 1, 50, 100)
    acknowledge(before, alert.id, "ann", "known client", 100, NOW)
    after = AlertBook()
    after.take(Act(alert.id, event) for event in alert.history)
    again = grown(after, 1)
    assert again.state is AlertState.ACKNOWLEDGED
    assert again.acknowledgement == alert.acknowledgement
    assert again.history == alert.history
    grown(after, 50, 100, 101)
    assert again.state is AlertState.ACKNOWLEDGED
    assert after.tick(NOW + ACKNOWLEDGED_FOR) == [again]


def test_a_higher_severity_fires_again_after_a_restart_too() -> None:
    book = AlertBook()
    id = AlertBook().add(finding(1), NOW).id
    book.take([Act(id, AlertEvent(EventKind.ACKNOWLEDGED, "ann", "known", NOW, 1, Severity.MEDIUM))])
    assert book.add(finding(1, severity=Severity.MEDIUM), NOW).state is AlertState.ACKNOWLEDGED
    assert book.add(finding(2, severity=Severity.HIGH), NOW).state is AlertState.FIRING


def test_a_store_without_severities_restores_at_the_severity_of_the_first_finding() -> None:
    book = AlertBook()
    id = AlertBook().add(finding(1), NOW).id
    book.take([Act(id, AlertEvent(EventKind.ACKNOWLEDGED, "ann", "known", NOW, 1))])
    assert book.add(finding(1), NOW).state is AlertState.ACKNOWLEDGED
    assert book.add(finding(2, severity=Severity.CRITICAL), NOW).state is AlertState.FIRING


@pytest.mark.parametrize("last", [EventKind.UNACKNOWLEDGED, EventKind.EXPIRED, EventKind.FIRED_AGAIN])
def test_what_was_taken_back_stays_so_over_a_restart(last: EventKind) -> None:
    book = AlertBook()
    id = AlertBook().add(finding(1), NOW).id
    book.take(
        [
            Act(id, AlertEvent(EventKind.ACKNOWLEDGED, "ann", "known", NOW, 1, Severity.HIGH)),
            Act(id, AlertEvent(last, "", "no more", NOW + 1, 1, Severity.HIGH)),
        ]
    )
    alert = grown(book, 1)
    assert alert.state is AlertState.FIRING
    assert [event.kind for event in alert.history] == [EventKind.ACKNOWLEDGED, last]


def test_restoring_late_does_not_undo_what_was_said_since() -> None:
    book = AlertBook()
    alert, fresh = grown(book, 1), book.add(finding(1, subject="fresh"), NOW)
    acknowledge(book, alert.id, "bob", "mine", 1, NOW)
    stored = AlertEvent(EventKind.ACKNOWLEDGED, "ann", "old", NOW - 5, 1, Severity.HIGH)
    book.take([Act(alert.id, stored), Act(fresh.id, stored)])
    assert alert.acknowledgement and alert.acknowledgement.author == "bob"
    assert [event.author for event in alert.history] == ["ann", "bob"]
    assert fresh.acknowledgement and fresh.acknowledgement.author == "ann"


def said(kind: EventKind, time: float, severity: Severity = Severity.HIGH) -> AlertEvent:
    return AlertEvent(kind, "ben", "said elsewhere", time, 1, severity)


def test_what_was_said_elsewhere_counts_at_once() -> None:
    book = AlertBook()
    alert = grown(book, 1)
    book.take([Act(alert.id, said(EventKind.ACKNOWLEDGED, NOW))])
    assert [alert.acknowledgement.expires if alert.acknowledgement else None] == [NOW + ACKNOWLEDGED_FOR]
    book.take([Act(alert.id, said(EventKind.UNACKNOWLEDGED, NOW + 1))])
    assert alert.acknowledgement is None
    assert [event.kind for event in alert.history] == [EventKind.ACKNOWLEDGED, EventKind.UNACKNOWLEDGED]
    assert book.tick(NOW + ACKNOWLEDGED_FOR) == []


def test_what_was_said_elsewhere_yields_to_what_was_said_since_and_to_what_is_worse() -> None:
    book = AlertBook()
    alert = grown(book, 1)
    acknowledge(book, alert.id, "ann", "later", 1, NOW + 5)
    book.take([Act(alert.id, said(EventKind.UNACKNOWLEDGED, NOW))])
    assert alert.state is AlertState.ACKNOWLEDGED
    assert [event.author for event in alert.history] == ["ben", "ann"]
    worse = book.add(finding(2, subject="worse", severity=Severity.CRITICAL), NOW)
    book.take([Act(worse.id, said(EventKind.ACKNOWLEDGED, NOW))])
    assert worse.state is AlertState.FIRING


def test_what_was_said_elsewhere_waits_for_its_alert() -> None:
    before, book = AlertBook(), AlertBook()
    id = grown(before, 1).id
    book.take([Act(id, said(EventKind.ACKNOWLEDGED, NOW))])
    assert grown(book, 1).state is AlertState.ACKNOWLEDGED


def test_beyond_the_limit_one_alert_stands_for_many() -> None:
    book = AlertBook(limit=2)
    for number in range(5):
        book.add(finding(number, subject=str(number)), NOW)
    other = book.add(finding(9, rule="feed/gap"), NOW)
    crowd = book.add(finding(9, subject="2"), NOW)
    assert [alert.subject for alert in book.alerts.values()] == ["0", "1", "3 further subjects", "1 further subject"]
    assert (crowd.rule, crowd.count, crowd.evidence) == ("session/shared", 4, [2, 3, 4, 9])
    assert other.rule == "feed/gap"
    assert book.add(finding(10, subject="0"), NOW).count == 2


def test_a_crowd_rests_until_a_new_subject_joins() -> None:
    book = AlertBook(limit=0)
    crowd = book.add(finding(1, subject="a"), NOW)
    acknowledge(book, crowd.id, "ann", "known", 1, NOW)
    assert book.add(finding(2, subject="a"), NOW).state is AlertState.ACKNOWLEDGED
    assert book.add(finding(3, subject="b"), NOW).state is AlertState.FIRING
    after = AlertBook(limit=0)
    acknowledge(book, crowd.id, "ann", "both known", 3, NOW)
    after.take(Act(crowd.id, event) for event in crowd.history)
    for index, subject in ((1, "a"), (2, "a"), (3, "b")):
        assert after.add(finding(index, subject=subject), NOW).state is AlertState.ACKNOWLEDGED


def test_a_crowd_stops_counting_heads_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "_MAX_CROWD", 3)
    book = AlertBook(limit=0)
    for number in range(5):
        crowd = book.add(finding(number, subject=str(number)), NOW)
    assert (crowd.subject, crowd.count) == ("more than 3 further subjects", 5)


def test_subjects_that_are_no_unicode_have_an_id() -> None:
    assert len(AlertBook().add(finding(1, subject="\ud800"), NOW).id) == 12
