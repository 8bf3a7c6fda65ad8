"""A log that is joined again goes on from what it was seen to sign, or is found out."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tiny_log import START, TinyLog, frames

from mcpwatch.feed.continuity import MOST_HELD
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.proof_answers import ConsistencyAnswer
from mcpwatch.feed.queries import NOT_ONE
from mcpwatch.feed.standing import MAX_GAPS
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState, Gap

NOW = float(START)


def grown(entries: int, *, other_from: int | None = None) -> TinyLog:
    """A log of so many entries; from `other_from` on it is another one under the same key."""
    log = TinyLog()
    for index in range(entries):
        log.add(leaf=b"other %d" % index if other_from is not None and index >= other_from else None)
    return log


def signed(log: TinyLog, size: int) -> Checkpoint:
    return log.verifier.open(log.note(size))


def reader_of(log: TinyLog, *, from_start: bool = True, pinned: Checkpoint | None = None) -> LogReader:
    reader = LogReader("prod", "http://127.0.0.1:4181", log.verifier, from_start=from_start)
    reader.recall(pinned, "if it was put back on purpose: rm pin")
    return reader


def join(reader: LogReader, log: TinyLog, oldest: int = 0, *, proves: bool = True) -> tuple[int, ...]:
    """Connect as a subscriber does; the sizes that the reader asked a proof for."""
    newest = signed(log, log.size)
    asked = reader.asks(newest, oldest)
    proofs = {first: log.consistency(first) if proves else None for first in asked}
    reader.join(newest, log.frontier.hashes(), oldest, NOW, proofs)
    reader.connected(NOW)
    return asked


def read(reader: LogReader, log: TinyLog, upto: int | None = None) -> list[Entry]:
    events = [log.entry(index) for index in range(reader.status.next_index, log.size if upto is None else upto)]
    if upto is None:
        events.append(log.checkpoint())
    return [entry for each in frames(*events) for entry in reader.take(each, NOW)]


def is_pinnable(reader: LogReader, checkpoint: Checkpoint) -> bool:
    return reader.pinnable == checkpoint


def unaccounted(reader: LogReader) -> int:
    """Entries below the log's size that were neither shown nor lie in a declared gap."""
    status = reader.status
    return status.next_index - status.received - sum(gap.last - gap.first + 1 for gap in status.gaps)


def test_a_beginning_that_is_no_longer_kept_is_a_gap_that_ends_at_the_oldest_entry() -> None:
    log = grown(9)
    reader = reader_of(log)
    assert join(reader, log, oldest=4) == (4,)
    assert reader.status.gaps == (Gap(0, 3, "the gateway keeps entries from 4 on"),)
    assert [entry.index for entry in read(reader, log)] == [4, 5, 6, 7, 8]
    status = reader.status
    assert (status.state, status.verified_size, unaccounted(reader)) == (FeedState.GAP, 9, 0)
    assert status.detail == "entries 0 to 3 were not seen: the gateway keeps entries from 4 on"


def test_entries_lost_to_retention_while_away_are_a_gap_with_proof_of_both_its_ends() -> None:
    log = grown(6)
    reader = reader_of(log)
    assert join(reader, log) == ()
    read(reader, log)
    reader.disconnected("cut", NOW)
    log.grow(14)
    assert join(reader, log, oldest=10) == (6, 10)
    assert reader.status.gaps == (Gap(6, 9, "the gateway keeps entries from 10 on"),)
    read(reader, log)
    assert (reader.status.verified_size, unaccounted(reader)) == (20, 0)
    assert reader.pinnable == signed(log, 20)


def test_a_gap_up_to_the_newest_checkpoint_needs_no_proof_to_join_there() -> None:
    log = grown(8)
    reader = reader_of(log)
    assert join(reader, log, oldest=8) == ()
    assert (reader.status.gaps, reader.status.verified_size) == (
        (Gap(0, 7, "the gateway keeps entries from 8 on"),),
        8,
    )


