"""The official SDK's client and server, both protocol eras: through the gateway they do what they do without it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import mcp_types
import pytest
from mcp.client.client import Client
from mcp.client.session import IncomingMessage
from rig import PATIENCE, every, gateway
from sdk import RESOURCE, Fixture, exercise, fixture

from mcpwatch.model.entries import End, GatewayStarted, Message, Request

MODERN, LEGACY = "2026-07-28", "2025-11-25"
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
async def server() -> AsyncIterator[Fixture]:
    async with fixture() as made:
        yield made


@ERAS
async def test_the_same_results_as_without_it(tmp_path: Path, server: Fixture, mode: str) -> None:
    async with gateway(tmp_path, server.url) as running:
        direct = await exercise(server.url, mode)
        through = await exercise(running.listen_address + "/mcp", mode)
    assert through == direct
    assert through[0] == (MODERN if mode == "auto" else LEGACY)
    assert [each for each in through if isinstance(each, tuple)] == [
        (n, 5.0, f"step {int(n)}") for n in (1, 2, 3, 4, 5)
    ]
    requests, ends = every(tmp_path, Request), every(tmp_path, End)
    assert len(requests) == len(ends) > 20
    assert not [end for end in ends if "logged" in end.reason]
    sessions = {request.session for request in requests}
    assert len(sessions) == (1 if mode == "auto" else 2)


@ERAS
async def test_cancelling_a_call_reaches_the_server(tmp_path: Path, server: Fixture, mode: str) -> None:
    async with gateway(tmp_path, server.url) as running, Client(running.listen_address + "/mcp", mode=mode) as client:
        call = asyncio.create_task(client.call_tool("wait"))
        await server.waiting.wait()
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        await asyncio.wait_for(server.cancelled.wait(), PATIENCE)
        assert (await client.call_tool("echo", {"message": "still here"})).is_error is False


async def test_subscriptions_of_the_modern_era(tmp_path: Path, server: Fixture) -> None:
    async with (
        gateway(tmp_path, server.url) as running,
        Client(running.listen_address + "/mcp") as client,
        client.listen(tools_list_changed=True, resource_subscriptions=[RESOURCE]) as subscription,
    ):
        await client.call_tool("touch")
        kinds = [type(await anext(aiter(subscription))).__name__ for _ in range(2)]
    assert sorted(kinds) == ["ResourceUpdated", "ToolsListChanged"]
    listening = [message for message in every(tmp_path, Message) if "subscriptions" in (message.body.text or "")]
    assert listening
    assert all(message.stream for message in listening)


async def test_notifications_of_the_legacy_era(tmp_path: Path, server: Fixture) -> None:
    changed = asyncio.Event()

    async def handle(message: IncomingMessage) -> None:
        if isinstance(message, mcp_types.ToolListChangedNotification):
            changed.set()

    async with (
        gateway(tmp_path, server.url) as running,
        Client(running.listen_address + "/mcp", mode="legacy", message_handler=handle) as client,
        asyncio.timeout(PATIENCE),
    ):
        # What is sent before the client's GET stream stands is lost, with a gateway and without.
        while not changed.is_set():
            await client.call_tool("announce")
    methods = [request.method for request in every(tmp_path, Request)]
    assert (methods.count("GET"), methods.count("DELETE")) == (1, 1)


async def test_what_the_gateway_says_of_itself_comes_first(tmp_path: Path, server: Fixture) -> None:
    async with gateway(tmp_path, f"fixture={server.url}") as running, Client(running.listen_address + "/") as client:
        assert client.server_info is not None
        assert client.server_info.name == "fixture"
    (started,) = every(tmp_path, GatewayStarted)
    assert [(upstream.name, upstream.url) for upstream in started.upstreams] == [("fixture", server.url)]
