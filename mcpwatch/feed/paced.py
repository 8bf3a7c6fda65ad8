"""A feed that gives its entries out as fast as they were made, or some times faster."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.feed.source import Source
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState, FeedStatus


class Pace(Struct, frozen=True):
    """How fast, and from where on; what comes before is given out at once."""

    speed: float = 1.0
    """Times as fast as it happened; infinite for no waiting."""
    from_index: int = 0
    from_time: float = float("-inf")
    """By the gateway's clock, seconds since the epoch."""

    def is_before(self, entry: Entry, when: float) -> bool:
        """Whether an entry of this time comes before what is paced."""
        return entry.index < self.from_index or when < self.from_time


class PacedSource:
    """`source`, each entry held back until it is its time by the gateway's clock; `clock` and `sleep` are for tests."""

    def __init__(
        self,
        source: Source,
        pace: Pace,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.name = source.name
        self.address = source.address
        self._source = source
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._status = source.status
        self._zero: tuple[float, float] | None = None
        """The time of the first paced entry by the gateway's clock and by ours."""
        self._latest = float("-inf")

    @property
    def status(self) -> FeedStatus:
        """How the feed stands, as far as its entries were given out."""
        status = self._status
        if status.state not in (FeedState.CONNECTING, FeedState.LIVE, FeedState.GAP):
            return status
        return replace(status, detail=f"a replay {_speed(self._pace.speed)}, and not what happens now")

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """The entries of the source's batches, in parts; an empty list when only the status changed."""
        batches = self._source.batches()
        try:
            async for batch in batches:
                part: list[Entry] = []
                for entry in batch:
                    delay = self._delay(entry)
                    if delay > 0 and part:
                        yield part
                        part = []
                    if delay > 0:
                        await self._sleep(delay)
                    part.append(entry)
                # A checkpoint counts when the entries that it covers have been seen.
                self._status = self._source.status
                yield part
            self._status = self._source.status
        finally:
            await batches.aclose()

    async def close(self) -> None:
        """Stop."""
        await self._source.close()

    def _delay(self, entry: Entry) -> float:
        """Seconds until it is this entry's time; one that says none has that of the one before."""
        if entry.record is not None:
            self._latest = max(self._latest, entry.record.time.timestamp())
        if self._pace.is_before(entry, self._latest) or self._latest == float("-inf"):
            return 0.0
        now = self._clock()
        if self._zero is None:
            self._zero = self._latest, now
        began, begun = self._zero
        return begun + (self._latest - began) / self._pace.speed - now


def _speed(speed: float) -> str:
    return "at full speed" if speed == float("inf") else f"at {speed:g} times its speed"
