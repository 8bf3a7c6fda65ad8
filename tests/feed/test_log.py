"""Reading a log: what is proven, what breaks it, and what does not."""

from collections.abc import Iterable

import pytest
from tiny_log import ORIGIN, START, TinyLog, frames

from mcpwatch.feed.edge import REMEMBERED
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.merkle import EMPTY_ROOT, leaf_hash
from mcpwatch.feed.sse import Frame, frame
from mcpwatch.feed.standing import MAX_GAPS, MAX_HISTORY
from mcpwatch.model.entries import Entry, GatewayStopped
from mcpwatch.model.feed import STALE_AFTER, FeedState, Gap

NOW = float(START)


def reader_of(log: TinyLog, *, connected: bool = True, from_start: bool = True) -> LogReader:
    reader = LogReader("prod", "http://127.0.0.1:4181", log.verifier, from_start=from_start)
    if connected:
        reader.connected(NOW)
    return reader


def join(reader: LogReader, log: TinyLog, now: float = NOW, oldest: int = 0) -> None:
    reader.join(log.verifier.open(log.note()), log.frontier.hashes(), oldest, now)


def take(reader: LogReader, events: Iterable[bytes], now: float = NOW) -> list[Entry]:
    return [entry for each in frames(*events) for entry in reader.take(each, now)]


def state(reader: LogReader) -> FeedState:
    return reader.status.state


def test_entries_come_out_at_once_and_are_proven_by_a_checkpoint() -> None:
    log = TinyLog()
    reader = reader_of(log)
    assert state(reader) is FeedState.CONNECTING
    entries = take(reader, log.grow(3), NOW + 1)
    assert [entry.index for entry in entries] == [0, 1, 2]
    assert [entry.leaf for entry in entries] == log.leaves
    assert [entry.record.id for entry in entries if entry.record] == ["0", "1", "2"]
    assert {entry.source for entry in entries} == {"prod"}
    assert {entry.received for entry in entries} == {NOW + 1}
    assert (reader.status.next_index, reader.status.verified_size) == (3, 0)
    assert take(reader, [log.checkpoint()], NOW + 2) == []
    status = reader.status
    assert (status.state, status.verified_size, status.detail) == (FeedState.LIVE, 3, "")
    assert status.checkpoint is not None
    assert status.checkpoint.note == log.note()
    assert (status.last_entry_at, status.last_checkpoint_at) == (NOW + 1, NOW + 2)
    assert (status.origin, status.key) == (ORIGIN, log.key.verifier_key)


def test_the_status_is_one_object_until_something_changes() -> None:
    log = TinyLog()
    reader = reader_of(log)
    before = reader.status
    reader.tick(NOW + 1)
    assert reader.status is before
    take(reader, [log.add()])
    assert reader.status is not before
    assert reader.status is reader.status


def test_a_checkpoint_ahead_of_the_entries_waits_for_them() -> None:
    log = TinyLog()
    reader = reader_of(log)
    events = log.grow(4)
    take(reader, [*events[:2], log.checkpoint()])
    assert (reader.status.state, reader.status.verified_size) == (FeedState.CONNECTING, 0)
    take(reader, events[2:3])
    assert reader.status.verified_size == 0
    take(reader, events[3:])
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, 4)


def test_a_long_catch_up_is_proven_on_its_way_though_newer_checkpoints_keep_coming() -> None:
    log = TinyLog()
    reader = reader_of(log)
    first = log.grow(4)
    announced = [log.checkpoint()]
    for _ in range(3):
        first += log.grow(4)
        announced.append(log.checkpoint())
    take(reader, announced)
    take(reader, first[:4])
    assert reader.status.verified_size == 4
    take(reader, first[4:])
    assert reader.status.verified_size == 16


def test_a_checkpoint_ahead_that_does_not_fit_breaks_when_it_comes_due() -> None:
    log, other = TinyLog(), TinyLog()
    reader = reader_of(log)
    other.grow(1)
    other.add(leaf=b"something else")
    events = log.grow(2)
    take(reader, [events[0], other.checkpoint()])
    assert state(reader) is FeedState.CONNECTING
    take(reader, events[1:])
    assert state(reader) is FeedState.BROKEN
    assert reader.evidence == (other.note(),)


