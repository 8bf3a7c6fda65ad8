"""Every act of the demo, played through a real gateway: what it shows is what the rules say of it."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import httpx
import pytest

from mcpwatch.config import load
from mcpwatch.demo.agents.acts import ACTS
from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.keyring import load_keys
from mcpwatch.demo.run import Backend, open_backend
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Strength
from mcpwatch.model.traffic import CallState, EdgeKind
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised
from mcpwatch.watch.watcher import Watcher

UNSIGNED = {"identity/unsigned-call"}
ANONYMOUS = {*UNSIGNED, "session/anonymous"}
EXPECTED: dict[str, set[str]] = {
    "tampered": {"identity/bad-signature"},
    "replayed": {"identity/replayed"},
    "taken-over": {"identity/wrong-key", "session/shared"},
    "weather": {*ANONYMOUS, "tool/definition-changed"},
    "probing": {*ANONYMOUS, "discovery/permission-probing"},
    "unknown-key": {"identity/unknown-identity"},
    "unheard-of": {"identity/cannot-check"},
    "after-the-end": {*ANONYMOUS, "session/used-after-delete", "tool/terminal-escapes", "tool/hidden-characters"},
    "mislabelled": {*UNSIGNED, "protocol/header-mismatch"},
    "shared": {*ANONYMOUS, "session/shared"},
    "slow-clock": {"identity/stale"},
    "body-left-out": {"identity/body-not-covered"},
    "replayed-elsewhere": {*ANONYMOUS, "identity/cross-session-replay"},
    "promoted": {*UNSIGNED, "session/token-subject-changed"},
    "guessed": {*ANONYMOUS, "discovery/unlisted-tool"},
}
"""Act -> the rules that fire; for every other act, none."""


class Ear:
    """Hears of every entry, and of the rules that fired at it."""

    def __init__(self) -> None:
        self.fired: list[set[str]] = [set()]
        """The rules of each act so far; the last is under way."""
        self._marks = asyncio.Queue[str]()

    async def mark(self, backend: Backend, name: str) -> None:
        """Put a request that is no act into the log, and wait until the watcher has come to it."""
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.get(f"{backend.gateway.listen_address}/orders/mark/{name}")
        async with asyncio.timeout(60):
            while not (await self._marks.get()).endswith(f"/mark/{name}"):
                pass
        self.fired.append(set())

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        self.verdict(row, raised)
        if row.kind == "request" and row.seen.exchange:
            self._marks.put_nowait(row.seen.exchange.target)

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        self.fired[-1].update(finding.rule for finding, _ in raised)

    def alerts(self, raised: Sequence[Raised]) -> None:
        raise AssertionError(raised)

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """It may stand as it likes."""


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with open_backend() as opened:
        yield opened


async def watch(backend: Backend, ear: Ear) -> Watcher:
    """Play every act while a watcher of the backend's own folder listens; the watcher, when it has seen it all."""
    feed = HttpSource(backend.gateway.feed_address, backend.gateway.token, state=backend.state)
    watcher = open_watcher([feed], backend.state, load(backend.state / "config.toml"))
    watching = asyncio.create_task(watcher.run(ear))
    stage = Stage(backend.places, load_keys(backend.keys), pace=0)
    for act in ACTS:
        await act.play(stage)
        await ear.mark(backend, act.name)
    watching.cancel()
    await asyncio.wait({watching})
    await watcher.close()
    return watcher


async def test_every_act_shows_what_it_says(backend: Backend) -> None:
    ear = Ear()
    state = (await watch(backend, ear)).state
    fired = dict(zip((act.name for act in ACTS), ear.fired, strict=False))
    assert fired == {act.name: EXPECTED.get(act.name, set()) for act in ACTS}

    edges = {edge.kind for call in state.calls.values() for edge in call.parents}
    assert edges >= {EdgeKind.TRACED, EdgeKind.PROTOCOL, EdgeKind.INFERRED}
    bound = {session.binding.strength for session in state.sessions.values()}
    assert bound >= {Strength.COVERED, Strength.EACH, Strength.NONE}
    assert {call.state for call in state.calls.values()} >= {
        CallState.DONE,
        CallState.TOOL_ERROR,
        CallState.RPC_ERROR,
        CallState.DENIED,
        CallState.INPUT_REQUIRED,
    }
    assert state.counts.failures == 0