@pytest.mark.parametrize(("away_at", "fork_at"), [(6, 0), (6, 5), (7, 6), (4, 3)])
def test_a_log_replaced_behind_a_gap_is_found_by_the_proof(away_at: int, fork_at: int) -> None:
    log, other = grown(away_at), grown(20, other_from=fork_at)
    reader = reader_of(log)
    join(reader, log)
    read(reader, log)
    reader.disconnected("cut", NOW)
    assert join(reader, other, oldest=12) == (away_at, 12)
    status = reader.status
    assert status.state is FeedState.BROKEN
    assert status.detail == (
        f"the log is another: its first {away_at} entries are not those that were verified before; "
        "if it was put back on purpose: rm pin"
    )
    assert reader.evidence == (log.note(), other.note())
    assert reader.pinnable is None


def test_a_pinned_checkpoint_is_passed_as_the_log_is_read() -> None:
    log = grown(9)
    reader = reader_of(log, pinned=signed(log, 5))
    assert join(reader, log) == ()
    read(reader, log, upto=4)
    assert reader.pinnable is None
    read(reader, log, upto=5)
    assert reader.status.verified_size == 5
    read(reader, log)
    assert is_pinnable(reader, signed(log, 9))
    assert reader.status.state is FeedState.LIVE


@pytest.mark.parametrize(("pinned", "fork_at"), [(5, 0), (5, 4), (8, 7), (1, 0), (9, 8)])
def test_a_log_replaced_while_we_were_away_is_found_when_its_turn_comes(pinned: int, fork_at: int) -> None:
    log, other = grown(9), grown(9, other_from=fork_at)
    reader = reader_of(log, pinned=signed(log, pinned))
    join(reader, other)
    entries = read(reader, other)
    assert len(entries) == 9
    status = reader.status
    assert (status.state, status.verified_size) == (FeedState.BROKEN, 0)
    assert status.detail == (
        f"the log is another: its first {pinned} entries are not those that were verified before; "
        "if it was put back on purpose: rm pin"
    )
    assert set(reader.evidence) == {log.note(pinned), other.note()}


@pytest.mark.parametrize("from_start", [True, False])
def test_a_log_smaller_than_its_pin_is_rolled_back(*, from_start: bool) -> None:
    log = grown(9)
    reader = reader_of(log, from_start=from_start, pinned=signed(log, 9))
    assert join(reader, grown(7)) == ()
    assert reader.status.state is FeedState.ROLLBACK
    assert reader.status.detail == (
        "the log now says it has 7 entries; 9 were signed before; if it was put back on purpose: rm pin"
    )
    assert reader.evidence == (log.note(9), grown(7).note())


def test_of_a_log_that_was_taken_back_what_is_not_shown_is_a_gap() -> None:
    log, other = grown(9), grown(11, other_from=6)
    reader = reader_of(log)
    join(reader, log)
    read(reader, log)
    back = grown(7, other_from=6)
    join(reader, back)
    assert reader.status.state is FeedState.ROLLBACK
    assert "rm pin" in reader.status.detail
    assert [(gap.first, gap.last) for gap in reader.status.gaps] == [(7, 8)]
    assert len(read(reader, other)) == 2
    assert (reader.status.verified_size, reader.status.next_index) == (9, 11)


def test_joining_late_asks_for_the_proof_from_the_pin() -> None:
    log = grown(11)
    reader = reader_of(log, from_start=False, pinned=signed(log, 3))
    assert join(reader, log, oldest=8) == (3,)
    assert (reader.status.state, reader.status.detail) == (FeedState.LIVE, "")
    assert reader.pinnable == signed(log, 11)


def test_joining_late_at_the_pin_itself_needs_no_proof() -> None:
    log = grown(11)
    reader = reader_of(log, from_start=False, pinned=signed(log, 11))
    assert join(reader, log) == ()
    assert reader.pinnable == signed(log, 11)


