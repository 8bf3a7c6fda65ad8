"""Whatever is done to a stream shows by the next checkpoint; nothing done to it shows nothing."""

from collections.abc import Callable
from itertools import pairwise

from hypothesis import assume, given
from hypothesis import strategies as st
from tiny_log import START, TinyLog

from mcpwatch.feed.log import LogReader
from mcpwatch.feed.sse import SseReader, StreamFault, frame
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState

EVERY = 8
LOG = TinyLog()
EVENTS = LOG.grow(64, every=EVERY)
ENTRIES = [at for at, event in enumerate(EVENTS) if event.startswith(b"id:")]
CHECKPOINTS = [at for at in range(len(EVENTS)) if at not in ENTRIES]
BAD = (FeedState.BROKEN, FeedState.ROLLBACK)


def watch(stream: bytes, cuts: list[int] | None = None) -> tuple[LogReader, list[Entry]]:
    """Read a stream in pieces, each on the same connection."""
    reader = LogReader("", "", LOG.verifier)
    reader.connected(float(START))
    sse = SseReader()
    entries: list[Entry] = []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts or []), len(stream)]
    for start, end in pairwise(edges):
        for each in sse.feed(stream[start:end]):
            entries += reader.take(each, float(START))
    return reader, entries


def drop(events: list[bytes], at: int, other: int) -> None:
    del events[at]


def swap(events: list[bytes], at: int, other: int) -> None:
    events[at], events[other] = events[other], events[at]


def change(events: list[bytes], at: int, other: int) -> None:
    events[at] = frame("entry", LOG.leaves[ENTRIES.index(at)].replace(b"200", b"201"), ENTRIES.index(at))


def insert(events: list[bytes], at: int, other: int) -> None:
    events.insert(at, frame("entry", b"{}", ENTRIES.index(at)))


def renumber(events: list[bytes], at: int, other: int) -> None:
    """Leave one out and let the rest move up, envelope and all."""
    first = ENTRIES.index(at)
    del events[at]
    number = first
    for place in range(at, len(events)):
        if events[place].startswith(b"id:"):
            leaf = LOG.leaves[number + 1].replace(b'"id":"%d"' % (number + 1), b'"id":"%d"' % number)
            events[place] = frame("entry", leaf, number)
            number += 1


def copy_over(events: list[bytes], at: int, other: int) -> None:
    """Put one entry's content in the place of another."""
    events[at] = frame("entry", LOG.leaves[ENTRIES.index(other)], ENTRIES.index(at))


MUTATIONS: list[Callable[[list[bytes], int, int], None]] = [drop, swap, change, insert, renumber, copy_over]


@given(st.lists(st.integers(0, 10**6), max_size=30))
def test_a_whole_stream_is_proven_however_it_is_cut(cuts: list[int]) -> None:
    reader, entries = watch(b"".join(EVENTS), cuts)
    assert [entry.leaf for entry in entries] == LOG.leaves
    assert not any(entry.fault for entry in entries)
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, len(LOG.leaves))


@given(st.sampled_from(MUTATIONS), st.data())
def test_a_tampered_entry_shows_by_the_next_checkpoint(
    mutation: Callable[[list[bytes], int, int], None], data: st.DataObject
) -> None:
    at, other = data.draw(st.lists(st.sampled_from(ENTRIES[:-EVERY]), min_size=2, max_size=2, unique=True))
    events = list(EVENTS)
    mutation(events, at, other)
    assume(events != EVENTS)
    touched = min(at, other) if mutation is swap else at
    checkpoint = next(place for place in CHECKPOINTS if place > touched)
    # What is missing just before a checkpoint shows with the entry after it.
    until, _ = watch(b"".join(events[: checkpoint + 3]))
    assert until.status.state in BAD
    assert until.status.verified_size <= ENTRIES.index(touched)
    reader, entries = watch(b"".join(events))
    assert reader.status.verified_size == until.status.verified_size
    shown = {entry.index for entry in entries}
    gaps = {index for gap in reader.status.gaps for index in range(gap.first, gap.last + 1)}
    assert shown | gaps == set(range(reader.status.next_index))
    assert not shown & gaps


def test_a_last_entry_withheld_leaves_its_checkpoint_waiting_and_the_feed_stale() -> None:
    events = [each for at, each in enumerate(EVENTS) if at != ENTRIES[-1]]
    reader, _ = watch(b"".join(events))
    assert reader.status.verified_size == len(LOG.leaves) - EVERY
    reader.tick(START + 16.0)
    assert reader.status.detail == "no fresh checkpoint for 15 s"


@given(st.sampled_from(ENTRIES), st.integers(1, 20))
def test_entries_that_come_again_are_harmless(at: int, count: int) -> None:
    events = EVENTS[: at + 1] + [each for each in EVENTS[max(at - count, 0) : at + 1] if each.startswith(b"id:")]
    reader, entries = watch(b"".join(events + EVENTS[at + 1 :]))
    assert [entry.leaf for entry in entries] == LOG.leaves
    assert reader.status.state is FeedState.LIVE
    assert reader.status.repeated > 0


@given(st.sampled_from(CHECKPOINTS[:-1]))
def test_a_checkpoint_left_out_is_made_good_by_the_next(at: int) -> None:
    reader, _ = watch(b"".join(EVENTS[:at] + EVENTS[at + 1 :]))
    assert (reader.status.state, reader.status.verified_size) == (FeedState.LIVE, len(LOG.leaves))


@given(st.lists(st.sampled_from(CHECKPOINTS), min_size=2, max_size=2, unique=True))
def test_an_old_checkpoint_is_a_rollback(places: list[int]) -> None:
    older, newer = sorted(places)
    reader, _ = watch(b"".join([*EVENTS[: newer + 1], EVENTS[older]]))
    assert reader.status.state is FeedState.ROLLBACK
    assert len(reader.evidence) == 2


@given(st.integers(0, 10**9))
def test_no_bit_of_a_stream_can_be_flipped_unseen(bit: int) -> None:
    """It breaks the log, or the entries are all there and as they were."""
    stream = bytearray(b"".join(EVENTS))
    bit %= len(stream) * 8
    stream[bit // 8] ^= 1 << bit % 8
    try:
        reader, entries = watch(bytes(stream))
    except StreamFault:
        return
    if reader.status.state in BAD:
        return
    proven = reader.status.verified_size
    assert [entry.leaf for entry in entries][:proven] == LOG.leaves[:proven]
    assert proven >= len(LOG.leaves) - EVERY


@given(st.integers(0, 10**9))
def test_a_cut_tail_leaves_only_what_was_proven_proven(length: int) -> None:
    stream = b"".join(EVENTS)
    reader, entries = watch(stream[: length % len(stream)])
    assert reader.status.state not in BAD
    assert [entry.leaf for entry in entries] == LOG.leaves[: len(entries)]
    assert len(entries) - EVERY <= reader.status.verified_size <= len(entries)
    reader.tick(START + 16.0)
    assert reader.status.state is FeedState.STALE


@given(st.integers(0, 62))
def test_a_fork_shows_at_its_first_checkpoint(length: int) -> None:
    """The same key signs another history: every leaf and note of it is good in itself."""
    other = TinyLog()
    other.grow(length)
    other.add(leaf=LOG.leaves[length].replace(b"200", b"500"))
    other.grow(70 - other.size)
    proven, _ = watch(b"".join(EVENTS))
    for each in SseReader().feed(b"".join([*(other.entry(at) for at in range(64, 70)), other.checkpoint()])):
        proven.take(each, float(START))
    assert proven.status.state is FeedState.BROKEN
    assert set(proven.evidence) == {LOG.note(), other.note()}
