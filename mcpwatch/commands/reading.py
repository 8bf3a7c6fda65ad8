"""Saying on a terminal what a command that reads feeds to their end still waits for."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from mcpwatch.commands.progress_line import ProgressLine
from mcpwatch.feed.upto import UpTo
from mcpwatch.tasks import cancel

_EVERY_S = 0.5
"""Seconds until something is said, and between two looks."""


@asynccontextmanager
async def reading(feeds: Sequence[UpTo]) -> AsyncIterator[None]:
    """Say on the error stream, where that is a terminal, how far the feeds are, unless they are soon read."""
    line = ProgressLine(sys.stderr)
    telling = asyncio.create_task(_tell(line, feeds))
    try:
        yield
    finally:
        await cancel(telling)
        line.clear()


async def _tell(line: ProgressLine, feeds: Sequence[UpTo]) -> None:
    while True:
        await asyncio.sleep(_EVERY_S)
        line.draw(lambda: "; ".join(filter(None, map(awaited, feeds))))


def awaited(feed: UpTo) -> str:
    """What is still to come of a feed, as raw text; empty where it is proven or its end is not known."""
    if feed.size is None or feed.is_proven:
        return ""
    read = min(feed.status.next_index, feed.size)
    if read < feed.size:
        return f"{feed.name}: {read:,} of {feed.size:,} entries are read"
    return f"{feed.name}: all {feed.size:,} entries are read; waiting for a checkpoint that proves them"
