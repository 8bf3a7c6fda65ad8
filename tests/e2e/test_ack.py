"""`mcpwatch alerts` and `mcpwatch ack` on a real gateway: what one shell says, the other shows."""

import pytest
from behind import Rig
from processes import Process, told

pytestmark = pytest.mark.e2e


async def run(*words: str) -> tuple[int, list[str]]:
    process = await Process.start(*words)
    return await process.wait(), process.lines


async def alerts(rig: Rig, state: str = "any") -> list[dict[str, object]]:
    code, lines = await run("alerts", rig.feed, "--state", state, "--format", "json")
    assert code == 0, lines
    return told(lines, "alert")


@pytest.fixture
async def visited(rig: Rig) -> Rig:
    """A gateway through which somebody called without a signature."""
    async with rig.stage().client("tourist", "orders") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})
    return rig


async def unsigned(rig: Rig) -> tuple[str, int]:
    """The id and the newest entry of the alert about unsigned calls, as a script reads them."""
    line = next(line for line in await alerts(rig) if line["rule"] == "identity/unsigned-call")
    evidence = line["evidence"]
    assert isinstance(evidence, list)
    return str(line["id"]), int(evidence[-1])


async def test_an_acknowledged_alert_is_seen_by_tail_and_by_check(visited: Rig) -> None:
    id, seen = await unsigned(visited)
    tail = await Process.start("tail", visited.feed, "--json", "--all")
    await tail.until(lambda lines: id in {alert["id"] for alert in told(lines, "alert")})
    code, lines = await run("ack", id[:6], visited.feed, "--note", "known", "--seen", str(seen))
    assert (code, lines[-1].rstrip()) == (0, f"acknowledged: {id}, written in the gateway's log")
    await tail.until(lambda lines: "acknowledged" in {alert["state"] for alert in told(lines, "alert")})
    line = next(alert for alert in told(tail.lines, "alert") if alert["state"] == "acknowledged")
    assert (line["id"], line["acknowledgement"]["note"], bool(line["history"][-1]["key"])) == (id, "known", True)
    await tail.end()

    async def exit_code(*words: str) -> int:
        return (await run("check", visited.feed, "--fail-on", "medium", "--filter", "rule:unsigned", *words))[0]

    assert (await exit_code(), await exit_code("--include-acknowledged")) == (0, 1)