def test_two_roots_of_one_size_break_the_log_before_it_comes_due() -> None:
    log, other = TinyLog(), TinyLog()
    reader = reader_of(log)
    log.grow(5)
    other.grow(4)
    other.add(leaf=b"something else")
    take(reader, [log.checkpoint(), other.checkpoint()])
    assert (reader.status.state, reader.status.detail) == (
        FeedState.BROKEN,
        "the log signed two roots for its size 5",
    )
    assert {log.note(), other.note()} <= set(reader.evidence)


def test_a_checkpoint_behind_the_entries_is_held_against_what_they_were_then() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(10))
    take(reader, [log.checkpoint(4)])
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, 4)
    take(reader, [log.checkpoint(7)])
    assert reader.status.verified_size == 7
    take(reader, [frame("checkpoint", log.key.sign_checkpoint(8, bytes(32), START)[:-1])])
    assert state(reader) is FeedState.BROKEN


def test_a_checkpoint_too_far_behind_to_be_held_against_anything_proves_nothing() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(REMEMBERED + 2))
    take(reader, [log.checkpoint(1)])
    assert (reader.status.state, reader.status.verified_size) == (FeedState.CONNECTING, 0)
    take(reader, [log.checkpoint()])
    assert reader.status.verified_size == REMEMBERED + 2


def test_a_root_that_is_not_that_of_the_entries_breaks_the_log_for_good() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(2, every=2))
    proven = log.note()
    wrong = log.key.sign_checkpoint(3, bytes(32), START + 3)
    event = log.add()
    take(reader, [event, frame("checkpoint", wrong[:-1])])
    status = reader.status
    assert (status.state, status.verified_size) == (FeedState.BROKEN, 2)
    assert status.detail == "the log's root at 3 is not that of the entries it sent"
    assert reader.evidence == (proven, wrong)
    more = take(reader, log.grow(2, every=1))
    assert [entry.index for entry in more] == [3, 4]
    reader.disconnected("cut", NOW + 1)
    reader.connected(NOW + 2)
    join(reader, log)
    reader.tick(NOW + 100)
    assert (reader.status.state, reader.status.verified_size) == (FeedState.BROKEN, 2)
    assert reader.status.detail == status.detail
    assert [each for _, each, _ in reader.status.history][-1] is FeedState.BROKEN


def test_a_log_that_shrinks_is_a_rollback() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(4, every=2))
    take(reader, [log.checkpoint(2)])
    assert state(reader) is FeedState.ROLLBACK
    assert reader.status.detail == "the log now says it has 2 entries; 4 were verified"
    assert reader.evidence == (log.note(4), log.note(2))


def test_a_log_that_shrinks_between_two_connections_is_a_rollback() -> None:
    log, younger = TinyLog(), TinyLog()
    younger.grow(3)
    log.grow(5)
    reader = reader_of(log, connected=False)
    join(reader, log)
    reader.connected(NOW)
    take(reader, [log.entry(0)])
    reader.disconnected("cut", NOW + 1, NOW + 2)
    join(reader, younger)
    assert state(reader) is FeedState.ROLLBACK
    assert reader.status.detail == "the log now says it has 3 entries; 5 were signed before"
    assert reader.evidence == (log.note(), younger.note())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda note: note.replace(b"\n3\n", b"\n4\n"),
        lambda note: b"",
        lambda note: b"\xff",
        lambda note: TinyLog(seed=7).note(0)[:-1],
    ],
)
def test_a_checkpoint_that_does_not_open_breaks_the_log(spoil: object) -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(3))
    assert callable(spoil)
    note = spoil(log.note()[:-1])
    take(reader, [frame("checkpoint", note)])
    assert state(reader) is FeedState.BROKEN
    assert reader.status.detail.startswith("a checkpoint does not hold: ")
    assert reader.evidence == (note + b"\n",)


