"""The service that fetches the keys a key book asks for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

from mcpwatch.identity.answers import ThrottledError, Unavailable
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolvers import RESOLVERS, Resolve, ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher

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
        on_resolved: Callable[[list[str]], None] = lambda ids: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Raises UsageError when an address in `options` is none."""
        self._keys = keys
        self._on_resolved = on_resolved
        self._clock = clock
        made = ((row.prefix, row.make(options, fetcher, keys)) for row in RESOLVERS)
        self._resolve: dict[str, Resolve] = {prefix: resolve for prefix, resolve in made if resolve is not None}
        keys.resolvable = tuple(self._resolve)
        self._queues: dict[str, asyncio.Queue[str]] = {prefix: asyncio.Queue() for prefix in self._resolve}
        self._taken: set[str] = set()
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        async with self._woken(), asyncio.TaskGroup() as group:
            for prefix in self._resolve:
                for _ in range(CONCURRENCY):
                    group.create_task(self._work(prefix))
            while True:
                self._wake.clear()
                self._hand_out()
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD_S):
                        await self._wake.wait()
                        await asyncio.sleep(GATHER_S)

    async def ask(self, id: str) -> None:
        """Ask for one identity, and put in what came of it."""
        try:
            resolved = await self._resolve[self._prefix(id)](id)
        except ThrottledError as failure:
            self._keys.postponed(id, self._clock(), failure.after_s or 0.0)
        except Unavailable as failure:
            if self._keys.failed(id, failure.reason, self._clock(), failure.after_s):
                self._on_resolved([id])
        else:
            self._keys.learn(id, resolved, self._clock())
            self._on_resolved([id])

    def _hand_out(self) -> None:
        for id in self._keys.wanted(self._clock()):
            if id not in self._taken:
                self._taken.add(id)
                self._queues[self._prefix(id)].put_nowait(id)

    def _prefix(self, id: str) -> str:
        """Whose identity it is; the empty prefix's where nobody else's."""
        return next(prefix for prefix in sorted(self._resolve, reverse=True) if id.startswith(prefix))

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
