"""An agent that cannot sign, behind `mcpwatch sign`: real processes from the client's socket to the verdict."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from mcp.client.client import Client
from msgspec import Struct
from processes import DEADLINE_S, Process, Told, told
from sdk import RESOURCE, Fixture, exercise, fixture

from mcpwatch.identity.agent_key import AgentKey

pytestmark = pytest.mark.e2e
SCHEMES = pytest.mark.parametrize("scheme", ["rfc9421", "aip"])
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])
LAST = "mcpwatch/last"
HERE = "127.0.0.1:0"


class Row(Struct):
    """A client's way to its server: the signing proxy, the gateway, the server."""

    server: Fixture
    feed: str
    signer: Process
    url: str
    identity: str

    async def requests(self) -> list[Told]:
        """What `tail --json` tells of every request, once a last one has come through."""
        async with httpx.AsyncClient(trust_env=False) as http:
            await http.post(self.url, json={"jsonrpc": "2.0", "id": 0, "method": LAST})
        tail = await Process.start("tail", self.feed, "--json", "--all")
        lines = await tail.until(lambda lines: any(entry["method"] == LAST for entry in told(lines, "entry")))
        await tail.end()
        return [entry for entry in told(lines, "entry") if entry["kind"] == "request"]


@contextlib.asynccontextmanager
async def row(tmp_path: Path, scheme: str) -> AsyncIterator[Row]:
    file = tmp_path / "agent.pem"
    made = await Process.start("keygen", "--out", str(file))
    assert await made.wait() == 0
    key = AgentKey.load(file)
    pinned = await Process.start("keys", "add", key.did_aip, key.public_base64, "--name", "ledger")
    assert await pinned.wait() == 0
    async with fixture() as server:
        gateway = await Process.start("gateway", "--upstream", server.url, "--listen", HERE, "--feed", HERE)
        greeting = re.search(r"listening on (\S+), feed on ([^\s,]+)", (await gateway.until(bool))[0])
        assert greeting is not None
        signer = await Process.start(
            "sign", "--upstream", f"{greeting[1]}/mcp", "--key", str(file), "--scheme", scheme, "--listen", HERE
        )
        identity = await signer.line("signing as ")
        url = (await signer.line("  http://")).partition(" ")[0]
        yield Row(server, greeting[2], signer, f"http://{url}", identity)
        assert await signer.end() == 0
        assert await gateway.end() == 0
        assert identity == (key.did_aip if scheme == "aip" else key.did_key)


@SCHEMES
@ERAS
async def test_everything_works_as_without_it_and_is_verified(tmp_path: Path, scheme: str, mode: str) -> None:
    async with row(tmp_path, scheme) as way:
        assert await exercise(way.url, mode) == await exercise(way.server.url, mode)
        requests = await way.requests()
    assert len(requests) > 20
    verdicts = [request["verdict"] for request in requests]
    assert {verdict["word"] for verdict in verdicts} == {"VERIFIED"}
    assert {verdict["identity"]["id"] for verdict in verdicts} == {way.identity}
    bound = [request for request in requests if "session id" in request["verdict"]["coverage"]]
    # The last one is no client's and has no session; initialize has none yet.
    assert len(bound) == (len(requests) - 2 if (scheme, mode) == ("rfc9421", "legacy") else 0)


@SCHEMES
@ERAS
async def test_a_cancelled_call_is_cancelled_at_the_server(tmp_path: Path, scheme: str, mode: str) -> None:
    async with row(tmp_path, scheme) as way, Client(way.url, mode=mode) as client:
        call = asyncio.create_task(client.call_tool("wait"))
        await way.server.waiting.wait()
        call.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await call
        await asyncio.wait_for(way.server.cancelled.wait(), DEADLINE_S)
        assert (await client.call_tool("echo", {"message": "still here"})).is_error is False
        assert {request["verdict"]["word"] for request in await way.requests()} == {"VERIFIED"}


@SCHEMES
async def test_subscriptions_come_through(tmp_path: Path, scheme: str) -> None:
    async with (
        row(tmp_path, scheme) as way,
        Client(way.url) as client,
        client.listen(tools_list_changed=True, resource_subscriptions=[RESOURCE]) as subscription,
    ):
        await client.call_tool("touch")
        kinds = [type(await anext(aiter(subscription))).__name__ for _ in range(2)]
    assert sorted(kinds) == ["ResourceUpdated", "ToolsListChanged"]


async def test_a_server_that_is_down_is_named_and_the_key_is_not(tmp_path: Path) -> None:
    file = tmp_path / "agent.pem"
    AgentKey.generate().save(file)
    signer = await Process.start("sign", "--upstream", "http://127.0.0.1:9/mcp", "--key", str(file), "--listen", HERE)
    url = (await signer.line("  http://")).partition(" ")[0]
    async with httpx.AsyncClient(trust_env=False) as http:
        answer = await http.post(f"http://{url}", json={"jsonrpc": "2.0", "id": 0, "method": LAST})
    assert (answer.status_code, answer.text) == (502, "mcpwatch sign: 127.0.0.1:9 cannot be reached\n")
    assert await signer.end() == 0
    assert len(signer.lines) == 4
    assert not any(line in "".join(signer.lines) for line in file.read_text().splitlines())
