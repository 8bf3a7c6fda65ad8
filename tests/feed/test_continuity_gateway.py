"""Continuity with the gateway itself: retention, a journal put back from a copy, a watcher killed and started again."""

import asyncio
import shutil
import signal
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from processes import COMMAND, Process, told
from rig import PATIENCE, gateway

from mcpwatch.feed.checkpoint_pins import CheckpointPins, checkpoint_pins_folder, read_pin
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway import journal, retention
from mcpwatch.gateway.folder import token_path
from mcpwatch.gateway.keep import Keep
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import End
from mcpwatch.model.feed import FeedState, FeedStatus

NOWHERE = "http://127.0.0.1:9/mcp"


async def fill(running: Gateway, entries: int, reason: str = "") -> None:
    for number in range(entries):
        running.log.append(End(exchange=number, outcome="complete", duration_us=1, sent=0, reason=reason))
    await running.log.sign_now()


async def watch(
    running: Gateway, state: Path, until: Callable[[FeedStatus], bool], *, from_start: bool = True
) -> FeedStatus:
    """Watch until the status is as wanted, and leave."""
    source = HttpSource(running.feed_address, running.token, state=state, from_start=from_start)
    async with asyncio.timeout(PATIENCE), aclosing(source.batches()) as batches:
        async for _ in batches:
            if until(source.status):
                return source.status
    return source.status


def read_to(size: int) -> Callable[[FeedStatus], bool]:
    return lambda status: status.verified_size >= size and status.connected_at is not None


def over(status: FeedStatus) -> bool:
    return status.state in (FeedState.BROKEN, FeedState.ROLLBACK, FeedState.LIVE)


def pinned(state: Path) -> int:
    (pin,) = CheckpointPins(checkpoint_pins_folder(state)).all()
    return pin.checkpoint().size


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Keep as little as can be, at once."""
    monkeypatch.setattr(retention, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(journal, "PACE_SECONDS", 0.0)
    monkeypatch.setattr("mcpwatch.gateway.log.IDLE_SECONDS", 0.01)
    return Keep(octets=0)


@pytest.mark.parametrize("seen", [0, 100, 600])
async def test_what_retention_took_is_a_gap_of_just_that_and_the_rest_is_proven(
    tmp_path: Path, eager: Keep, seen: int
) -> None:
    state, watcher = tmp_path / "gateway", tmp_path / "watcher"
    async with gateway(state, NOWHERE) as running:
        if seen:
            await fill(running, seen - 1)
            await watch(running, watcher, read_to(seen))
        await fill(running, 700 - running.log.size)
    async with gateway(state, NOWHERE, keep=eager) as running:
        async with asyncio.timeout(PATIENCE):
            while running.log.store.oldest < 512:
                await running.log.news()
        size = running.log.note.size
        status = await watch(running, watcher, read_to(size))
        (gap,) = status.gaps
        assert (gap.first, gap.last, gap.reason) == (0, 511, "the gateway keeps entries from 512 on")
        assert status.state is FeedState.GAP
        assert status.received == status.next_index - 512
    assert pinned(watcher) >= size


@pytest.mark.parametrize("from_start", [True, False])
async def test_a_journal_put_back_from_a_copy_is_found(tmp_path: Path, *, from_start: bool) -> None:
    state, copy, watcher = tmp_path / "gateway", tmp_path / "copy", tmp_path / "watcher"
    async with gateway(state, NOWHERE) as running:
        await fill(running, 40)
    shutil.copytree(state, copy)
    async with gateway(state, NOWHERE) as running:
        await fill(running, 40, "what happened")
        await watch(running, watcher, read_to(running.log.note.size))
    before = pinned(watcher)
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    async with gateway(state, NOWHERE) as running:
        # Another port is another address, which has no key pinned: the log is known by its own key.
        status = await watch(running, watcher, over, from_start=from_start)
        assert status.state is FeedState.ROLLBACK, status.detail
        await fill(running, 80, "what is said to have happened")
        status = await watch(
            running, watcher, lambda each: each.state is FeedState.BROKEN or each.received > 100, from_start=from_start
        )
        assert status.state is FeedState.BROKEN, status.detail
    assert len(list((watcher / "evidence").iterdir())) == 2
    assert pinned(watcher) == before


@pytest.mark.e2e
async def test_a_watcher_killed_in_the_middle_finds_what_was_rewritten_behind_its_back(tmp_path: Path) -> None:
    state, copy, watcher = tmp_path / "gateway", tmp_path / "copy", tmp_path / "watcher"
    command = ("env", f"MCPWATCH_STATE={watcher}", *COMMAND, "tail", "--json")
    async with gateway(state, NOWHERE) as running:
        await fill(running, 10)
    shutil.copytree(state, copy)
    async with gateway(state, NOWHERE) as running:
        process = await Process.run(*command, running.feed_address, "--token-file", str(token_path(state)))
        folder = checkpoint_pins_folder(watcher)
        async with asyncio.timeout(PATIENCE):
            while not list(folder.glob("*.json")):
                await fill(running, 1)
                await running.log.news()
        assert await process.end(signal.SIGKILL) == -signal.SIGKILL
    (pin,) = folder.glob("*.json")
    assert read_pin(pin).checkpoint().size >= 11
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    async with gateway(state, NOWHERE) as running:
        await fill(running, 1_000, "rewritten")
        process = await Process.run(*command, running.feed_address, "--token-file", str(token_path(state)))
        await process.until(lambda lines: any(feed["state"] == "BROKEN" for feed in told(lines, "feed")))
        await process.until(lambda lines: any(alert["rule"] == "feed/broken" for alert in told(lines, "alert")))
        assert await process.end() == 143
    assert list((watcher / "evidence").iterdir())