def test_an_entry_that_comes_again_is_counted_and_not_shown() -> None:
    log = TinyLog()
    reader = reader_of(log)
    events = log.grow(3)
    take(reader, events)
    assert take(reader, [events[1], events[2], log.checkpoint()]) == []
    assert (reader.status.repeated, reader.status.received) == (2, 3)
    assert state(reader) is FeedState.LIVE


def test_an_entry_that_comes_again_as_another_breaks_the_log() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(3))
    assert take(reader, [frame("entry", log.leaves[0], 1)]) == []
    assert state(reader) is FeedState.BROKEN
    assert reader.status.detail == "entry 1 came again with another content"
    assert reader.status.repeated == 0


def test_an_entry_from_before_memory_cannot_be_compared_and_is_not_applied() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(REMEMBERED + 1))
    assert take(reader, [frame("entry", b"changed", 0)]) == []
    assert (reader.status.state, reader.status.repeated) == (FeedState.CONNECTING, 1)
    take(reader, [frame("entry", b"changed", 1)])
    assert state(reader) is FeedState.BROKEN


def test_a_jump_breaks_the_log_and_declares_what_never_came() -> None:
    log = TinyLog()
    reader = reader_of(log)
    events = log.grow(6)
    take(reader, events[:2])
    after = take(reader, [events[4], events[5], log.checkpoint()])
    assert [entry.index for entry in after] == [4, 5]
    status = reader.status
    assert (status.state, status.detail) == (FeedState.BROKEN, "entry 4 came where 2 was due")
    assert status.gaps == (Gap(2, 3, "never came"),)
    assert status.verified_size == 0
    assert status.received + sum(gap.last - gap.first + 1 for gap in status.gaps) == status.next_index


def test_a_log_that_only_jumps_fills_no_memory() -> None:
    log = TinyLog()
    reader = reader_of(log)
    shown = take(reader, [frame("entry", b"x", 10 * jump) for jump in range(1, MAX_GAPS + 50)])
    assert len(shown) == len(reader.status.gaps) == MAX_GAPS
    assert reader.status.next_index == 10 * MAX_GAPS + 1


@pytest.mark.parametrize("id", [None, "", "x", "-1", "+1", "01", " 1", "1_0", "٣", "1.0", "9" * 17, "9" * 5000])
def test_an_entry_without_its_index_breaks_the_log(id: str | None) -> None:
    reader = reader_of(TinyLog())
    assert reader.take(Frame(event="entry", data=b"x", id=id), NOW) == []
    assert state(reader) is FeedState.BROKEN


@pytest.mark.parametrize("leaf", [b"", b"{}", b"\xff", b"[" * 9000, b'{"type":"x"}', b"x" * 600_000])
def test_a_malformed_leaf_is_an_entry_with_a_fault(leaf: bytes) -> None:
    log = TinyLog()
    reader = reader_of(log)
    log.add()
    log.leaves.append(leaf)
    log.frontier.append(leaf_hash(leaf))
    log.add()
    first, bad, last = take(reader, [log.entry(0), log.entry(1), log.entry(2), log.checkpoint()])
    assert (bad.index, bad.leaf, bad.record) == (1, leaf, None)
    assert bad.fault
    assert not first.fault + last.fault
    assert (reader.status.malformed, reader.status.state) == (1, FeedState.LIVE)
    assert reader.status.verified_size == 3


def test_an_envelope_of_another_place_or_log_is_malformed_there() -> None:
    log, other = TinyLog(), TinyLog("other.example/feed/1")
    other.grow(2)
    log.grow(1)
    log.add(leaf=log.leaves[0])
    log.add(leaf=other.leaves[0].replace(b'"id":"0"', b'"id":"2"'))
    reader = reader_of(log)
    entries = take(reader, [log.entry(index) for index in range(3)])
    assert [entry.fault for entry in entries] == ["", "its id is 0 in place 1", "its source is other.example/feed/1"]
    assert reader.status.malformed == 2


