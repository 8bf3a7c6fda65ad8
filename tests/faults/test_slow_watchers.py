"""Watchers that stop reading: they get everything later, and neither the others nor the calls notice."""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import pytest
from msgspec import Struct
from rig import connect, get, post
from under_load import OCTETS, RING, STALL_S, LoadedGateway, assert_nothing_lost, loaded, watching
from watcher import bearer, token_of

MIB = 2**20
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
CALL_S = 0.02
"""Between the beginnings of two calls."""
SAMPLES = 20
"""Looks at the gateway's memory while the watcher is stopped."""
_ID = re.compile(rb"^id: (\d+)$", re.MULTILINE)


class Stop(Struct, frozen=True):
    """How a watcher is stopped."""

    rate: int
    seconds: int
    stall_s: float = STALL_S
    """After which the gateway cuts it off."""
    ring: int = RING
    """Entries that the gateway has in memory."""
    octets: int = OCTETS
    """Of an entry's body."""


@asynccontextmanager
async def calling(gateway: LoadedGateway) -> AsyncIterator[list[float]]:
    """An agent that calls steadily; yields how long each call took, seconds."""
    took: list[float] = []
    talk = await connect(gateway.listen)

    async def agent() -> None:
        while True:
            begun = monotonic()
            await talk.send(post(CALL))
            assert (await talk.reply()).status == 200
            took.append(monotonic() - begun)
            await asyncio.sleep(CALL_S)

    task = asyncio.create_task(agent())
    try:
        yield took
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        talk.writer.close()


def latency(took: list[float]) -> str:
    """Median and 99th percentile in words."""
    took = sorted(took)
    return f"{took[len(took) // 2] * 1000:.1f}/{took[len(took) * 99 // 100] * 1000:.1f} ms"


async def stopped(folder: Path, stop: Stop) -> str:
    """Stop one of two watchers for a while; what came of it, in words."""
    async with (
        loaded(folder / "gateway", stop.rate, octets=stop.octets, stall_s=stop.stall_s, ring=stop.ring) as gateway,
        watching(gateway, folder / "quick") as quick,
        watching(gateway, folder / "slow") as slow,
    ):
        async with calling(gateway) as took:
            # What the gateway keeps in memory is full, and what it allocates once is there.
            await quick.until(lambda shown: shown.count > 3 * stop.ring)
            before = await slow.until(lambda shown: shown.verified > 2 * stop.ring)
            calls_before, memory = len(took), gateway.resident

            os.kill(slow.process.pid, signal.SIGSTOP)
            at, grown = (await quick.until(lambda shown: shown.count > before.count)).count, 0
            for sample in range(1, SAMPLES + 1):
                due = at + sample * stop.rate * stop.seconds // SAMPLES
                await quick.until(lambda shown, due=due: shown.count >= due)  # type: ignore[misc]
                grown = max(grown, gateway.resident - memory)
            calls_then, size = len(took), gateway.acked
            os.kill(slow.process.pid, signal.SIGCONT)
            begun = monotonic()
            after = await slow.until(lambda shown: shown.verified >= size, deadline=600)
            catching_up = monotonic() - begun

        assert size - before.count >= stop.rate * stop.seconds
        assert after.reconnects > before.reconnects, "the gateway did not cut it off"
        assert grown < 8 * MIB
        await gateway.process.say("rate 0")
        await slow.until(lambda shown: shown.verified >= gateway.acked)
        await gateway.process.end(signal.SIGTERM)
        end = gateway.acked
        await slow.until(lambda shown: shown.verified >= end)
        await quick.until(lambda shown: shown.verified >= end)
        assert assert_nothing_lost(gateway, quick, slow) == end
    return (
        f"stopped for {stop.seconds} s at {stop.rate:,}/s: {size - before.count:,} entries caught up in "
        f"{catching_up:.1f} s, 0 lost; gateway {memory / MIB:.1f} MiB before, at most {grown / MIB:+.1f} MiB then; "
        f"calls p50/p99 {latency(took[:calls_before])} before, {latency(took[calls_before:calls_then])} meanwhile"
    )


