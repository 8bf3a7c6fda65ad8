"""A gateway, a network that fails and a watcher, in one process: what faults do to them, and what must hold."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn
from unittest.mock import patch

from faulty_wire import Wire
from rig import PATIENCE
from under_load import root_of

from mcpwatch.feed.standing import STICKY
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.files import private_dir
from mcpwatch.gateway import journal, log, retention
from mcpwatch.gateway.keep import EVERYTHING, Keep
from mcpwatch.gateway.options import GatewayOptions, parse_upstreams
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import End, Entry

NOWHERE = "http://127.0.0.1:9/mcp"
LITTLE = Keep(octets=0)
"""As little of the log as can be."""


class World:
    """All of it; every method belongs to one event loop."""

    def __init__(self, folder: Path) -> None:
        self.truth: list[bytes] = []
        """The log: every leaf that ever reached the disk, in its place."""
        self.gateway: Gateway | None = None
        self.wire = Wire()
        self.source: HttpSource
        self.shown: list[Entry] = []
        """Of this run of the watcher."""
        self._folder = folder
        self._ports = (0, 0)
        self._serial = count()
        self._news = asyncio.Event()
        self._reading: asyncio.Task[None] | None = None
        self._ahead = 0.0
        """Seconds by which the gateway's clock is."""
        clock = SimpleNamespace(time=lambda: time.time() + self._ahead)
        self._patches = (
            patch.object(log, "time", clock),
            patch.object(log, "IDLE_SECONDS", 0.05),
            patch.object(retention, "PACE_SECONDS", 0.0),
            patch.object(journal, "PACE_SECONDS", 0.0),
        )
        for each in self._patches:
            each.start()

    async def start_gateway(self, keep: Keep = EVERYTHING) -> None:
        """Start it where it was."""
        listen, feed = self._ports
        state = private_dir(self._folder / "gateway")
        self.gateway = Gateway(
            GatewayOptions(
                upstreams=parse_upstreams([NOWHERE]),
                state=state,
                listen=("127.0.0.1", listen),
                feed=("127.0.0.1", feed),
                keep=keep,
            )
        )
        await self.gateway.start()
        addresses = (self.gateway.listen_address, self.gateway.feed_address)
        self._ports = (int(addresses[0].rpartition(":")[2]), int(addresses[1].rpartition(":")[2]))

        store, ring = self.gateway.log.store, self.gateway.log.ring
        self.truth += [leaf for _, leaf in store.leaves(len(self.truth), ring.next, 1 << 30)]
        assert len(self.truth) == ring.next, "entries are missing that were on the disk"
        add = ring.add

        def noted(index: int, leaf: bytes) -> None:
            assert index == len(self.truth)
            self.truth.append(leaf)
            add(index, leaf)

        ring.add = noted  # type: ignore[method-assign]

    async def stop_gateway(self) -> None:
        """Stop it in good order."""
        assert self.gateway is not None
        await self.gateway.stop("stopped", grace=0)
        self.gateway = None

    async def kill_gateway(self) -> None:
        """Stop it with nothing more written, as kill -9 does."""
        assert self.gateway is not None
        running = self.gateway.log

        async def die(reason: str, patience: float) -> None:
            running.closed = True
            running.checkpoint = lambda: None  # type: ignore[method-assign]
            running._tell()
            await running.journal.close()

        running.store.write = fail  # type: ignore[method-assign, assignment]
        running.close = die  # type: ignore[method-assign]
        await self.stop_gateway()

    def append(self, entries: int) -> None:
        """Have the gateway log so many entries."""
        assert self.gateway is not None
        for _ in range(entries):
            self.gateway.log.append(
                End(exchange=next(self._serial), outcome="complete", duration_us=1, sent=1, reason="x" * 100)
            )

    def jump(self, seconds: float) -> None:
        """Set the gateway's clock on or back."""
        self._ahead += seconds

    async def start_watcher(self) -> None:
        """Start one that knows only what the one before it pinned."""
        assert self.gateway is not None
        self.shown = []
        self.source = HttpSource(
            self.gateway.feed_address,
            self.gateway.token,
            state=self._folder / "watcher",
            sleep=lambda _: asyncio.sleep(0.001),
            transport=self.wire,
        )
        self._reading = asyncio.create_task(self._read(self.source))

    async def restart_watcher(self) -> None:
        """End it, with a gateway there for the one that follows."""
        await self.end_watcher()
        self.wire = Wire()
        await self.start_watcher()

    async def end_watcher(self) -> None:
        await self.source.close()
        assert self._reading is not None
        await self._reading

    async def turns(self, number: int) -> None:
        """Let everything go on for so many turns of the loop."""
        for _ in range(number):
            await asyncio.sleep(0)

    async def settle(self) -> None:
        """With nothing in its way, the watcher proves all that there is."""
        assert self.gateway is not None
        self.wire.left = None
        self.wire.open.set()
        await self.gateway.log.sign_now()
        await self.until(lambda: self.source.status.verified_size >= len(self.truth))
        checkpoint = self.source.status.checkpoint
        assert checkpoint is not None
        assert checkpoint.root == root_of(self.truth[: checkpoint.size])
        assert self.accounted == self.source.status.next_index >= checkpoint.size

    async def until(self, wanted: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                while not wanted():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"with {len(self.truth)} entries it stays so: {self.source.status}") from None

    @property
    def accounted(self) -> int:
        """Entries that were shown or are inside a declared gap."""
        return len(self.shown) + sum(gap.last - gap.first + 1 for gap in self.source.status.gaps)

    def check(self) -> None:
        """What holds at any moment."""
        status = self.source.status
        assert status.state not in STICKY, status.detail
        indexes = [entry.index for entry in self.shown]
        assert indexes == sorted(set(indexes))
        missing = {index for gap in status.gaps for index in range(gap.first, gap.last + 1)}
        assert missing.isdisjoint(indexes)
        assert all(entry.leaf == self.truth[entry.index] for entry in self.shown)
        assert status.verified_size <= len(self.truth)

    async def end(self) -> None:
        await self.end_watcher()
        if self.gateway is not None:
            await self.stop_gateway()
        for each in self._patches:
            each.stop()

    async def _read(self, source: HttpSource) -> None:
        async for batch in source.batches():
            self.shown += batch
            self._news.set()
        self._news.set()


def fail(*_: object) -> NoReturn:
    raise sqlite3.OperationalError("killed")
