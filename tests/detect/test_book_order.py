"""Which act counts when several came: twice, out of order, from two places, by clocks that differ."""

import pytest
from msgspec.structs import replace
from people import DAY, act, silence

from mcpwatch.detect.act_checks import ActError
from mcpwatch.detect.book import AlertBook
from mcpwatch.detect.life import ACKNOWLEDGED_FOR, MAX_HISTORY
from mcpwatch.detect.silences import MAX_SILENCES
from mcpwatch.identity.signed_acts import silence_id
from mcpwatch.model.alerts import Act, Alert, AlertEvent, AlertState, EventKind, Finding, Severity, Silence

NOW = 1_000_000.0
ACKNOWLEDGED, TAKEN_BACK = EventKind.ACKNOWLEDGED, EventKind.UNACKNOWLEDGED


def found(book: AlertBook, *evidence: int, rule: str = "session/shared") -> Alert:
    return book.add(Finding(rule, Severity.HIGH, "s", "It did so.", evidence, "gw"), NOW)


def here(done: Act, seq: int) -> Act:
    """The act as the store of this machine has it."""
    return replace(done, event=replace(done.event, seq=seq))


def silencing(time: float, *, index: int | None = None, previous: int | None = None, fault: str = "") -> Act:
    """An act that silences everything for a day."""
    silence = Silence(silence_id("gw", "*", "*"), "*", "*", "ann", "a test", time, time + DAY, "gw")
    event = AlertEvent(EventKind.SILENCED, "ann", "a test", time, -1, index=index, fault=fault)
    return Act(silence.id, event, previous, silence)


def ending(time: float, *, index: int | None = None, previous: int | None = None) -> Act:
    return act(EventKind.UNSILENCED, silence_id("gw", "*", "*"), "ben", "enough", time, index=index, previous=previous)


def test_acts_kept_here_stand_in_the_order_they_were_written_though_the_clock_went_back() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([here(act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1), 1)])
    book.take([here(act(TAKEN_BACK, alert.id, "ann", "no", NOW - 3_600), 2)])
    assert alert.state is AlertState.FIRING


def test_two_watchers_of_one_machine_that_act_in_one_second_come_to_the_same() -> None:
    first, second = ("ann", "seen", 1), ("ben", "seen too", 2)
    books = AlertBook(), AlertBook()
    for book, order in zip(books, ((first, second), (second, first)), strict=True):
        alert = found(book, 1)
        book.take(here(act(ACKNOWLEDGED, alert.id, who, note, NOW, 1), seq) for who, note, seq in order)
    assert [alert.last_act and alert.last_act.author for book in books for alert in book.alerts.values()] == ["ben"] * 2


def test_an_act_kept_here_that_comes_twice_counts_once() -> None:
    book = AlertBook()
    alert = found(book, 1)
    done = here(act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1), 1)
    book.take([done, done])
    assert len(alert.history) == 1


def test_who_acts_after_one_whose_act_does_not_count_names_that_act_and_is_heard() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([act(ACKNOWLEDGED, alert.id, "eve", "all is well", NOW, 1, index=5, fault="unknown key")])
    assert (book.previous(alert.id), alert.state) == (5, AlertState.FIRING)
    book.take([act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1, index=6, previous=5)])
    assert (alert.state, book.previous(alert.id)) == (AlertState.ACKNOWLEDGED, 6)


def test_an_act_written_into_the_log_again_later_changes_nothing() -> None:
    book = AlertBook()
    alert = found(book, 1)
    done = act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1, index=5)
    back = act(TAKEN_BACK, alert.id, "ben", "no", NOW + 1, index=6, previous=5)
    book.take([done, back, replace(done, event=replace(done.event, index=7))])
    assert (alert.state, alert.history[-1].fault) == (AlertState.FIRING, "")
    assert [event.fault for event in alert.history if event.index == 7] == [
        "its author did not know of the act at entry 6"
    ]


def test_acts_that_do_not_count_cannot_push_those_that_do_out_of_the_history() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1, index=0)])
    for index in range(1, MAX_HISTORY + 10):
        book.take([act(ACKNOWLEDGED, alert.id, "eve", "noise", NOW + index, 1, index=index, fault="forged")])
    assert len(alert.history) == MAX_HISTORY
    assert alert.history[0].author == "ann"


