"""Kill -9, restarts and bursts under load: nothing that was acknowledged is missing, nothing is shown twice."""

import signal
from pathlib import Path
from time import monotonic

import pytest
from under_load import assert_nothing_lost, loaded, watching

RATE = 1_000
SHORT, LONG = 3, 50


async def killed(folder: Path, times: int) -> str:
    """Kill the gateway and the watcher in turn, so many times each; what came of it, in words."""
    begun, down, resumed = monotonic(), 0.0, list[float]()
    async with loaded(folder / "gateway", RATE) as gateway, watching(gateway, folder / "watcher") as watcher:
        for _ in range(times):
            before = (await watcher.until(lambda shown: shown.verified > 0)).count
            await watcher.until(lambda shown, more=before + RATE: shown.count >= more)  # type: ignore[misc]
            killed_at = monotonic()
            await gateway.process.end(signal.SIGKILL)
            acked = gateway.acked
            await gateway.start()
            ready = monotonic()
            down += ready - killed_at
            # A restarted gateway's own entry comes after all that it had acknowledged.
            await watcher.until(lambda shown, more=acked + 1: shown.verified >= more)  # type: ignore[misc]
            resumed.append(monotonic() - ready)
            await watcher.process.end(signal.SIGKILL)
            await watcher.start()
        await watcher.until(lambda shown: shown.verified > acked)
        await gateway.process.end(signal.SIGTERM)
        rate = gateway.acked / (monotonic() - begun - down)
        size = gateway.acked
        await watcher.until(lambda shown: shown.verified >= size)
        await watcher.process.end(signal.SIGKILL)
        assert assert_nothing_lost(gateway, watcher) == size
    resumed.sort()
    return (
        f"{times} kills each: {size:,} entries at {rate:,.0f}/s, 0 lost, 0 doubled, root equal; "
        f"read on after a restart in {resumed[len(resumed) // 2]:.2f} s (median), {resumed[-1]:.2f} s (worst)"
    )


async def test_some_kills_of_each_side_lose_and_double_nothing(tmp_path: Path) -> None:
    """Rows 5 and 6, scaled to 3 kills."""
    await killed(tmp_path, SHORT)


@pytest.mark.faults
async def test_fifty_kills_of_each_side_lose_and_double_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows 5 and 6."""
    told = await killed(tmp_path, LONG)
    with capsys.disabled():
        print(f"\n{told}")
