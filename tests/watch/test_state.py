"""The state keeps counts, indexes and evidence while rows come and go."""

from msgspec import structs
from verdicts import judged, unsigned, verified
from watched import START, Stage

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus
from mcpwatch.model.identity import Evidence, Word
from mcpwatch.model.traffic import Observation
from mcpwatch.watch.state import MAX_ALERTS_OF_ROW, State


def test_every_change_moves_the_version() -> None:
    stage = Stage()
    seen = {stage.state.version}
    row = stage.request()
    seen.add(stage.state.version)
    alert = stage.alert(row.index)
    seen.add(stage.state.version)
    stage.rest(alert)
    seen.add(stage.state.version)
    stage.state.set_feed(FeedStatus("", "http://x"))
    seen.add(stage.state.version)
    stage.state.rejudge(structs.replace(row.seen, verdict=verified()))
    seen.add(stage.state.version)
    assert len(seen) == 6


def test_counts_outlive_the_rows() -> None:
    stage = Stage(max_rows=2)
    for _ in range(3):
        stage.end(stage.request())
    stage.request(verdict=verified())
    counts = stage.state.counts
    assert counts.entries == 7
    assert counts.words == {Word.UNSIGNED: 3, Word.VERIFIED: 1}
    assert counts.kinds == {"request": 4, "end": 3}
    assert counts.sources == {"": 7}
    assert (len(stage.state.rows), stage.state.evicted) == (2, 5)


def test_an_alert_marks_the_row_it_was_raised_at_and_names_itself_on_all_its_evidence() -> None:
    stage = Stage()
    rows = [stage.request() for _ in range(3)]
    stage.alert(0, 2, rule="a", severity=Severity.HIGH)
    stage.alert(2, rule="b", severity=Severity.LOW)
    assert [row.severity for row in rows] == [None, None, Severity.HIGH]
    assert [row.alerts for row in rows] == [("a",), (), ("a", "b")]
    assert stage.state.open_alerts() == {Severity.HIGH: 1, Severity.LOW: 1}
    stage.rest(stage.alerts["a"])
    assert stage.state.open_alerts() == {Severity.LOW: 1}


def test_one_row_carries_a_bounded_number_of_alerts() -> None:
    stage = Stage()
    row = stage.request()
    for number in range(2 * MAX_ALERTS_OF_ROW):
        stage.alert(0, rule=f"rule/{number}")
    assert len(row.alerts) == MAX_ALERTS_OF_ROW


def test_evidence_outlives_the_ring_and_is_released_when_the_alert_moves_on() -> None:
    stage = Stage(max_rows=3)
    evidence = stage.request("evidence")
    alert = stage.alert(evidence.index)
    for _ in range(5):
        stage.request("noise")
    assert evidence not in list(stage.state.rows)
    assert stage.state.row(evidence.index) is evidence
    assert stage.state.row(1) is None
    assert stage.state.rows_of_alert(alert) == [evidence]
    alert.evidence = [stage.index - 1]
    stage.state.alerts_changed()
    assert stage.state.row(evidence.index) is None
    assert len(stage.state.pinned) == 0 and stage.state.pinned.bytes == 0


def test_pinned_evidence_is_bounded() -> None:
    stage = Stage(max_rows=1)
    stage.state.pinned.max_rows = 3
    for number in range(8):
        stage.alert(stage.request().index, rule=f"rule/{number}")
    assert len(stage.state.pinned) == 3
    assert [stage.state.row(index) is not None for index in range(8)] == [False] * 4 + [True] * 4
    stage.state.pinned.max_bytes = 4
    stage.request()
    assert len(stage.state.pinned) == 2


def test_rejudging_replaces_the_verdict_and_moves_the_counts() -> None:
    stage = Stage()
    waiting = structs.replace(judged(Word.NO_CHECK, "alice"), waiting=True)
    row = stage.request("read", verdict=waiting)
    after = stage.state.rejudge(
        Observation(row.index, "", row.time, "request", verdict=verified("alice"), rejudged=True)
    )
    assert after is row
    assert (row.word, row.tool, row.who.evidence) == ("VERIFIED", "read", Evidence.VERIFIED)
    assert +stage.state.counts.words == {Word.VERIFIED: 1}
    identity = stage.state.identities[verified("alice").signer.id]  # type: ignore[union-attr]
    assert (identity.proven, +identity.words) == (1, {Word.VERIFIED: 1})


def test_rejudging_an_entry_that_is_gone_changes_nothing() -> None:
    stage = Stage()
    version = stage.state.version
    assert stage.state.rejudge(Observation(5, "", 0.0, "request", verdict=unsigned())) is None
    assert stage.state.version == version


def test_calls_and_sessions_are_found_again() -> None:
    stage = Stage()
    session = stage.session("abc")
    request = stage.request(session=session)
    answer = stage.answer(request)
    call = request.call
    assert call is not None
    assert stage.state.calls == {call.id: call}
    assert stage.state.sessions == {("", "abc"): session}
    assert stage.state.rows_of_call(call) == [request, answer]
    assert [row for row in stage.state.rows if row.seen.session is session] == [request, answer]


def test_a_session_that_turned_out_to_be_none_is_forgotten() -> None:
    stage = Stage()
    session = stage.session("abc")
    row = stage.request(session=session)
    twin = stage.session("abc")
    stage.state.rejudge(structs.replace(row.seen, session=None, gone=(twin,)))
    assert stage.state.sessions == {("", "abc"): session}
    stage.state.rejudge(structs.replace(row.seen, session=None, gone=(session,)))
    assert stage.state.sessions == {}


def test_the_gateways_present_follows_its_entries_and_its_checkpoints() -> None:
    stage = Stage()
    state = stage.state
    assert state.gateway_now("") == 0.0
    stage.request()
    assert state.gateway_now("") == stage.now - 0.001
    stage.wait(5)
    assert abs(state.gateway_now("") - stage.now) < 0.01
    point = Checkpoint("x", 1, b"", b"", time=int(stage.now) + 3_600)
    status = FeedStatus("", "http://x", FeedState.LIVE, checkpoint=point, last_checkpoint_at=stage.now)
    state.set_feed(status)
    assert state.gateway_now("") == point.time


def test_an_old_log_keeps_its_own_present() -> None:
    state, late = State(), START + 1e6
    for index, time in enumerate((START, START + 60)):
        state.apply(Entry(index, b"{}", None, late), Observation(index, "", time, "gateway"))
    state.advance(late + 5)
    assert state.gateway_now("") == START + 65


def test_what_a_log_had_kept_is_no_traffic_of_the_moment() -> None:
    state, late = State(), START + 50
    point = Checkpoint("x", 1, b"", b"", time=int(START))
    state.set_feed(FeedStatus("", "http://x", checkpoint=point, last_checkpoint_at=late, announced=2))
    for index, time in enumerate((START, START + 1, late)):
        state.apply(Entry(index, b"{}", None, late), Observation(index, "", time, "gateway"))
    assert state.entry_rate.per_second(late + 1) == 1 / 5


def test_the_clock_never_goes_back() -> None:
    stage = Stage()
    stage.state.advance(10.0)
    stage.state.advance(5.0)
    assert stage.state.now == 10.0


def test_firing_again_counts_as_a_change_of_an_alert() -> None:
    stage = Stage()
    stage.request()
    alert = stage.alert(0)
    stage.rest(alert)
    stage.alert(0)
    before = stage.state.alert_changes
    alert.state = AlertState.FIRING
    stage.alert(0)
    assert stage.state.alert_changes == before + 1