@pytest.mark.parametrize(("pinned", "fork_at"), [(3, 0), (3, 2), (8, 7), (11, 10)])
def test_joining_late_finds_a_log_that_was_replaced(pinned: int, fork_at: int) -> None:
    log, other = grown(11), grown(11, other_from=fork_at)
    reader = reader_of(log, from_start=False, pinned=signed(log, pinned))
    join(reader, other)
    assert reader.status.state is FeedState.BROKEN
    assert set(reader.evidence) == {log.note(pinned), other.note()}


def test_a_gateway_that_gives_no_proofs_is_read_and_said_to_prove_nothing() -> None:
    log = grown(11)
    reader = reader_of(log, from_start=False, pinned=signed(log, 3))
    assert join(reader, log, proves=False) == (3,)
    doubt = "not proven to go on from the first 3 entries, which were verified before"
    assert (reader.status.state, reader.status.detail) == (FeedState.LIVE, doubt)
    read(reader, log)
    assert reader.status.detail == doubt
    assert reader.pinnable is None, "the pin of what was verified is not given up for what was not"
    reader.disconnected("cut", NOW)
    assert join(reader, log) == (3,), "it is asked again"
    assert reader.status.detail == ""
    assert is_pinnable(reader, signed(log, 11))


def test_without_proofs_a_gap_ends_at_the_newest_checkpoint() -> None:
    log = grown(9)
    reader = reader_of(log)
    join(reader, log, oldest=4, proves=False)
    assert reader.status.gaps == (Gap(0, 8, "the gateway keeps entries from 4 on, and gives no proof to join there"),)
    assert unaccounted(reader) == 0
    assert reader.pinnable == signed(log, 9)


def test_a_log_that_never_proves_anything_is_asked_for_a_few_sizes_at_most() -> None:
    log = grown(2)
    reader = reader_of(log)
    join(reader, log)
    for _ in range(3 * MOST_HELD):
        read(reader, log)
        reader.disconnected("cut", NOW)
        log.grow(10)
        asked = join(reader, log, oldest=log.size - 1, proves=False)
    assert len(asked) <= MOST_HELD + 2
    assert asked[0] == 2
    assert reader.status.state is FeedState.GAP


Spoil = Callable[[ConsistencyAnswer], ConsistencyAnswer]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda answer: replace(answer, hashes=answer.hashes[1:]),
        lambda answer: replace(answer, hashes=(*answer.hashes, bytes(32))),
        lambda answer: replace(answer, hashes=(bytes(32), *answer.hashes[1:])),
        lambda answer: replace(answer, frontier=()),
        lambda answer: replace(answer, frontier=(bytes(32), *answer.frontier[1:])),
        lambda answer: replace(answer, first=answer.first - 1),
        lambda answer: replace(answer, second=answer.second + 1),
        lambda answer: NOT_ONE,
    ],
)
@pytest.mark.parametrize("spoiled", [0, 1])
def test_a_proof_that_does_not_hold_breaks_the_log(spoil: Spoil, spoiled: int) -> None:
    log = grown(6)
    reader = reader_of(log)
    join(reader, log)
    read(reader, log)
    log.grow(14)
    newest = signed(log, 20)
    proofs = {first: log.consistency(first) for first in reader.asks(newest, 10)}
    target = (6, 10)[spoiled]
    proofs[target] = spoil(proofs[target])
    reader.join(newest, log.frontier.hashes(), 10, NOW, proofs)
    status = reader.status
    assert (status.state, status.verified_size) == (FeedState.BROKEN, 6)
    assert status.detail.startswith(f"the gateway's proof that {target} entries are the first of 20 does not hold: ")
    assert set(reader.evidence) == {log.note(6), log.note(20)}
    assert reader.pinnable is None


