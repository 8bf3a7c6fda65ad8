"""What a command that reads to the end says on a terminal while it waits."""

import asyncio
import io
import sys
from collections.abc import AsyncGenerator

import pytest
from build import START

from mcpwatch.commands import reading
from mcpwatch.feed.upto import UpTo
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus


class Standing:
    """A source that stands where it is told, and gives out nothing."""

    name, address = "production", "http://127.0.0.1:1"

    def __init__(self, read: int, verified: int) -> None:
        head = Checkpoint("gateway.example/feed/1", verified, b"", b"") if verified else None
        self.status = FeedStatus(
            self.name, self.address, FeedState.LIVE, announced=4_000, connected_at=START, next_index=read,
            verified_size=verified, checkpoint=head,
        )  # fmt: skip

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        while True:
            yield []

    async def close(self) -> None:
        pass


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


async def joined(read: int, verified: int = 0) -> UpTo:
    """A feed that knows where its end is."""
    feed = UpTo(Standing(read, verified))
    batches = feed.batches()
    await anext(batches, None)
    await batches.aclose()
    return feed


@pytest.mark.parametrize(
    ("read", "verified", "said"),
    [
        (1_500, 0, "production: 1,500 of 4,000 entries are read"),
        (4_000, 3_000, "production: all 4,000 entries are read; waiting for a checkpoint that proves them"),
        (5_000, 0, "production: all 4,000 entries are read; waiting for a checkpoint that proves them"),
        (4_000, 4_000, ""),
    ],
)
async def test_it_says_what_is_still_to_come(read: int, verified: int, said: str) -> None:
    assert reading.awaited(await joined(read, verified)) == said


async def test_nothing_is_said_of_a_feed_whose_end_is_not_known() -> None:
    assert reading.awaited(UpTo(Standing(1_500, 0))) == ""


@pytest.mark.parametrize("out", [Terminal(), io.StringIO()])
async def test_it_is_drawn_on_a_terminal_alone_and_leaves_the_line_empty(
    out: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", out)
    monkeypatch.setattr(reading, "_EVERY_S", 0)
    async with reading.reading([await joined(4_000)]):
        for _ in range(5):
            await asyncio.sleep(0)
    assert ("waiting for a checkpoint" in out.getvalue()) is out.isatty()
    assert out.getvalue().rpartition("\r\x1b[K")[2] == ""
