"""A feed that is read up to its newest checkpoint ends there, and says whether all of that is proven."""

from collections.abc import AsyncGenerator, Sequence

import pytest
from build import START, Log
from msgspec import structs
from rpc import call

from mcpwatch.feed.upto import Until, UpTo
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus, Gap

JOINED = FeedStatus("gw", "http://127.0.0.1:1", FeedState.LIVE, announced=4, connected_at=START)


def proof(size: int) -> Checkpoint:
    return Checkpoint("gateway.example/feed/1", size, b"", b"")


def entries(count: int) -> list[Entry]:
    log = Log()
    for number in range(count):
        log.request(call(number, "read"))
    return log.entries


class Played:
    """Gives out statuses with the entries that come with each, then keeps still; each look takes a second."""

    name, address = JOINED.name, JOINED.address

    def __init__(self, *told: tuple[FeedStatus, Sequence[Entry]], ends: bool = False) -> None:
        self.status = FeedStatus(self.name, self.address)
        self.now = 0.0
        self._told = told
        self._ends = ends

    def clock(self) -> float:
        self.now += 1.0
        return self.now

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        for status, batch in self._told:
            self.status = status
            yield list(batch)
        while not self._ends:
            yield []

    async def close(self) -> None:
        pass


def got(next: int, verified: int = 0, **more: object) -> FeedStatus:
    """The status of a log of four entries of which so many came, and so many are proven."""
    checkpoint = proof(verified) if verified else None
    return structs.replace(JOINED, next_index=next, verified_size=verified, checkpoint=checkpoint, **more)


async def read(source: Played, until: Until = Until()) -> tuple[UpTo, list[int]]:  # noqa: B008
    feed = UpTo(source, until, clock=source.clock)
    return feed, [entry.index async for batch in feed.batches() for entry in batch]


async def test_it_ends_where_the_newest_checkpoint_is_proven_and_leaves_the_rest_out() -> None:
    log = entries(7)
    source = Played((got(0), ()), (got(3), log[:3]), (got(6, 4), log[3:6]), (got(7, 7), log[6:]))
    feed, indexes = await read(source)
    assert (indexes, feed.size, feed.is_proven) == ([0, 1, 2, 3], 4, True)


async def test_entries_without_their_checkpoint_are_waited_for_and_are_not_proven() -> None:
    feed, indexes = await read(Played((got(0), ()), (got(4), entries(4))))
    assert (indexes, feed.is_proven) == ([0, 1, 2, 3], False)


async def test_entries_that_are_withheld_are_not_waited_for_for_ever() -> None:
    feed, indexes = await read(Played((got(0), ()), (got(2, 2), entries(2))))
    assert (indexes, feed.is_proven) == ([0, 1], False)


async def test_an_empty_log_that_is_signed_is_proven() -> None:
    empty = structs.replace(JOINED, announced=0, checkpoint=proof(0))
    feed, indexes = await read(Played((empty, ())))
    assert (indexes, feed.is_proven) == ([], True)


@pytest.mark.parametrize("state", [FeedState.BROKEN, FeedState.ROLLBACK])
async def test_a_log_that_does_not_hold_is_read_to_its_end_and_not_proven(state: FeedState) -> None:
    feed, indexes = await read(Played((got(0), ()), (got(4, 2, state=state), entries(4))))
    assert (indexes, feed.is_proven) == ([0, 1, 2, 3], False)


async def test_a_log_with_a_gap_is_not_proven() -> None:
    gap = (Gap(0, 1, "the gateway keeps entries from 2 on"),)
    feed, indexes = await read(Played((got(2, gaps=gap), ()), (got(4, 4, gaps=gap), entries(4)[2:])))
    assert (indexes, feed.is_proven) == ([2, 3], False)


@pytest.mark.parametrize("state", [FeedState.REFUSED, FeedState.BROKEN, FeedState.DISCONNECTED, FeedState.ENDED])
async def test_a_feed_that_was_never_joined_ends_unproven(state: FeedState) -> None:
    feed, indexes = await read(Played((FeedStatus("gw", JOINED.address, state), ())))
    assert (indexes, feed.size, feed.is_proven) == ([], None, False)


async def test_a_source_that_ends_by_itself_is_held_against_its_newest_checkpoint() -> None:
    ended = structs.replace(got(4, 4), state=FeedState.ENDED)
    feed, indexes = await read(Played((got(4, 4), entries(4)), (ended, ()), ends=True))
    assert (indexes, feed.is_proven) == ([0, 1, 2, 3], True)


async def test_for_some_seconds_what_comes_is_taken_too_and_has_to_be_proven() -> None:
    log = entries(6)
    told = [(got(4, 4), log[:4]), (got(6, 4), log[4:])]
    feed, indexes = await read(Played(*told, *[(got(6, 4), ())] * 5, (got(6, 6), ())), Until(seconds=10.0))
    assert (indexes, feed.size, feed.is_proven) == ([0, 1, 2, 3, 4, 5], 6, True)
    feed, indexes = await read(Played(*told), Until(seconds=10.0))
    assert (indexes, feed.is_proven) == ([0, 1, 2, 3, 4, 5], False)


async def test_until_idle_counts_from_the_last_entry() -> None:
    log = entries(9)
    told = [(got(count, count), [log[count - 1]]) for count in range(1, 9)]
    feed, indexes = await read(Played(*told), Until(idle=6.0))
    assert (len(indexes), feed.is_proven) == (8, True)


async def test_it_stands_as_it_stood_at_its_end() -> None:
    source = Played((got(4, 4), entries(4)))
    feed, _ = await read(source)
    source.status = structs.replace(source.status, state=FeedState.STALE)
    assert feed.status.state is FeedState.LIVE
