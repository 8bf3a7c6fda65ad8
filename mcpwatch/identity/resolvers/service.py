"""The service that fetches the keys a key book asks for."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import httpx

from mcpwatch.identity.answers import Unavailable
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolvers import RESOLVERS, Resolve, ResolverOptions

CONCURRENCY = 4
TIMEOUT_S = 5.0
PERIOD_S = 5.0
"""How often the book is looked through for answers that are due again."""


class Resolver:
    """Takes what `keys` wants, asks, and puts the answers in; then names the identities to `on_resolved`."""

    def __init__(
        self,
        keys: KeyBook,
        registry: str | None = None,
        *,
        on_resolved: Callable[[list[str]], None] = lambda ids: None,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Raises UsageError when `registry` is not an address."""
        self._keys = keys
        self._on_resolved = on_resolved
        self._clock = clock
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=TIMEOUT_S,
            headers={"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "mcpwatch"},
            transport=transport,
        )
        options = ResolverOptions(registry)
        made = ((row.prefix, row.make(options, self._client)) for row in RESOLVERS)
        self._resolve: dict[str, Resolve] = {prefix: resolve for prefix, resolve in made if resolve is not None}
        keys.resolvable = tuple(self._resolve)
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        async with self._client, self._woken(), asyncio.TaskGroup() as group:
            for _ in range(CONCURRENCY):
                group.create_task(self._work(queue))
            while True:
                self._wake.clear()
                for id in self._keys.wanted(self._clock()):
                    queue.put_nowait(id)
                with suppress(TimeoutError):
                    async with asyncio.timeout(PERIOD_S):
                        await self._wake.wait()

    @asynccontextmanager
    async def _woken(self) -> AsyncIterator[None]:
        """Be told by the book, in whatever thread it is used, when it wants something."""
        loop = asyncio.get_running_loop()
        self._keys.notify = lambda: loop.call_soon_threadsafe(self._wake.set)
        try:
            yield
        finally:
            self._keys.notify = None

    async def _work(self, queue: asyncio.Queue[str]) -> None:
        while True:
            id = await queue.get()
            await self._ask(id)
            self._on_resolved([id])

    async def _ask(self, id: str) -> None:
        resolve = next(resolve for prefix, resolve in self._resolve.items() if id.startswith(prefix))
        try:
            resolved = await resolve(id)
        except Unavailable as failure:
            self._keys.failed(id, failure.reason, self._clock())
        else:
            self._keys.learn(id, resolved, self._clock())
