"""The service that fetches the keys a key book asks for."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Resolved, ThrottledError, Unavailable
from mcpwatch.identity.resolvers import RESOLVERS, ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher

logger = logging.getLogger(__name__)

CONCURRENCY = 4
"""Questions of one resolver at one time; none takes another's turn."""
PERIOD_S = 1.0
"""How often the book is looked through for answers that are due again."""
GATHER_S = 0.02
"""How long new questions are gathered, so that a flood of them costs one look."""


class Resolver:
    """Takes what `keys` wants, asks, and puts the answers in; then names the identities to `on_resolved`."""

    def __init__(
        self,
        keys: KeyBook,
        options: ResolverOptions,
        fetcher: Fetcher,
        *,
        on_resolved: Callable[[list[str]], Awaitable[None]] | None = None,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        """Raises UsageError when an address in `options` is none.

        `wall` is the clock by which signatures are received, which tells whether a question came after one.
        """
        self._keys = keys
        self._on_resolved = on_resolved
        self._clock = clock
        self._wall = wall
        made = ((row.prefix, row.make(options, fetcher, keys)) for row in RESOLVERS)
        self._made = {prefix: one for prefix, one in made if one is not None}
        self._order = sorted(self._made, key=len, reverse=True)
        self._single = {row.prefix for row in RESOLVERS if row.is_one}
        self._down: set[str] = set()
        keys.resolvable = tuple(self._made)
        self._queues: dict[str, asyncio.Queue[str]] = {prefix: asyncio.Queue() for prefix in self._made}
        self._taken: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with self._woken(), asyncio.TaskGroup() as group:
            for prefix, one in self._made.items():
                for _ in range(CONCURRENCY):
                    group.create_task(self._work(prefix))
                if one.tick is not None:
                    group.create_task(_tick(one.tick))
            while True:
                self._wake.clear()
                self._hand_out()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD_S):
                        await self._wake.wait()
                        await asyncio.sleep(GATHER_S)

    async def ask(self, id: str) -> None:
        """Ask for one identity, and put in what came of it; no answer, however odd, ends the asking."""
        prefix, asked = self._prefix(id), self._wall()
        try:
            resolved = await self._resolve(prefix, id)
        except ThrottledError as failure:
            self._keys.postponed(id, self._clock(), failure.after_s or 0.0)
        except Unavailable as failure:
            self._down.add(prefix)
            if self._keys.failed(id, failure.reason, self._clock(), failure.after_s):
                await self._told(id)
        else:
            self._keys.learn(id, resolved, self._clock(), asked)
            if prefix in self._down and prefix in self._single:
                self._keys.ask_failed(prefix)
            self._down.discard(prefix)
            await self._told(id)

    async def _told(self, id: str) -> None:
        if self._on_resolved is not None:
            await self._on_resolved([id])

    async def _resolve(self, prefix: str, id: str) -> Resolved:
        try:
            return await self._made[prefix].resolve(id)
        except Unavailable:
            raise
        except Exception as error:
            logger.error("asking for an identity of %s failed: %s", prefix or "a JWKS", type(error).__name__)
            raise Unavailable("asking for it failed here") from None

    def _hand_out(self) -> None:
        for id in self._keys.wanted(self._clock()):
            if id not in self._taken:
                self._taken.add(id)
                self._queues[self._prefix(id)].put_nowait(id)

    def _prefix(self, id: str) -> str:
        """Whose identity it is; the empty prefix's where nobody else's."""
        return next(prefix for prefix in self._order if id.startswith(prefix))

    @asynccontextmanager
    async def _woken(self) -> AsyncIterator[None]:
        """Be told by the book, in whatever thread it is used, when it wants something."""
        loop = asyncio.get_running_loop()
        self._keys.notify = lambda: loop.call_soon_threadsafe(self._wake.set)
        try:
            yield
        finally:
            self._keys.notify = None

    async def _work(self, prefix: str) -> None:
        queue = self._queues[prefix]
        while True:
            id = await queue.get()
            try:
                await self.ask(id)
            finally:
                self._taken.discard(id)


async def _tick(look: Callable[[], Awaitable[None]]) -> None:
    while True:
        await look()
        await asyncio.sleep(PERIOD_S)