def test_a_silence_that_was_ended_does_not_begin_again_when_the_log_is_read_twice() -> None:
    book = AlertBook()
    alert = found(book, 1)
    log = [silencing(NOW, index=5), ending(NOW + 1, index=6, previous=5)]
    book.take(log)
    book.take(log[:1])
    assert (alert.state, book.silences, len(alert.history)) == (AlertState.FIRING, {}, 2)


def test_a_silence_of_the_log_that_was_ended_here_stays_ended_after_a_restart() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([here(ending(NOW + 60), 1)])
    book.take([silencing(NOW, index=5)])
    assert (alert.state, book.silences) == (AlertState.FIRING, {})
    book.take([silencing(NOW + 120, index=6, previous=5)])
    assert alert.state is AlertState.SILENCED


def test_a_silence_that_does_not_count_is_in_the_history_of_what_it_would_cover() -> None:
    book = AlertBook()
    alert, feed = found(book, 1), found(book, 1, rule="feed/gap")
    book.take([silencing(NOW, index=5, fault="unknown key")] * 2)
    assert (alert.state, book.silences, feed.history) == (AlertState.FIRING, {}, [])
    assert [event.fault for event in alert.history] == ["unknown key"]


def test_more_silences_than_there_is_room_for_are_refused() -> None:
    book = AlertBook()
    first, *_ = [silence(book, NOW, rule=f"session/{number}") for number in range(MAX_SILENCES)]
    with pytest.raises(ActError, match="1,000 silences already"):
        silence(book, NOW)
    silence(book, NOW + 1, rule=first.rule)
    book.tick(NOW + DAY)
    assert [each.rule for each in book.silences.values()] == [first.rule]


def test_what_ran_out_while_nobody_watched_ran_out_then() -> None:
    book = AlertBook()
    alert, other = found(book, 1), found(book, 1, rule="session/weak-id")
    book.take([act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW, 1), silencing(NOW)])
    book.tick(NOW + 3 * DAY)
    assert (alert.state, other.state) == (AlertState.FIRING, AlertState.FIRING)
    ends = [event.time for event in alert.history if event.kind is EventKind.EXPIRED]
    assert ends == [NOW + ACKNOWLEDGED_FOR, NOW + DAY]


def test_an_acknowledgement_by_a_clock_that_is_ahead_rests_no_longer_than_by_the_clock_here() -> None:
    book = AlertBook()
    alert = found(book, 1)
    book.take([act(ACKNOWLEDGED, alert.id, "ann", "seen", NOW + 400 * DAY, 1)])
    book.tick(NOW)
    assert alert.acknowledgement is not None
    assert alert.acknowledgement.expires == NOW + ACKNOWLEDGED_FOR
    assert book.tick(NOW + ACKNOWLEDGED_FOR) == [alert]


@pytest.mark.parametrize("rule", ["identity/cannot-check", "identity/bad-signature"])
def test_what_resolved_by_itself_fires_again_when_the_same_entry_shows_it_again(rule: str) -> None:
    book = AlertBook()
    alert = found(book, 7, rule=rule)
    assert book.settle(alert.id, 7, NOW)
    assert alert.state is AlertState.RESOLVED
    found(book, 7, rule=rule)
    assert (alert.state, alert.history[-1].kind) == (AlertState.FIRING, EventKind.FIRED_AGAIN)


@pytest.mark.parametrize(("held", "fires"), [(NOW - 60, True), (NOW + 60, False)], ids=["here before", "a restart"])
def test_an_entry_that_turns_out_bad_after_somebody_acted_is_news_to_them(held: float, fires: bool) -> None:
    book = AlertBook()
    bad = Finding("identity/bad-signature", Severity.HIGH, "s", "It did so.", (9,), "gw")
    alert = book.add(bad, NOW)
    book.take([act(EventKind.RESOLVED, alert.id, "ann", "fixed", NOW, 9)])
    for _ in range(2):
        book.add(replace(bad, evidence=(9,)), NOW, held=NOW - 60)
    assert alert.state.value == "resolved"
    book.add(replace(bad, evidence=(5,)), NOW, held=held)
    assert (alert.state is AlertState.FIRING) == fires
