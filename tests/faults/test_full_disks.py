"""A disk that takes no more: calls are refused, and what was acknowledged is there after a kill and a restart."""

import asyncio
import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import every, fetch, post
from under_load import LoadedGateway, assert_nothing_lost, loaded, watching

from mcpwatch.model.entries import GatewayStarted, GatewayStopped

MIB = 2**20
CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'
RATE = 1_000


async def call_until(gateway: LoadedGateway, status: int) -> None:
    """Call again and again until the answer has this status."""
    answered = 0
    while answered != status:
        # A call that is refused unread may find its connection gone.
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
            answered = (await fetch(gateway.listen, post(CALL))).status


async def test_a_file_that_may_not_grow_stops_the_calls_and_loses_nothing(tmp_path: Path) -> None:
    """Row 25, where the disk's limit is one on the size of a file, as nobody needs to be root for that."""
    async with (
        loaded(tmp_path / "gateway", RATE, octets=16_000, file_limit=9 * MIB) as gateway,
        watching(gateway, tmp_path / "watcher") as watcher,
    ):
        await call_until(gateway, 503)
        await gateway.process.say("unlimit")
        await call_until(gateway, 200)
        acked = gateway.acked
        await gateway.process.end(signal.SIGKILL)
        await gateway.start()
        await gateway.process.say("unlimit")
        await watcher.until(lambda shown: shown.verified > acked)
        await gateway.process.end(signal.SIGTERM)
        size = gateway.acked
        await watcher.until(lambda shown: shown.verified >= size)
        assert assert_nothing_lost(gateway, watcher) == size


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB; skips the test, saying so, where none can be mounted."""
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    folder = tmp_path / "disk"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.faults
async def test_a_full_disk_stops_the_calls_and_loses_nothing(small_disk: Path, tmp_path: Path) -> None:
    """Row 25, on a file system that is full, and then has room again."""
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(MIB))
    async with (
        loaded(small_disk / "gateway", RATE, octets=4_000) as gateway,
        watching(gateway, tmp_path / "watcher") as watcher,
    ):
        await call_until(gateway, 503)
        acked = gateway.acked
        await gateway.process.end(signal.SIGKILL)
        ballast.unlink()
        await gateway.start()
        await watcher.until(lambda shown: shown.verified > acked)
        await gateway.process.say("rate 0")
        assert await gateway.process.end(signal.SIGTERM) == 0
        size = gateway.acked
        await watcher.until(lambda shown: shown.verified >= size)
        assert assert_nothing_lost(gateway, watcher) == size
    assert len(every(gateway.state, GatewayStarted)) == 2
    assert len(every(gateway.state, GatewayStopped)) == 1
