"""What people do to alerts, and what brings them back."""

from glob import escape

import pytest
from people import DAY, acknowledge, act, resolve, silence, unacknowledge, unsilence

from mcpwatch.detect.act_checks import ActError, StaleAct
from mcpwatch.detect.book import AlertBook, fingerprint
from mcpwatch.detect.evidence import CALLERS, REASONS, reason_class
from mcpwatch.detect.life import MAX_HISTORY
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Finding, Severity, Silence

NOW = 1_000.0
WEEK = 7 * DAY


def found(
    book: AlertBook,
    *evidence: int,
    who: str = "",
    reason: str = 'It did so: the digest of "x" is 1.',
    rule: str = "session/shared",
    subject: str = "s",
    source: str = "gw",
    time: float = NOW,
    severity: Severity = Severity.HIGH,
) -> Alert:
    return book.add(Finding(rule, severity, subject, reason, evidence, source, who=who), time)


def kinds(alert: Alert) -> list[EventKind]:
    return [event.kind for event in alert.history]


@pytest.mark.parametrize(
    ("who", "reason", "fires"),
    [
        ("alice", "It did so: the digest of 7 is 8.", False),
        ("bob", "It did so: the digest of 1 is 1.", True),
        ("alice", 'In 3 sessions it did so: the digest of "other things" is 9.', False),
        ("alice", "It did so: the clock is wrong.", True),
        ("", "It did so: the digest of 1 is 1.", False),
    ],
    ids=["the same", "another caller", "other numbers and quotations", "another reason", "nobody in particular"],
)
def test_evidence_of_another_kind_fires_again(who: str, reason: str, fires: bool) -> None:
    book = AlertBook()
    alert = found(book, 1, who="alice")
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    found(book, 2, who=who, reason=reason)
    assert (alert.state is AlertState.FIRING) == fires
    assert (kinds(alert)[-1] is EventKind.FIRED_AGAIN) == fires


def test_it_says_what_is_new_and_an_acknowledgement_after_that_knows_it() -> None:
    book = AlertBook()
    alert = found(book, 1, who="alice")
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    found(book, 2, who="bob")
    assert alert.history[-1].note == "another caller: bob"
    acknowledge(book, alert.id, "ann", "bob too", 2, NOW)
    found(book, 3, who="bob")
    found(book, 4, who="alice")
    assert alert.state is AlertState.ACKNOWLEDGED


def test_whom_a_poisoned_tool_was_shown_to_is_no_kind_of_evidence() -> None:
    book = AlertBook()
    alert = found(book, 1, rule="tool/poisoned", who="alice")
    acknowledge(book, alert.id, "ann", "reported", 1, NOW)
    found(book, 2, rule="tool/poisoned", who="bob")
    assert alert.state is AlertState.ACKNOWLEDGED


@pytest.mark.parametrize(
    ("rule", "severity", "fires"),
    [
        ("session/used-after-delete", Severity.HIGH, True),
        ("discovery/admin-tool-by-guest", Severity.CRITICAL, True),
        ("discovery/unlisted-tool", Severity.MEDIUM, False),
        ("identity/bad-signature", Severity.CRITICAL, False),
    ],
)
def test_another_tool_in_the_same_session_fires_again_where_somebody_misuses_it(
    rule: str, severity: Severity, fires: bool
) -> None:
    book = AlertBook()

    def called(tool: str, index: int) -> Alert:
        return book.add(Finding(rule, severity, "s", "It did so.", (index,), "gw", who="eve", tool=tool), NOW)

    alert = called("search", 1)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    assert [called(tool, index).state.value for index, tool in enumerate(("search", ""), 2)] == ["acknowledged"] * 2
    called("delete_user", 4)
    assert (alert.state is AlertState.FIRING) == fires
    assert not fires or alert.history[-1].note == "another tool: delete_user"


