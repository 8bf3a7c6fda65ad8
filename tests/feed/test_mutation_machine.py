"""Whatever is done to a stream is found by the next checkpoint, and what is not tampered with never alarms."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from random import Random

import pytest
from mutations import EVENTS, MUTATIONS, SIZE, TRUTH, Event, Tampered, covers, dispatched, is_entry, opinions, resent
from tiny_log import START

from mcpwatch.feed.log import LogReader
from mcpwatch.feed.sse import SseReader
from mcpwatch.model.feed import FeedState

BAD = (FeedState.BROKEN, FeedState.ROLLBACK)
LONG = int(os.environ.get("MCPWATCH_MUTATIONS", "100000"))
"""Streams of the long run, tampered with and untouched each."""
SHORT = 400


class Watched:
    """A log reader that is given a stream's octets in pieces, and tells how it stands after each event."""

    def __init__(self) -> None:
        self.reader = LogReader("", "", TRUTH.verifier)
        self.reader.connected(float(START))
        self.leaves: list[bytes] = []

    def read(self, pieces: Sequence[bytes]) -> Iterator[None]:
        sse = SseReader()
        for piece in pieces:
            for frame in sse.feed(piece):
                self.leaves += [entry.leaf for entry in self.reader.take(frame, float(START))]
                yield

    @property
    def alarm(self) -> bool:
        return self.reader.status.state in BAD

    @property
    def verified(self) -> int:
        return self.reader.status.verified_size


def pieces(random: Random, stream: bytes) -> list[bytes]:
    """The stream cut at random, from single octets to one piece."""
    most = random.choice([1, 7, 60, 60, 200, 200, 1000, 1000, len(stream), len(stream)])
    cut, at = [], 0
    while at < len(stream):
        size = random.randint(1, most)
        cut.append(stream[at : at + size])
        at += size
    return cut


def deadline(events: Sequence[Event], at: int, before: int) -> int:
    """The number of the event by which it has to be found that from event `at` on not all is as it was.

    That is the next checkpoint which covers more than the `before` entries that came till then. Where the last entry
    under it was left out, it stays unproven and the next entry tells why.
    """
    covering = next(number for number, event in enumerate(events) if number >= at and covers(event) > before)
    return next(number for number, event in enumerate(events, 1) if number > covering + 1 and event[0] == "entry")


def tampered_with(mutation: Callable[[Random], Tampered], seed: int) -> str:
    """Read one tampered stream and judge what was made of it: found, or harmless."""
    random = Random(seed)
    tampered = mutation(random)
    stream = b"".join(tampered.events)
    before = sum(map(is_entry, EVENTS[: tampered.at]))
    due = deadline(list(dispatched(stream)), len(list(dispatched(b"".join(tampered.events[: tampered.at])))), before)
    watched, found = Watched(), None
    name = f"{mutation.__name__} {seed}"
    steps = zip(watched.read(pieces(random, stream)), opinions(stream), strict=True)
    for number, (_, opinion) in enumerate(steps, 1):
        assert (watched.alarm, watched.verified) == (opinion.alarm, opinion.verified), name
        if watched.alarm and found is None:
            found = number
            assert watched.reader.evidence or not watched.verified, name
    proven = watched.leaves[: watched.verified]
    assert proven == TRUTH.leaves[: watched.verified], name
    if found is None:
        assert (watched.leaves, watched.verified) == (TRUTH.leaves, SIZE), name
        assert watched.reader.status.repeated == opinion.repeated, name
        return "harmless"
    assert found <= due, name
    assert watched.verified <= before, name
    return "found"


def untouched(seed: int) -> None:
    """Read the stream as it was sent, cut at random and over several connections."""
    random = Random(seed)
    watched = Watched()
    for _ in watched.read(pieces(random, b"".join(resent(random)))):
        assert not watched.alarm, seed
    status = watched.reader.status
    assert (status.state, status.verified_size, status.malformed) == (FeedState.LIVE, SIZE, 0), seed
    assert watched.leaves == TRUTH.leaves, seed


def run(count: int) -> Counter[tuple[str, str]]:
    """Tamper with so many streams, each mutation in turn, and read as many that nobody touched."""
    told = Counter[tuple[str, str]]()
    for seed in range(count):
        mutation = MUTATIONS[seed % len(MUTATIONS)]
        told[mutation.__name__, tampered_with(mutation, seed)] += 1
        untouched(seed)
    return told


def test_each_of_some_hundred_mutations_is_found_and_no_untouched_stream_alarms() -> None:
    told = run(SHORT)
    assert {name for name, outcome in told if outcome == "found"} == {each.__name__ for each in MUTATIONS}


@pytest.mark.faults
def test_each_of_a_hundred_thousand_mutations_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(LONG)
    with capsys.disabled():
        print("", *(f"{name:10} {outcome:9} {count:6,}" for (name, outcome), count in sorted(told.items())), sep="\n")