@pytest.mark.parametrize("name", ["message", "gap", "ENTRY", "entry2", ""])
def test_other_events_mean_nothing(name: str) -> None:
    log = TinyLog()
    reader = reader_of(log)
    before = reader.status
    assert reader.take(Frame(event=name, data=b"whatever", id="9"), NOW) == []
    assert reader.status is before


def test_joining_late_on_purpose_starts_at_the_frontier_and_says_so() -> None:
    log = TinyLog()
    log.grow(11)
    reader = reader_of(log, connected=False, from_start=False)
    join(reader, log)
    reader.connected(NOW)
    status = reader.status
    assert (status.state, status.next_index, status.verified_size) == (FeedState.LIVE, 11, 11)
    assert status.gaps == (Gap(0, 10, "joined at 11"),)
    assert [entry.index for entry in take(reader, log.grow(3, every=3))] == [11, 12, 13]
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, 14)


def test_joining_an_empty_log_is_proven_at_once_and_leaves_no_gap() -> None:
    for from_start in (True, False):
        log = TinyLog()
        reader = reader_of(log, connected=False, from_start=from_start)
        join(reader, log)
        reader.connected(NOW)
        assert (reader.status.state, reader.status.gaps) == (FeedState.LIVE, ())
        assert log.frontier.root() == EMPTY_ROOT


def test_the_beginning_being_no_longer_kept_is_a_gap() -> None:
    log = TinyLog()
    log.grow(9)
    reader = reader_of(log, connected=False)
    join(reader, log, oldest=4)
    reader.connected(NOW)
    status = reader.status
    assert (status.state, status.next_index) == (FeedState.GAP, 9)
    assert status.detail == (
        "entries 0 to 8 were not seen: the gateway keeps entries from 4 on, and gives no proof to join there"
    )
    take(reader, log.grow(1, every=1))
    assert (reader.status.state, reader.status.verified_size) == (FeedState.GAP, 10)


def test_what_was_due_being_no_longer_kept_is_a_gap_and_reading_goes_on() -> None:
    log = TinyLog()
    reader = reader_of(log, connected=False)
    join(reader, log)
    reader.connected(NOW)
    take(reader, log.grow(4, every=2))
    reader.disconnected("cut", NOW)
    log.grow(20)
    join(reader, log, oldest=10)
    reader.connected(NOW)
    assert state(reader) is FeedState.GAP
    assert reader.status.gaps == (Gap(4, 23, "the gateway keeps entries from 10 on, and gives no proof to join there"),)
    assert reader.status.detail.endswith("; not proven to go on from the first 4 entries, which were verified before")
    assert [entry.index for entry in take(reader, log.grow(2, every=2))] == [24, 25]
    assert reader.status.verified_size == 26


@pytest.mark.parametrize("spoil", [lambda hashes: hashes[1:], lambda hashes: (bytes(32), *hashes[1:]), lambda _: ()])
def test_a_frontier_that_is_not_the_signed_one_breaks_the_join(spoil: object) -> None:
    log = TinyLog()
    log.grow(7)
    reader = reader_of(log, connected=False, from_start=False)
    assert callable(spoil)
    reader.join(log.verifier.open(log.note()), spoil(log.frontier.hashes()), 0, NOW)
    assert state(reader) is FeedState.BROKEN
    assert "frontier" in reader.status.detail
    assert reader.evidence == (log.note(),)


def test_a_reconnection_goes_on_where_it_was() -> None:
    log = TinyLog()
    reader = reader_of(log, connected=False)
    join(reader, log)
    reader.connected(NOW)
    take(reader, log.grow(3, every=3))
    reader.disconnected("the connection was cut", NOW + 1, NOW + 1.5)
    assert (reader.status.state, reader.status.detail) == (FeedState.DISCONNECTED, "the connection was cut")
    assert (reader.status.retry_at, reader.status.connected_at) == (NOW + 1.5, None)
    missed = log.grow(2)
    join(reader, log, NOW + 2)
    reader.connected(NOW + 2)
    assert (reader.status.state, reader.status.reconnects, reader.status.retry_at) == (FeedState.LIVE, 1, None)
    assert [entry.index for entry in take(reader, missed)] == [3, 4]
    assert reader.status.verified_size == 5


