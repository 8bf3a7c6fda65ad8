"""How the gateway does: GET /v1/health for a person or a supervisor, and GET /metrics for Prometheus."""

import asyncio
import shutil
import time
from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from aiohttp import web

from mcpwatch.gateway.feed_answers import as_json
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.tally import Calls
from mcpwatch.model.feed import STALE_AFTER
from mcpwatch.model.health import Health


class Place(Protocol):
    """How far a watcher has come."""

    index: int
    """The entry it gets next."""


class Vitals:
    """Reads the figures off the parts of a gateway."""

    def __init__(self, log: Log, calls: Calls, folder: Path) -> None:
        """`folder` is where the journal is."""
        self.watchers: Collection[Place] = ()
        self._log = log
        self._calls = calls
        self._folder = folder
        self._started = time.time()

    async def health(self, request: web.Request) -> web.StreamResponse:
        """Answer with 200, or with 503 while the gateway is in trouble."""
        health = await self.read()
        return as_json(503 if health.trouble else 200, health)

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        """Answer in the text format of Prometheus."""
        from mcpwatch.gateway.metrics import CONTENT_TYPE, exposition

        text = exposition(await self.read(), self._log, self._calls)
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE})

    async def read(self) -> Health:
        """The figures of this moment."""
        free = await asyncio.to_thread(_free, self._folder)
        log, store, calls = self._log, self._log.store, self._calls
        behind = [log.size - watcher.index for watcher in self.watchers]
        return Health(
            trouble=self._trouble(),
            origin=log.key.origin,
            started=self._started,
            size=log.size,
            oldest=store.oldest,
            octets=store.octets,
            checkpoint_size=log.note.size,
            checkpoint_age=log.signed_ago,
            backlog=log.journal.backlog,
            waiting=log.journal.waiting,
            commit=log.journal.commits.newest,
            lost=log.journal.lost,
            watchers=len(behind),
            from_disk=sum(watcher.index < log.ring.first for watcher in self.watchers),
            behind=max(behind, default=0),
            exchanges=calls.in_flight,
            refused=calls.refused.total(),
            disk_free=free,
        )

    def _trouble(self) -> str:
        log = self._log
        if log.closed:
            return "the gateway is stopping"
        if log.signed_ago > STALE_AFTER:
            return f"no checkpoint was signed for {log.signed_ago:.0f} seconds"
        return f"the journal cannot be written: {log.trouble}" if log.trouble else ""


def _free(folder: Path) -> int:
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return 0
