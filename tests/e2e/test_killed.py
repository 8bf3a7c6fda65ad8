"""Gateway and watcher die under load and come back: no entry is missing, none comes twice."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from behind import Rig
from processes import Process, told

pytestmark = pytest.mark.e2e

TOOL, LAST = "list_orders", "the_last_one"
HEADERS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
    "mcp-name": TOOL,
}


def call(tool: str) -> dict[str, object]:
    """A tool call of the modern era."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    params = {"name": tool, "arguments": {"customer": "C-88"}, "_meta": meta}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


@asynccontextmanager
async def load(url: str) -> AsyncIterator[list[int]]:
    """Eight agents that call without end; yields the HTTP statuses so far, 0 for a failed call."""
    statuses: list[int] = []

    async def agent(http: httpx2.AsyncClient) -> None:
        while True:
            try:
                statuses.append((await http.post(url, json=call(TOOL), headers=HEADERS)).status_code)
            except httpx2.HTTPError:
                statuses.append(0)
                await asyncio.sleep(0.05)

    async with httpx2.AsyncClient(trust_env=False, timeout=5.0) as http:
        agents = [asyncio.create_task(agent(http)) for _ in range(8)]
        yield statuses
        for task in agents:
            task.cancel()
        await asyncio.gather(*agents, return_exceptions=True)
        await http.post(url, json=call(LAST), headers=HEADERS | {"mcp-name": LAST})


def indexes(lines: list[str]) -> list[int]:
    return [entry["index"] for entry in told(lines, "entry")]


def restarts(lines: list[str]) -> int:
    """How often the gateway said that it had started."""
    return sum(entry["kind"] == "gateway" for entry in told(lines, "entry"))


async def test_nothing_is_missing_and_nothing_comes_twice(rig: Rig) -> None:
    first = await Process.start("tail", rig.feed, "--json", "--all")
    async with load(f"{rig.address}/orders/mcp") as statuses:
        await first.until(lambda lines: len(lines) > 200)

        await rig.gateway.end(signal.SIGKILL)
        before = len(statuses)
        await rig.restart()
        seen = len(first.lines)
        await first.until(lambda lines: len(lines) > seen + 200)
        assert 200 in statuses[before:]

        await first.end(signal.SIGKILL)
        second = await Process.start("tail", rig.feed, "--json", "--all")
        last = indexes(first.lines)[-1]
        await second.until(lambda lines: len(lines) > last + 200)

    await second.until(lambda lines: any(entry["tool"] == LAST for entry in told(lines, "entry")))
    before_kill, after = indexes(first.lines), indexes(second.lines)
    assert before_kill == list(range(len(before_kill)))
    assert after == list(range(len(after)))
    assert len(after) > len(before_kill)
    assert restarts(first.lines) == restarts(second.lines) == 2
    assert agree(first.lines, second.lines)
    states = {feed["state"] for feed in told(first.lines, "feed") + told(second.lines, "feed")}
    assert not states & {"BROKEN", "ROLLBACK", "GAP"}
    await second.end()


def agree(one: list[str], other: list[str]) -> bool:
    """Whether both watchers were told the same of every entry that both saw."""
    kinds = [
        {entry["index"]: (entry["kind"], entry["time"]) for entry in told(lines, "entry")} for lines in (one, other)
    ]
    return all(kinds[1][index] == kind for index, kind in kinds[0].items())
