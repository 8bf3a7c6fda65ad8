"""A feed beside others: what keeps it from being read is its status, and it is asked again."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing

from msgspec import structs

from mcpwatch.errors import ConnectError, McpwatchError, RefusedError
from mcpwatch.feed.acts import ActLog
from mcpwatch.feed.source import Source
from mcpwatch.model.entries import AlertActed, Entry
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.tasks import cancel

AGAIN_S = 15.0
"""Seconds until a feed is asked again that would not have us."""
_HISTORY = 100
_NOT_IN = frozenset({FeedState.CONNECTING, FeedState.REFUSED})

Open = Callable[[], Source]
"""Opens a source; raises McpwatchError where it cannot be."""


class PatientSource:
    """The source that `open` gives, opened again every `again_s` seconds while it refuses us from the start.

    One that refuses us after it gave entries stays refused, as it does alone.
    """

    def __init__(
        self,
        name: str,
        address: str,
        open: Open,
        *,
        again_s: float = AGAIN_S,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = name
        self.address = address
        self._open = open
        self._again_s = again_s
        self._clock = clock
        self._sleep = sleep
        self._inner: Source | None = None
        self._refused: FeedStatus | None = None
        self._initial = FeedStatus(name, address)
        self._closed = asyncio.Event()

    @property
    def status(self) -> FeedStatus:
        """How the source stands, or why there is none; being asked again is no news."""
        status = self._initial if self._inner is None else self._inner.status
        if self._refused is not None and status.state in _NOT_IN:
            return self._refused
        return status

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Entries of the source, once it is there. To be read once."""
        while not self._closed.is_set():
            try:
                inner = self._inner = self._open()
            except McpwatchError as error:
                self._refuse(error.whole)
            else:
                async with aclosing(inner.batches()) as batches:
                    async for batch in batches:
                        yield batch
                status = inner.status
                if status.state is not FeedState.REFUSED or status.received:
                    return
                self._refuse(status.detail)
            yield []
            await self._wait(self._again_s)

    async def post(self, acted: AlertActed) -> int:
        """Write an act into the log; raises as `mcpwatch.feed.acts.ActLog` says."""
        inner = self._inner
        if inner is None or not isinstance(inner, ActLog):
            raise RefusedError("This feed takes no acts", self.status.detail)
        return await inner.post(acted)

    async def close(self) -> None:
        """Stop, and let `batches` end."""
        self._closed.set()
        if self._inner is not None:
            await self._inner.close()

    async def _wait(self, seconds: float) -> None:
        """Wait so long, or until this is closed."""
        sleeping, closed = asyncio.ensure_future(self._sleep(seconds)), asyncio.ensure_future(self._closed.wait())
        try:
            await asyncio.wait({sleeping, closed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            await cancel(sleeping)
            await cancel(closed)

    def _refuse(self, reason: str) -> None:
        """Stand as refused, for this reason."""
        now, before = self._clock(), self._refused or self._initial
        is_news = before.detail != reason
        self._refused = structs.replace(
            before,
            state=FeedState.REFUSED,
            detail=reason,
            retry_at=now + self._again_s,
            history=(*before.history, *([(now, FeedState.REFUSED, reason)] if is_news else []))[-_HISTORY:],
        )


class UnreadSource:
    """A source that cannot be read, beside others that are: it ends at once, and its status says why."""

    def __init__(self, name: str, address: str, error: McpwatchError) -> None:
        self.name = name
        self.address = address
        state = FeedState.DISCONNECTED if isinstance(error, ConnectError) else FeedState.REFUSED
        self.status = FeedStatus(name, address, state, error.whole, history=((time.time(), state, error.whole),))

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Nothing, once."""
        yield []

    async def close(self) -> None:
        """There is nothing to stop."""
