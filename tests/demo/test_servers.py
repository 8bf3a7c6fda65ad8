"""The demo's servers, reached by the official SDK's client in both protocol eras."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from mcp_types import TextContent

from mcpwatch.demo.agents.stage import Mode, agree
from mcpwatch.demo.agents.wire import Wire, send_again
from mcpwatch.demo.servers import DIRECTORY, REGISTRY
from mcpwatch.demo.servers.table import SERVERS

MODES: tuple[Mode, ...] = ("auto", "legacy")


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Where the servers listen."""
    props = tmp_path_factory.mktemp("servers") / "props.json"
    props.write_text("{}")
    process = subprocess.Popen(
        [sys.executable, "-m", "mcpwatch.demo.servers", str(props)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None and process.stdout is not None
    yield json.loads(process.stdout.readline())
    process.stdin.close()
    assert process.wait(10) == 0
    process.stdout.close()


@asynccontextmanager
async def client(address: str, mode: Mode) -> AsyncIterator[Client]:
    async with httpx2.AsyncClient(trust_env=False) as http:
        transport = streamable_http_client(f"{address}/mcp", http_client=http)
        async with Client(transport, mode=mode, elicitation_callback=agree) as connected:
            yield connected


@pytest.mark.parametrize("mode", MODES)
async def test_every_server_speaks_both_eras(addresses: dict[str, str], mode: Mode) -> None:
    assert set(addresses) == {*SERVERS, REGISTRY, DIRECTORY}
    for name in SERVERS:
        async with client(addresses[name], mode) as connected:
            assert connected.protocol_version == ("2026-07-28" if mode == "auto" else "2025-11-25")
            assert (await connected.list_tools()).tools


@pytest.mark.parametrize("mode", MODES)
async def test_a_build_reports_each_step(addresses: dict[str, str], mode: Mode) -> None:
    steps: list[float] = []

    async def note(progress: float, total: float | None, message: str | None) -> None:
        steps.append(progress)

    async with client(addresses["builds"], mode) as builds:
        await builds.call_tool("run_build", {"project": "shop", "seconds": 0.1}, progress_callback=note)
    assert steps == [1, 2, 3, 4, 5, 6, 7]


async def test_a_large_refund_asks_a_person(addresses: dict[str, str]) -> None:
    async with client(addresses["orders"], "auto") as orders:
        first = await orders.session.call_tool(
            "refund_order", {"number": "A-1077", "amount": 249.0}, allow_input_required=True
        )
        assert first.result_type == "input_required"
        answer = await orders.call_tool("refund_order", {"number": "A-1077", "amount": 249.0})
        assert [part.text for part in answer.content if isinstance(part, TextContent)] == [
            "Refunded 249.00 for A-1077."
        ]


@pytest.mark.parametrize("mode", MODES)
async def test_a_guest_is_refused_what_is_for_administrators(addresses: dict[str, str], mode: Mode) -> None:
    async with client(addresses["accounts"], mode) as accounts:
        await accounts.call_tool("list_accounts", {})
        with pytest.raises(MCPError, match="Forbidden"):
            await accounts.call_tool("rotate_keys", {})


async def test_the_weather_tool_changes_after_it_was_used(addresses: dict[str, str]) -> None:
    descriptions = []
    async with client(addresses["weather"], "legacy") as weather:
        for _ in range(2):
            tools = {tool.name: tool for tool in (await weather.list_tools(cache_mode="refresh")).tools}
            descriptions.append(tools["forecast"].description)
            for city in ("Bergen", "Porto"):
                answer = await weather.call_tool("forecast", {"city": city})
                assert isinstance(answer.content[0], TextContent)
    assert descriptions[0] != descriptions[1]


async def test_descriptions_of_the_files_server_attack_the_reader(addresses: dict[str, str]) -> None:
    async with client(addresses["files"], "legacy") as files:
        tools = {tool.name: tool.description or "" for tool in (await files.list_tools()).tools}
    assert "\x1b[" in tools["list_files"]
    assert "\u202e" in tools["read_file"]


async def test_the_files_server_forgets_to_end_a_session(addresses: dict[str, str]) -> None:
    wire = Wire()
    async with httpx2.AsyncClient(transport=wire) as http:
        transport = streamable_http_client(f"{addresses['files']}/mcp", http_client=http)
        async with Client(transport, mode="legacy") as files:
            await files.call_tool("list_files", {})
    assert wire.sent[-1].method == "DELETE"
    assert await send_again(wire.last_call(), {}) == 200


async def test_the_notes_server_ends_a_session(addresses: dict[str, str]) -> None:
    wire = Wire()
    async with httpx2.AsyncClient(transport=wire) as http:
        transport = streamable_http_client(f"{addresses['notes']}/mcp", http_client=http)
        async with Client(transport, mode="legacy") as notes:
            await notes.call_tool("read_note", {"id": "note-7f3a91c2"})
    assert await send_again(wire.last_call(), {}) == 404
