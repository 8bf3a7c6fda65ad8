"""A feed that is read up to its newest checkpoint and then ends, as a recording does."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable

from msgspec import Struct

from mcpwatch.errors import RefusedError
from mcpwatch.feed.acts import ActLog
from mcpwatch.feed.source import Source
from mcpwatch.feed.standing import STICKY
from mcpwatch.model.entries import AlertActed, Entry
from mcpwatch.model.feed import STALE_AFTER, FeedState, FeedStatus
from mcpwatch.tasks import cancel

PATIENCE_S = 2 * STALE_AFTER
"""Without an entry or a proof for so long, no more is expected."""
LULL_S = 2.0
"""Without an entry for so long, a feed without a log is taken for read."""
LOOK_S = 0.1
"""Seconds between two looks at the clock while nothing comes."""
_OVER = frozenset({FeedState.REFUSED, FeedState.ENDED})


class Until(Struct, frozen=True):
    """When to stop taking in what comes; without either only what is there already is read."""

    seconds: float | None = None
    idle: float | None = None
    """Seconds without an entry."""


class UpTo:
    """`source` up to the checkpoint that is its newest when it is joined, or else all that comes until `until`.

    Entries after that are left out, so what is read is proven when it ends. It also ends when no proof can come any
    more, which `is_proven` tells; a log that does not hold is still read to its end.
    """

    def __init__(
        self,
        source: Source,
        until: Until = Until(),  # noqa: B008
        *,
        patience_s: float = PATIENCE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = source.name
        self.address = source.address
        self.size: int | None = None
        """Entries below this are read; None until it is known."""
        self._source = source
        self._until = until
        self._patience_s = patience_s
        self._clock = clock
        self._coming: asyncio.Future[list[Entry] | None] | None = None
        self._begun = self._entered = self._heard = clock()
        self._verified = 0
        self._end: FeedStatus | None = None

    @property
    def status(self) -> FeedStatus:
        """How the feed stands, or stood when the last was read."""
        return self._source.status if self._end is None else self._end

    @property
    def is_proven(self) -> bool:
        """Whether a checkpoint that holds covers all that was to be read, and no entry of it is missing."""
        status = self.status
        if self.size is None or status.checkpoint is None or status.gaps or status.state in STICKY:
            return False
        return status.verified_size >= self.size

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Entries in order; an empty list when only the status or the time changed. To be read once."""
        batches = self._source.batches()
        try:
            while not self._is_over():
                batch = await self._next(batches)
                if batch is None:
                    break
                self._hear(batch)
                yield [entry for entry in batch if self.size is None or entry.index < self.size]
        finally:
            self._end = self._source.status
            if self._coming is not None:
                await cancel(self._coming)
            await batches.aclose()

    async def post(self, acted: AlertActed) -> int:
        """Write an act into the log; raises as `mcpwatch.feed.acts.ActLog` says."""
        if not isinstance(self._source, ActLog):
            raise RefusedError("This feed takes no acts")
        return await self._source.post(acted)

    async def close(self) -> None:
        """Stop, and let `batches` end."""
        await self._source.close()

    async def _next(self, batches: AsyncGenerator[list[Entry], None]) -> list[Entry] | None:
        """What comes next, nothing where nothing does for `LOOK_S`, None at the end."""
        if self._coming is None:
            self._coming = asyncio.ensure_future(anext(batches, None))
        done, _ = await asyncio.wait({self._coming}, timeout=LOOK_S)
        if not done:
            return []
        coming, self._coming = self._coming, None
        return coming.result()

    def _hear(self, batch: list[Entry]) -> None:
        now, status = self._clock(), self._source.status
        if batch:
            self._entered = now
        if batch or status.verified_size > self._verified:
            self._heard, self._verified = now, status.verified_size
        if self.size is None and status.announced is not None and self._is_time(now):
            self.size = status.announced if self._until == Until() else max(status.announced, status.next_index)
            self._heard = now

    def _is_time(self, now: float) -> bool:
        """Whether what comes from now on is no longer wanted."""
        seconds, idle = self._until.seconds, self._until.idle
        if seconds is None and idle is None:
            return True
        begun, entered = now - self._begun, now - self._entered
        return (seconds is not None and begun >= seconds) or (idle is not None and entered >= idle)

    def _is_enough(self, now: float) -> bool:
        """Whether to stop reading a feed without a log, which cannot say where its end is."""
        if self._until != Until():
            return self._is_time(now)
        is_quiet = self._source.status.received > 0 and now - self._entered >= LULL_S
        return is_quiet or now - self._begun >= self._patience_s

    def _is_over(self) -> bool:
        status, size, now = self._source.status, self.size, self._clock()
        if status.state is FeedState.UNPROVEN and self._is_enough(now):
            return True
        is_spoiled = status.state in STICKY
        if status.state in _OVER:
            return True
        if size is None:
            is_lost = status.announced is None and self._is_time(now) and now - self._heard >= self._patience_s
            return is_spoiled or is_lost
        if status.next_index >= size and (is_spoiled or status.verified_size >= size):
            return True
        return now - self._heard >= self._patience_s
