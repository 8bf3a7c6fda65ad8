"""An alert that was acknowledged stays so: in the next watcher, and in another program's eyes."""

import asyncio
from pathlib import Path

import pytest
from behind import Rig
from processes import Process, told

from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway.folder import token_path
from mcpwatch.model.alerts import Alert, AlertState, Kept
from mcpwatch.secret import read_secret
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher

pytestmark = pytest.mark.e2e

NOTE = "the tourist is a guest of the house"


def watcher(rig: Rig, state: Path) -> Watcher:
    token = read_secret(token_path(state))
    return open_watcher([HttpSource(rig.feed, token, state=state)], state)


async def alert_of(watching: Watcher, rule: str) -> Alert:
    """Run a watcher until a rule has fired."""
    running = asyncio.create_task(watching.run())
    async with asyncio.timeout(60):
        while not (alerts := [alert for alert in watching.state.alerts.values() if alert.rule == rule]):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.wait({running})
    return alerts[0]


async def test_an_acknowledgement_outlives_the_watcher(rig: Rig, state_folder: Path) -> None:
    async with rig.stage().client("tourist", "orders") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})

    first = watcher(rig, state_folder)
    alert = await alert_of(first, "identity/unsigned-call")
    assert alert.state is AlertState.FIRING
    assert await first.acknowledge(alert.id, NOTE, alert.last_index) is Kept.HERE
    made = alert.acknowledgement
    assert made is not None
    await first.close()

    second = watcher(rig, state_folder)
    again = await alert_of(second, "identity/unsigned-call")
    assert (again.id, again.state, again.acknowledgement) == (alert.id, AlertState.ACKNOWLEDGED, made)
    await second.close()

    tail = await Process.start("tail", rig.feed, "--json", "--all")
    await tail.until(lambda lines: bool(told(lines, "alert")))
    line = next(line for line in told(tail.lines, "alert") if line["id"] == alert.id)
    assert line["state"] == "acknowledged"
    assert (line["acknowledgement"]["author"], line["acknowledgement"]["note"]) == (made.author, NOTE)
    await tail.end()