async def test_a_watcher_that_was_stopped_catches_up(tmp_path: Path) -> None:
    """Row 11, scaled to 2 s of larger entries, with less in memory and a shorter patience of the gateway."""
    await stopped(tmp_path, Stop(rate=2_000, seconds=2, stall_s=0.5, ring=250, octets=6_000))


@pytest.mark.faults
@pytest.mark.parametrize("seconds", [60, 300])
async def test_a_watcher_that_was_stopped_for_minutes_catches_up(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seconds: int
) -> None:
    """Row 11, at 2,000 entries a second for 5 min instead of 10,000 for 10."""
    told = await stopped(tmp_path, Stop(rate=2_000, seconds=seconds))
    with capsys.disabled():
        print(f"\n{told}")


async def crowded(folder: Path, rate: int, seconds: int) -> str:
    """31 watchers read and one does not; what came of it, in words."""
    async with loaded(folder, rate, stall_s=0.5) as gateway:
        idle = await stuck(gateway)
        reading = [asyncio.create_task(read(gateway, rate * seconds)) for _ in range(31)]
        behind = await asyncio.gather(*reading)
        idle.close()
    return f"31 watchers beside one that reads nothing, {rate:,}/s: at most {max(behind) / rate:.2f} s behind"


async def stuck(gateway: LoadedGateway) -> socket.socket:
    """A watcher that asks for the feed and takes nothing."""
    parts = urlsplit(gateway.feed)
    taking_nothing = socket.socket()
    taking_nothing.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    taking_nothing.connect((parts.hostname, parts.port))
    taking_nothing.sendall(get(bearer(token_of(gateway.state)), target=b"/v1/feed"))
    return taking_nothing


async def read(gateway: LoadedGateway, entries: int) -> int:
    """Read so many entries, each in its place; the most that it was ever behind, in entries."""
    talk = await connect(gateway.feed)
    await talk.send(get(bearer(token_of(gateway.state)), target=b"/v1/feed"))
    await talk.reader.readuntil(b"\r\n\r\n")
    due = most = 0
    while due < entries:
        indexes = [int(each) for each in _ID.findall(await talk.chunk())]
        assert indexes == list(range(due, due + len(indexes)))
        due += len(indexes)
        most = max(most, gateway.acked - due)
    talk.writer.close()
    return most


async def test_one_stuck_watcher_keeps_no_other_from_its_entries(tmp_path: Path) -> None:
    """Row 12, scaled to 2 s at 500 entries a second."""
    await crowded(tmp_path, 500, 2)


@pytest.mark.faults
async def test_one_stuck_watcher_keeps_no_other_waiting(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row 12, at 1,000 entries a second for 30 s."""
    told = await crowded(tmp_path, 1_000, 30)
    with capsys.disabled():
        print(f"\n{told}")


@pytest.mark.faults
async def test_a_gateway_that_hangs_makes_the_feed_stale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Row 9: the connection is there, and nobody answers on it."""
    async with loaded(tmp_path / "gateway", 200) as gateway, watching(gateway, tmp_path / "watcher") as watcher:
        before = await watcher.until(lambda shown: shown.state == "LIVE" and shown.count > 200)
        os.kill(gateway.process.pid, signal.SIGSTOP)
        begun = monotonic()
        said = await watcher.until(lambda shown: shown.state not in ("LIVE", "CONNECTING"))
        took = monotonic() - begun
        os.kill(gateway.process.pid, signal.SIGCONT)
        begun = monotonic()
        await watcher.until(lambda shown: shown.state == "LIVE" and shown.count > before.count + 400)
        back = monotonic() - begun
        await gateway.process.end(signal.SIGTERM)
        size = gateway.acked
        await watcher.until(lambda shown: shown.verified >= size)
        assert assert_nothing_lost(gateway, watcher) == size
    assert said.state in ("STALE", "DISCONNECTED")
    with capsys.disabled():
        print(f"\na hanging gateway: {said.state} ({said.detail}) after {took:.1f} s, live again after {back:.1f} s")