def test_beyond_the_limit_nobody_hides_among_those_that_are_not_told_apart() -> None:
    book = AlertBook()
    alert = found(book, 0, who="0")
    for number in range(1, CALLERS + 10):
        found(book, number, who=str(number))
    acknowledge(book, alert.id, "ann", "many", CALLERS + 9, NOW)
    states = [found(book, index, who=who).state.value for index, who in ((900, "7"), (901, "one more"))]
    assert states == ["acknowledged", "firing"]
    assert REASONS < CALLERS < 900


def test_what_an_entry_showed_that_the_author_had_seen_is_known_after_a_restart() -> None:
    book = AlertBook()
    id = fingerprint("session/shared", "gw", "s")
    book.take([act(EventKind.ACKNOWLEDGED, id, "ann", "known", NOW, 5, Severity.HIGH)])
    alert = found(book, 1, who="alice")
    found(book, 5, who="bob")
    assert alert.state is AlertState.ACKNOWLEDGED
    assert found(book, 6, who="carol").state is AlertState.FIRING


def test_an_act_in_the_log_does_not_cover_what_came_between_its_author_s_screen_and_the_log() -> None:
    book = AlertBook()
    alert = found(book, 1, who="alice")
    found(book, 2, who="bob")
    book.take([act(EventKind.ACKNOWLEDGED, alert.id, "ann", "only alice", NOW, 1, Severity.HIGH, index=3)])
    assert (alert.state, kinds(alert)) == (AlertState.FIRING, [EventKind.ACKNOWLEDGED, EventKind.FIRED_AGAIN])


def test_the_reason_class_is_the_plain_words() -> None:
    assert reason_class('The session of alice: "evil words" by did:key:z6Mk at entry 9.') == "by at entry"


def test_a_resolved_alert_fires_again_on_new_evidence() -> None:
    book = AlertBook()
    alert = found(book, 1)
    resolve(book, alert.id, "ann", "key rotated", 1, NOW)
    assert (alert.state, kinds(alert)) == (AlertState.RESOLVED, [EventKind.RESOLVED])
    found(book, 1)
    assert alert.state is AlertState.RESOLVED
    found(book, 2)
    assert (alert.state, kinds(alert)[-1]) == (AlertState.FIRING, EventKind.FIRED_AGAIN)


def test_what_no_entry_shows_fires_again_whenever_it_is_found() -> None:
    book = AlertBook()
    alert = found(book, rule="feed/stale")
    resolve(book, alert.id, "ann", "gateway is up", -1, NOW)
    found(book, rule="feed/stale")
    assert alert.state is AlertState.FIRING


def test_resolving_an_acknowledged_alert_ends_the_acknowledgement_and_can_be_taken_back() -> None:
    book = AlertBook()
    alert = found(book, 1)
    acknowledge(book, alert.id, "ann", "known", 1, NOW)
    resolve(book, alert.id, "ann", "fixed", 1, NOW + 1)
    assert alert.acknowledgement is None
    for again in (acknowledge, resolve):
        with pytest.raises(ActError, match="resolved"):
            again(book, alert.id, "ann", "again", 1, NOW + 2)
    unacknowledge(book, alert.id, "ben", "not fixed", NOW + 3)
    assert alert.state is AlertState.FIRING


def test_resolving_what_has_grown_is_stale() -> None:
    book = AlertBook()
    alert = found(book, 1, 2)
    with pytest.raises(StaleAct, match="entry 2 is newer"):
        resolve(book, alert.id, "ann", "fixed", 1, NOW)


def test_who_was_shown_another_s_act_too_late_is_told_who_acted_and_when() -> None:
    book = AlertBook()
    alert = found(book, 1)
    before = alert.last_act
    acknowledge(book, alert.id, "ann", "mine", 1, NOW)
    with pytest.raises(StaleAct) as caught:
        book.check(act(EventKind.ACKNOWLEDGED, alert.id, "ben", "mine too", NOW + 12, 1), before)
    assert caught.value.title == "ann acknowledged it 12 seconds ago: mine"


