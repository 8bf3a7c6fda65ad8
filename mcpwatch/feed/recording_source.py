"""A recording as a feed: what watches a live one opens a file as well."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedStatus

SLICE = 200
"""Entries in one batch at most."""


class RecordingSource:
    """The recording at `path`, read once; it is ENDED at its end, and never STALE, for nothing is awaited.

    Raises as `RecordedLog` does.
    """

    def __init__(
        self, path: Path, *, name: str = "", state: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = name or path.name
        self.address = str(path)
        self.log = RecordedLog(path, self.name, state, clock)

    @property
    def status(self) -> FeedStatus:
        """How the log stands, as far as it was read."""
        return self.log.status

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Entries in order, at most SLICE at once and none past a checkpoint. To be read once.

        The last ones come when the file was read to its end, so that nobody who stops at them misses what it ends with.
        """
        batch: list[Entry] = []
        is_full = False
        for each, entries in self.log.events():
            if entries and is_full:
                yield batch
                await asyncio.sleep(0)
                batch = []
            batch += entries
            is_full = len(batch) >= SLICE or each.event.event != "entry"
        yield batch
        self.log.finish()
        await self.close()

    async def close(self) -> None:
        """Stop reading."""
        self.log.close()