def test_silence_makes_a_feed_stale_and_a_checkpoint_live_again() -> None:
    log = TinyLog()
    reader = reader_of(log)
    reader.tick(NOW + STALE_AFTER)
    assert state(reader) is FeedState.CONNECTING
    reader.tick(NOW + STALE_AFTER + 0.1)
    assert (reader.status.state, reader.status.detail) == (FeedState.STALE, "no fresh checkpoint for 15 s")
    take(reader, log.grow(1, every=1), NOW + 20)
    assert state(reader) is FeedState.LIVE
    reader.tick(NOW + 20 + STALE_AFTER)
    assert state(reader) is FeedState.LIVE
    reader.tick(NOW + 20.1 + STALE_AFTER)
    assert state(reader) is FeedState.STALE


def test_entries_without_checkpoints_do_not_keep_a_feed_alive() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(1, every=1))
    for second in range(20):
        take(reader, [log.add()], NOW + second)
        reader.tick(NOW + second)
    assert state(reader) is FeedState.STALE


def test_an_old_checkpoint_sent_again_and_again_does_not_keep_a_feed_alive() -> None:
    log = TinyLog()
    reader = reader_of(log)
    frozen = log.grow(1, every=1)[1]
    take(reader, [log.entry(0), frozen])
    for second in range(0, 40, 5):
        take(reader, [frozen], NOW + second)
        reader.tick(NOW + second)
    assert (reader.status.state, reader.status.verified_size) == (FeedState.STALE, 1)


@pytest.mark.parametrize("shift", [-3600, 3600, -600, 600])
def test_a_clock_that_jumps_breaks_nothing(shift: int) -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, [log.checkpoint(0, START)])
    assert state(reader) is FeedState.LIVE
    for second in range(5, 60, 5):
        take(reader, [log.checkpoint(0, START + shift + second)], NOW + second)
        reader.tick(NOW + second)
    assert state(reader) in (FeedState.LIVE, FeedState.STALE)
    again = log.note(0, START + shift + 59)
    reader.join(log.verifier.open(again), (), 0, NOW + 59)
    reader.connected(NOW + 60)
    take(reader, [log.checkpoint(0, START + shift + 60)], NOW + 60)
    assert state(reader) is FeedState.LIVE
    assert f"{abs(shift) // 60} min" in reader.status.detail


def test_a_gateway_whose_clock_is_set_right_stays_live() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, [log.checkpoint(0, START + 3600)])
    assert reader.status.detail == "the gateway's clock is 60 min ahead of this machine's"
    take(reader, [log.checkpoint(0, START + 5)], NOW + 5)
    reader.tick(NOW + 19)
    assert (reader.status.state, reader.status.detail) == (FeedState.LIVE, "")


def test_history_that_is_caught_up_with_is_proven_and_not_fresh() -> None:
    log = TinyLog()
    events = log.grow(100, every=10)
    reader = reader_of(log, connected=False)
    join(reader, log, NOW + 100)
    reader.connected(NOW + 100)
    take(reader, events[:55], NOW + 100)
    assert (state(reader), reader.status.verified_size) == (FeedState.CONNECTING, 50)
    reader.tick(NOW + 120)
    assert state(reader) is FeedState.STALE
    take(reader, events[55:], NOW + 121)
    assert (state(reader), reader.status.verified_size) == (FeedState.LIVE, 100)


def test_a_disconnected_feed_does_not_turn_stale() -> None:
    reader = reader_of(TinyLog())
    reader.disconnected("cut", NOW)
    reader.tick(NOW + 100)
    assert state(reader) is FeedState.DISCONNECTED


def outages(reader: LogReader, until: float, since: float = NOW) -> int:
    """How often the feed becomes overdue while a watcher looks once a second."""
    count, before = 0, reader.status.overdue
    while since < until:
        since += 1
        reader.tick(since)
        count += reader.status.overdue and not before
        before = reader.status.overdue
    return count