@pytest.mark.parametrize("previous", [None, 10])
def test_an_act_whose_author_did_not_know_the_one_before_changes_nothing(previous: int | None) -> None:
    book = AlertBook()
    alert = found(book, 1)
    take_back = act(EventKind.UNACKNOWLEDGED, alert.id, "ben", "no", NOW + 2, index=30, previous=20)
    old = act(EventKind.ACKNOWLEDGED, alert.id, "eve", "again", NOW + 3, 1, index=40, previous=previous)
    for index, last in ((10, None), (20, 10)):
        book.take([act(EventKind.ACKNOWLEDGED, alert.id, "ann", f"{index}", NOW, 1, index=index, previous=last)])
    book.take([take_back, old])
    assert alert.state is AlertState.FIRING
    assert alert.history[-1].fault == "its author did not know of the act at entry 30"
    assert book.previous(alert.id) == 40


def test_an_act_with_a_fault_is_in_the_history_and_changes_nothing() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([act(EventKind.ACKNOWLEDGED, alert.id, "eve", "all is well", NOW, 1, index=2, fault="forged")])
    assert (alert.state, alert.last_act, alert.history[0].fault) == (AlertState.FIRING, None, "forged")
    acknowledge(book, alert.id, "ann", "seen", 1, NOW)
    assert alert.state is AlertState.ACKNOWLEDGED


def test_the_same_act_from_the_log_and_again_counts_once() -> None:
    book = AlertBook()
    alert = found(book, 1)
    done = act(EventKind.ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1, index=2)
    book.take([done, done])
    assert kinds(alert) == [EventKind.ACKNOWLEDGED]


def test_acts_of_a_log_stand_in_its_order_whatever_their_clocks_say() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([act(EventKind.ACKNOWLEDGED, alert.id, "ann", "seen", NOW + 60, 1, index=2)])
    book.take([act(EventKind.UNACKNOWLEDGED, alert.id, "ben", "no", NOW, 1, index=3, previous=2)])
    assert alert.state is AlertState.FIRING


def test_a_silence_covers_what_it_matches_until_its_end() -> None:
    book = AlertBook()
    alert, other = found(book, 1), found(book, 1, subject="t")
    wanted = silence(book, NOW, rule="session/*", subject="s")
    assert (alert.state, alert.silence, other.state) == (AlertState.SILENCED, wanted, AlertState.FIRING)
    assert alert.history[-1].until == NOW + DAY
    assert book.tick(NOW + DAY - 1) == []
    assert book.tick(NOW + DAY) == [alert]
    assert (alert.state, alert.silence, kinds(alert)) == (
        AlertState.FIRING,
        None,
        [EventKind.SILENCED, EventKind.EXPIRED],
    )
    assert book.silences == {}


def test_a_silence_covers_what_comes_and_tells_who_wants_it() -> None:
    book = AlertBook()
    silence(book, NOW, rule="session/*")
    alert = found(book, 1)
    assert (alert.state, [event.author for event in alert.history]) == (AlertState.SILENCED, ["ann"])
    assert found(book, 2, severity=Severity.CRITICAL).state is AlertState.SILENCED


def test_ending_a_silence_lets_its_alerts_be_what_they_were() -> None:
    book = AlertBook()
    alert, seen = found(book, 1), found(book, 1, subject="seen")
    acknowledge(book, seen.id, "ann", "seen", 1, NOW)
    wanted = silence(book, NOW, rule="session/*")
    assert seen.state is AlertState.SILENCED
    unsilence(book, wanted, NOW + 1)
    assert (alert.state, seen.state) == (AlertState.FIRING, AlertState.ACKNOWLEDGED)
    with pytest.raises(ActError, match="no such silence"):
        unsilence(book, wanted, NOW + 2)


def test_of_two_silences_the_longer_one_holds() -> None:
    book = AlertBook()
    alert = found(book, 1)
    silence(book, NOW, rule="session/*", lasts=DAY)
    silence(book, NOW, rule="session/shared", lasts=2 * DAY)
    assert alert.silence and alert.silence.rule == "session/shared"
    book.tick(NOW + DAY)
    assert alert.state is AlertState.SILENCED
    assert [each.state for each in book.tick(NOW + 2 * DAY)] == [AlertState.FIRING]


