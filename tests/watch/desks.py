"""Desks of people who watch one gateway, each with a state folder of their own."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from msgspec.structs import replace
from rig import PATIENCE, answer, fetch, gateway, ok, post, scripted

from mcpwatch.config import Config, WatchConfig
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway.folder import operator_token_path, token_path
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.entries import AlertActed
from mcpwatch.secret import read_secret
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search","arguments":{}}}'
REPLY = ok(b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}')


@asynccontextmanager
async def calling(state: Path) -> AsyncIterator[Gateway]:
    """A gateway through which somebody has called without a signature."""
    async with scripted(answer(REPLY)) as server, gateway(state, f"demo={server.url}") as running:
        await fetch(running.listen_address, post(CALL))
        yield running


class Desk:
    """One person's watcher, with a state folder of its own."""

    def __init__(
        self,
        running: Gateway,
        state: Path,
        author: str,
        *,
        may_act: bool = True,
        name: str = "",
        operators: Sequence[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        folder = running.options.state
        token = read_secret(operator_token_path(folder) if may_act else token_path(folder))
        source = HttpSource(running.feed_address, token, state=state, name=name)
        config = Config(watch=WatchConfig(author=author, operators=tuple(operators)))
        self.watcher: Watcher = open_watcher([source], state, config, clock=clock)
        self.running = asyncio.create_task(self.watcher.run())

    async def until(self, ready: Callable[[Alert], bool] = lambda alert: True) -> Alert:
        """The alert about the unsigned call, as soon as it is as it should be."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for alert in self.watcher.state.alerts.values():
                    if alert.rule == "identity/unsigned-call" and ready(alert):
                        return alert
                await asyncio.sleep(0.005)

    async def close(self) -> None:
        self.running.cancel()
        await asyncio.wait({self.running})
        await self.watcher.close()


@asynccontextmanager
async def desks(*all: Desk) -> AsyncIterator[None]:
    try:
        yield
    finally:
        for desk in all:
            await desk.close()


def is_(state: AlertState) -> Callable[[Alert], bool]:
    return lambda alert: alert.state is state


def unsigned(running: Gateway, id: str, **changes: object) -> AlertActed:
    """An act on an alert that is not signed yet."""
    wanted = AlertActed(
        alert=id,
        kind="acknowledged",
        author="ann",
        note="all is well",
        time=int(time.time()),
        origin=running.log.key.origin,
        key="",
        signature="",
        last_index=99,
        severity="critical",
    )
    return replace(wanted, **changes)