def test_what_was_signed_ahead_of_a_gap_is_still_held_against_the_log() -> None:
    log, other = grown(30), grown(40, other_from=18)
    reader = reader_of(log)
    reader.join(signed(log, 20), log.at(20).hashes(), 0, NOW)
    reader.connected(NOW)
    reader.disconnected("cut", NOW)
    join(reader, other, oldest=16)
    read(reader, other)
    assert reader.status.state is FeedState.BROKEN
    assert log.note(20) in reader.evidence


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 12), st.booleans()), max_size=8), st.booleans())
def test_whatever_is_no_longer_kept_nothing_goes_unaccounted_for(
    steps: list[tuple[int, int, bool]], proves_at_first: bool
) -> None:
    """Shown and declared make up the log, and an honest one is never broken, however often retention overtakes us."""
    log, oldest, shown = grown(3), 0, set[int]()
    reader = reader_of(log)
    join(reader, log, proves=proves_at_first)
    for more, forgotten, proves in steps:
        shown |= {entry.index for entry in read(reader, log, upto=max(reader.status.next_index, log.size - more))}
        reader.disconnected("cut", NOW)
        log.grow(more)
        oldest = min(oldest + forgotten, log.size)
        join(reader, log, oldest, proves=proves)
    shown |= {entry.index for entry in read(reader, log)}
    assert reader.status.state in (FeedState.LIVE, FeedState.GAP)
    assert reader.status.next_index == reader.status.verified_size == log.size
    declared = {index for gap in reader.status.gaps for index in range(gap.first, gap.last + 1)}
    assert shown | declared == set(range(log.size))


def test_entries_that_no_checkpoint_proved_before_a_gap_are_held_against_the_one_behind_it() -> None:
    honest, other = grown(20), grown(20, other_from=6)
    reader = reader_of(honest)
    join(reader, begun := grown(6))
    read(reader, begun)
    read(reader, other, upto=9)
    assert join(reader, honest, oldest=16) == (6, 9, 16)
    status = reader.status
    assert (status.state, status.verified_size) == (FeedState.BROKEN, 6)
    assert status.detail == "the log's first 9 entries are not those that it sent"


def test_entries_that_no_checkpoint_proved_before_a_gap_are_proven_across_it() -> None:
    log = grown(6)
    reader = reader_of(log)
    join(reader, log)
    read(reader, log)
    log.grow(14)
    read(reader, log, upto=9)
    join(reader, log, oldest=16)
    read(reader, log)
    assert reader.status.gaps == (Gap(9, 15, "the gateway keeps entries from 16 on"),)
    assert [reader.status.proves(index) for index in (8, 9, 15, 16, 20)] == [True, False, False, True, False]


def test_without_proofs_they_are_never_called_proven() -> None:
    log, other = grown(6), grown(20, other_from=6)
    reader = reader_of(log)
    join(reader, log)
    read(reader, log)
    read(reader, other, upto=9)
    log.grow(14)
    join(reader, log, oldest=16, proves=False)
    read(reader, log)
    status = reader.status
    assert (status.state, status.verified_size) == (FeedState.GAP, 20)
    assert [status.proves(index) for index in (5, 6, 8)] == [True, False, False]
    assert reader.pinnable is None


@pytest.mark.parametrize("oldest", [12, 16])
def test_what_was_signed_within_a_gap_is_still_held_against_the_log(oldest: int) -> None:
    log, other = grown(20), grown(20, other_from=8)
    reader = reader_of(log)
    join(reader, honest := grown(6))
    read(reader, honest)
    for each in frames(other.checkpoint(12)):
        reader.take(each, NOW)
    join(reader, log, oldest=oldest)
    assert reader.status.state is FeedState.BROKEN
    assert {other.note(12), log.note(20)} <= set(reader.evidence)


def test_more_gaps_than_are_counted_lose_nothing() -> None:
    log, shown = grown(3), set[int]()
    reader = reader_of(log)
    for _ in range(MAX_GAPS + 20):
        log.grow(10)
        join(reader, log, oldest=log.size - 3)
        shown |= {entry.index for entry in read(reader, log)}
    status = reader.status
    assert len(status.gaps) == MAX_GAPS
    assert shown | {index for gap in status.gaps for index in range(gap.first, gap.last + 1)} == set(range(log.size))
    assert (status.state, status.verified_size) == (FeedState.GAP, log.size)
