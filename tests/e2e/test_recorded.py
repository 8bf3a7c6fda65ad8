"""A running gateway is recorded while recorder and gateway die, and what is left proves itself."""

import asyncio
import json
import signal
from pathlib import Path

import pytest
from behind import Rig
from processes import Process
from test_killed import load

from mcpwatch.feed.recording import Recording

pytestmark = pytest.mark.e2e


def indexes(path: Path) -> list[int]:
    """Of the entries in a recording, as they stand there."""
    with Recording(path) as recording:
        return [int(each.event.id or -1) for each in recording.events() if each.event.event == "entry"]


async def grown(path: Path, octets: int) -> int:
    """Wait until a file is larger; returns its size."""
    async with asyncio.timeout(60):
        while not path.exists() or path.stat().st_size <= octets:
            await asyncio.sleep(0.02)
    return path.stat().st_size


async def verified(path: Path) -> tuple[int, dict[str, object]]:
    """Exit code and report of `mcpwatch verify`."""
    process = await Process.start("verify", str(path), "--format", "json", "--offline")
    code = await process.wait()
    return code, json.loads("\n".join(process.lines))


async def test_a_recorder_that_is_killed_leaves_a_recording(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "killed.mcpfeed"
    recorder = await Process.start("record", rig.feed, "-o", str(path))
    async with load(f"{rig.address}/orders/mcp"):
        await grown(path, 200_000)
        await recorder.end(signal.SIGKILL)
    code, report = await verified(path)
    assert report["fault"] is None
    entries, proven = report["entries"], report["verified_size"]
    assert isinstance(entries, int) and isinstance(proven, int) and 0 < proven <= entries
    assert code == (0 if report["pending"] == 0 and report["cut_off"] == 0 else 6)
    assert indexes(path) == list(range(entries))


async def test_over_a_gateways_death_nothing_is_doubled_and_a_stop_ends_it_proven(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "restarted.mcpfeed"
    recorder = await Process.start("record", rig.feed, "-o", str(path))
    async with load(f"{rig.address}/orders/mcp"):
        await grown(path, 100_000)
        await rig.gateway.end(signal.SIGKILL)
        await rig.restart()
        # What was on its way when the gateway died has been written by now.
        await grown(path, path.stat().st_size + 100_000)
    assert await recorder.end(signal.SIGINT) == 0
    assert "all proven" in "".join(recorder.lines)
    code, report = await verified(path)
    assert code == 0 and report["proven"] is True
    assert indexes(path) == list(range(int(str(report["entries"]))))
