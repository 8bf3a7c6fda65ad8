"""Many entries at once, and restarts in good order while entries come."""

import signal
import sqlite3
from pathlib import Path
from time import monotonic

import pytest
from rig import journal
from under_load import assert_nothing_lost, loaded, watching

from mcpwatch.model.entries import GatewayStopped


async def burst(folder: Path, entries: int) -> str:
    """So many entries at once; what came of it, in words."""
    async with loaded(folder / "gateway", 0) as gateway, watching(gateway, folder / "watcher") as watcher:
        await watcher.until(lambda shown: shown.verified > 0)
        begun = monotonic()
        await gateway.process.say(f"burst {entries}")
        await watcher.until(lambda shown: shown.verified > entries)
        took = monotonic() - begun
        await gateway.process.end(signal.SIGTERM)
        size = gateway.acked
        await watcher.until(lambda shown: shown.verified >= size)
        assert assert_nothing_lost(gateway, watcher) == size == entries + 2
    return f"{entries:,} entries at once: written, signed, read and verified in {took:.1f} s, 0 lost"


async def test_a_burst_is_caught_up_with(tmp_path: Path) -> None:
    """Row 2, scaled to 10,000 entries."""
    await burst(tmp_path, 10_000)


@pytest.mark.faults
async def test_a_burst_of_a_hundred_thousand_is_caught_up_with(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row 2."""
    told = await burst(tmp_path, 100_000)
    with capsys.disabled():
        print(f"\n{told}")


async def restarted(folder: Path, times: int) -> None:
    """Stop the gateway in good order under load and start it again, so many times."""
    async with loaded(folder / "gateway", 1_000) as gateway, watching(gateway, folder / "watcher") as watcher:
        size = 0
        for _ in range(times):
            await watcher.until(lambda shown, more=size + 500: shown.verified >= more)  # type: ignore[misc]
            assert await gateway.process.end(signal.SIGTERM) == 0
            size = gateway.acked
            assert newest_checkpoint(gateway.state) == size
            assert journal(gateway.state)[-1] == GatewayStopped(reason="SIGTERM")
            # The stream ended with the log's end on it: all is verified before anyone answers again.
            await watcher.until(lambda shown, all=size: shown.verified == all)  # type: ignore[misc]
            await gateway.start()
        await gateway.process.end(signal.SIGKILL)
        await watcher.process.end(signal.SIGKILL)
        assert_nothing_lost(gateway, watcher)


def newest_checkpoint(state: Path) -> int:
    """The tree size that the journal's newest checkpoint is for."""
    with sqlite3.connect(state / "gateway" / "journal.sqlite3") as connection:
        (size,) = connection.execute("SELECT max(size) FROM checkpoints").fetchone()
    connection.close()
    return int(size)


async def test_a_restart_in_good_order_leaves_nothing_uncovered(tmp_path: Path) -> None:
    """Row 7, scaled to 1 restart."""
    await restarted(tmp_path, 1)


@pytest.mark.faults
async def test_twenty_restarts_in_good_order_leave_nothing_uncovered(tmp_path: Path) -> None:
    """Row 7, 20 restarts."""
    await restarted(tmp_path, 20)