def test_feed_alerts_are_never_silent() -> None:
    book = AlertBook()
    alert = found(book, 1, rule="feed/gap")
    with pytest.raises(ActError, match="cannot be silenced") as caught:
        silence(book, NOW, rule="feed/gap")
    assert "may not be all that happened" in caught.value.hint
    silence(book, NOW)
    assert (alert.state, found(book, 1).state) == (AlertState.FIRING, AlertState.SILENCED)
    assert found(book, 1, rule="feed/stale").state is AlertState.FIRING


@pytest.mark.parametrize("lasts", [0.0, -1.0, WEEK + 1])
def test_a_silence_ends_within_seven_days(lasts: float) -> None:
    book = AlertBook()
    alert = found(book, 1)
    with pytest.raises(ActError, match="within seven days"):
        silence(book, NOW, lasts=lasts)
    forced = Silence("f" * 12, "*", "*", "eve", "for ever", NOW, NOW + lasts, "gw")
    book.take([Act(forced.id, AlertEvent(EventKind.SILENCED, "eve", "for ever", NOW, -1), silence=forced)])
    assert (alert.state, book.silences) == (AlertState.FIRING, {})
    silence(book, NOW, lasts=WEEK)
    assert alert.state is AlertState.SILENCED


def test_a_silence_is_for_one_log() -> None:
    book = AlertBook()
    book.origins["gw"] = "gateway.example/1"
    here, there = found(book, 1), found(book, 1, source="other")
    silence(book, NOW, origin="gateway.example/1")
    assert (here.state, there.state) == (AlertState.SILENCED, AlertState.FIRING)


def test_a_subject_with_the_signs_of_globs_is_matched_as_it_is() -> None:
    book = AlertBook()
    alert, other = found(book, 1, subject="a[b]*?"), found(book, 1, subject="abcd")
    silence(book, NOW, subject=escape(alert.subject))
    assert (alert.state, other.state) == (AlertState.SILENCED, AlertState.FIRING)


def test_alerts_have_one_id_wherever_their_log_is_read() -> None:
    here, there = AlertBook(), AlertBook()
    here.origins["127.0.0.1:4181"] = there.origins["gateway"] = "gateway.example/1"
    ids = {found(here, 1, source="127.0.0.1:4181").id, found(there, 1, source="gateway").id}
    assert ids == {fingerprint("session/shared", "gateway.example/1", "s")}


def test_what_is_judged_again_and_turns_out_well_resolves_by_itself() -> None:
    book = AlertBook()
    alert = found(book, 1, rule="identity/cannot-check")
    found(book, 2, rule="identity/cannot-check")
    assert not book.settle(alert.id, 1, NOW)
    assert alert.state is AlertState.FIRING
    assert book.settle(alert.id, 2, NOW)
    assert (alert.state, alert.history[-1].kind, alert.history[-1].author) == (
        AlertState.RESOLVED,
        EventKind.RESOLVED,
        "",
    )
    found(book, 3, rule="identity/cannot-check")
    assert alert.state is AlertState.FIRING


def test_what_rests_on_more_than_a_verdict_does_not_resolve_by_itself() -> None:
    book = AlertBook()
    alert = found(book, 1, rule="identity/replayed")
    assert not book.settle(alert.id, 1, NOW)
    assert not book.settle("0" * 12, 1, NOW)


def test_a_history_keeps_its_newest_events() -> None:
    book = AlertBook()
    alert = found(book, 1)
    for number in range(MAX_HISTORY + 5):
        book.take([act(EventKind.ACKNOWLEDGED, alert.id, "ann", str(number), NOW + number, 1)])
    assert len(alert.history) == MAX_HISTORY
    assert alert.history[-1].note == str(MAX_HISTORY + 4)
