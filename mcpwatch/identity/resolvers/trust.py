"""The service that learns, identity by identity, where trust leads; what it learnt is there to be read at any time.

It asks slowly, one question at a time, and never because of a call: an identity is looked at once in ten minutes.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Iterable

from msgspec import Struct

from mcpwatch.identity.ed25519 import DID_AIP
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.vouching import REFRESH_S, Pause, Vouching, is_registered_name
from mcpwatch.model.trust import Asserted, Standing

RETRY_S = 60.0
PERIOD_S = 2.0
"""How often it looks for identities that it does not know yet."""
MAX_IDENTITIES = 1_000


class _Record(Struct):
    """What is known of one identity's standing."""

    due: float
    """When it is to be looked at, by the monotonic clock."""
    asked: float | None = None
    """When the registry answered, seconds since the epoch."""
    asserted: Asserted | None = None
    failure: str = ""


class Trust:
    """Where trust leads from `roots`. `seen` names the identities that were seen signing; `wall` is the time of day."""

    def __init__(
        self,
        keys: KeyBook,
        address: str,
        roots: Collection[str],
        fetcher: Fetcher,
        *,
        seen: Callable[[], Iterable[str]] = tuple,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        pause: Pause = asyncio.sleep,
    ) -> None:
        """Raises UsageError when `address` is not that of a registry."""
        self._vouching = Vouching(keys, address, roots, fetcher, clock=clock, pause=pause)
        self._seen = seen
        self._clock = clock
        self._wall = wall
        self._pause = pause
        self._records: dict[str, _Record] = {}
        self._shown = ""

    async def run(self) -> None:
        """Serve until cancelled."""
        while True:
            id = self._next()
            if id:
                await self.look(id)
            else:
                await self._pause(PERIOD_S)

    async def look(self, id: str) -> None:
        """Ask for everything that bears on an identity, and remember what came of it; a failure evicts nothing."""
        record = self._records.setdefault(id, _Record(self._clock()))
        try:
            record.asserted = await self._vouching.look(id, self._wall())
        except Unavailable as failure:
            record.failure = failure.reason
            record.due = self._clock() + max(failure.after_s or 0.0, RETRY_S)
        else:
            record.asked, record.failure = self._wall(), ""
            record.due = self._clock() + REFRESH_S

    def standing(self, id: str) -> Standing:
        """Where trust stands with an identity; the one asked for here last is looked at next when it is due."""
        record, now = self._records.get(id) or _Record(0.0), self._wall()
        self._shown = id
        path, is_root = self._vouching.path(id, now), id in self._vouching.roots
        return Standing(
            id,
            is_root,
            path,
            self._vouching.steps(id, now),
            record.asserted,
            record.asked,
            record.failure,
            "" if path or is_root else self._why_none(id, record),
        )

    def _next(self) -> str:
        """The identity to look at; empty where none is due."""
        now = self._clock()
        for id in self._seen():
            if len(self._records) < MAX_IDENTITIES and id not in self._records and is_registered_name(id):
                self._records[id] = _Record(now)
        due = [(id != self._shown, record.due, id) for id, record in self._records.items() if record.due <= now]
        return min(due)[2] if due else ""

    def _why_none(self, id: str, record: _Record) -> str:
        if not id.startswith(DID_AIP):
            return "only did:aip identities have vouches"
        if id not in self._records:
            return "the registry is asked about identities that were seen signing"
        if record.asked is None:
            return "the registry has not answered yet"
        return "no vouch that holds leads here from a root"