def test_a_dead_gateway_is_overdue_once_for_each_outage_whatever_the_state() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(1, every=1))
    reader.disconnected("cut", NOW + 1)
    reader.tick(NOW + STALE_AFTER)
    assert not reader.status.overdue
    assert outages(reader, NOW + 20) == 1
    assert (state(reader), reader.status.detail) == (FeedState.DISCONNECTED, "cut")
    reader.connected(NOW + 21)
    reader.disconnected("cut again", NOW + 22)
    assert outages(reader, NOW + 60, NOW + 22) == 0
    take(reader, log.grow(1, every=1), NOW + 61)
    reader.connected(NOW + 61)
    assert not reader.status.overdue
    assert outages(reader, NOW + 90, NOW + 61) == 1


def test_a_gateway_that_never_came_is_overdue_too() -> None:
    reader = LogReader("prod", "http://127.0.0.1:4181")
    assert outages(reader, NOW) == 0
    reader.disconnected("connection refused", NOW)
    assert outages(reader, NOW + 30) == 1


def test_a_gateway_that_stopped_in_good_order_is_not_overdue_until_it_is_back() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, [log.add(GatewayStopped("SIGTERM")), log.checkpoint()])
    reader.disconnected("connection refused", NOW + 1)
    assert reader.status.detail == "the gateway stopped in good order (SIGTERM); connection refused"
    assert outages(reader, NOW + 3600) == 0
    reader.connected(NOW + 3600)
    take(reader, [log.add()], NOW + 3600)
    assert outages(reader, NOW + 3615, NOW + 3600) == 0
    assert outages(reader, NOW + 3620, NOW + 3615) == 1


def test_a_stop_that_nothing_proves_excuses_nothing() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, [*log.grow(1, every=1), log.add(GatewayStopped("SIGTERM"))])
    reader.disconnected("cut", NOW + 1)
    assert reader.status.detail == "cut"
    assert outages(reader, NOW + 20) == 1


def test_a_live_feed_that_refuses_is_overdue_and_one_that_never_let_us_in_is_not() -> None:
    log = TinyLog()
    reader = reader_of(log)
    take(reader, log.grow(1, every=1))
    reader.refused("the token is not accepted", NOW + 1)
    assert reader.status.overdue
    reader = reader_of(log)
    reader.refused("the token is not accepted", NOW + 1)
    assert outages(reader, NOW + 60) == 0


def test_a_feed_that_broke_or_ended_is_not_overdue() -> None:
    broken, ended = reader_of(TinyLog()), reader_of(TinyLog())
    broken.sever("no", NOW)
    ended.ended("closed", NOW)
    assert [outages(reader, NOW + 60) for reader in (broken, ended)] == [0, 0]


def test_refused_and_ended_are_final_words() -> None:
    reader = reader_of(TinyLog())
    reader.refused("the token is not accepted", NOW + 1)
    assert (reader.status.state, reader.status.connected_at) == (FeedState.REFUSED, None)
    reader.ended("closed", NOW + 2)
    assert [each for _, each, _ in reader.status.history] == [FeedState.REFUSED, FeedState.ENDED]


def test_the_history_is_bounded() -> None:
    reader = reader_of(TinyLog())
    for second in range(MAX_HISTORY):
        reader.disconnected("cut", NOW + second)
        reader.connected(NOW + second)
    assert len(reader.status.history) == MAX_HISTORY
    assert reader.status.history[-1][0] == NOW + MAX_HISTORY - 1


def test_a_feed_without_a_key_is_shown_and_never_proven() -> None:
    log = TinyLog()
    reader = LogReader("other", "http://127.0.0.1:1")
    reader.connected(NOW)
    assert len(take(reader, log.grow(2, every=1))) == 2
    reader.tick(NOW + 100)
    assert (reader.status.state, reader.status.verified_size) == (FeedState.UNPROVEN, 0)
