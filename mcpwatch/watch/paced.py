"""A recording that gives its entries out when its transport lets them pass."""

import math
from collections.abc import AsyncGenerator

from msgspec.structs import replace

from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.watch.transport import Transport


class PacedSource:
    """`source`, each entry held back until `transport` lets it pass.

    An entry counts as received at the time that the gateway gave it, so that what is made of it does not depend on
    when and how fast it is played.
    """

    def __init__(self, source: RecordingSource, transport: Transport) -> None:
        self.name = source.name
        self.address = source.address
        self._source = source
        self._transport = transport
        self._status = source.status
        self._latest = -math.inf
        transport.begin(source.log.recording.head.first, source.log.extent)

    @property
    def status(self) -> FeedStatus:
        """How the feed stands, as far as its entries were given out, by the clock of the recording."""
        status, now = self._status, self._transport.now()
        checkpoint = status.checkpoint
        # One from a time that the player has not come to would take the gateway's clock there.
        is_past = checkpoint is not None and checkpoint.time is not None and checkpoint.time <= now
        detail = status.detail
        if status.state in (FeedState.CONNECTING, FeedState.LIVE, FeedState.GAP):
            detail = f"a replay {_speed(self._transport.speed)}, and not what happens now"
        return replace(
            status,
            detail=detail,
            last_entry_at=self._latest if self._latest > -math.inf else None,
            last_checkpoint_at=float(checkpoint.time) if is_past and checkpoint and checkpoint.time else None,
        )

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """The entries of the source's batches, in parts; an empty list when only the status changed."""
        transport = self._transport
        batches = self._source.batches()
        try:
            async for batch in batches:
                part: list[Entry] = []
                for entry in batch:
                    due = self._due(entry)
                    while (delay := transport.delay(entry.index, due)) > 0:
                        if part:
                            yield part
                            part = []
                        else:
                            await transport.wait(delay)
                    part.append(self._give(entry, due))
                    if transport.is_looking:
                        yield part
                        part = []
                # A checkpoint counts when the entries that it covers have been seen.
                self._status = self._source.status
                yield part
            self._status = self._source.status
            transport.end()
        finally:
            await batches.aclose()

    async def close(self) -> None:
        """Stop."""
        await self._source.close()

    def _due(self, entry: Entry) -> float:
        """The time of an entry by the gateway's clock; one that says none has that of the one before."""
        return self._latest if entry.record is None else max(self._latest, entry.record.time.timestamp())

    def _give(self, entry: Entry, due: float) -> Entry:
        self._latest = due
        self._transport.gave(entry.index, due)
        return replace(entry, received=due) if due > -math.inf else entry


def _speed(speed: float) -> str:
    return "at full speed" if speed == math.inf else f"at {speed:g} times its speed"
