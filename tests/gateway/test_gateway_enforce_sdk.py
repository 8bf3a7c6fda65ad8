"""The official client before an enforcing gateway, both eras: it shows why, and the server was never asked."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from enforced import REQUIRED, enforcing, pinned, registry_of
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPError
from rig import PATIENCE, every, gateway, journal, scripted
from sdk import Fixture, exercise, fixture

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import AipAuth, Rfc9421Auth
from mcpwatch.model.entries import End, Request
from mcpwatch.policy.policy import Members, Policy, Role, Signatures, Terms

Auth = Callable[[httpx2.Request], httpx2.Request]
ERAS = pytest.mark.parametrize("mode", ["auto", "legacy"])


@pytest.fixture
async def server() -> AsyncIterator[Fixture]:
    async with fixture() as made:
        yield made


@asynccontextmanager
async def client(address: str, mode: str, auth: Auth | None = None) -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(auth=auth, timeout=PATIENCE) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as made,
    ):
        yield made


def terms(tool: Terms) -> Policy:
    """What must be signed, with more for `echo`."""
    return Policy(everywhere=Terms(signatures=Signatures.REQUIRED), tools={("demo", "echo"): tool})


def forged(key: AgentKey) -> Auth:
    """In the name of `key`, with another."""
    return Rfc9421Auth(AgentKey.generate(), key_id=key.did_aip)


def by_did(key: AgentKey) -> Auth:
    return Rfc9421Auth(key, key_id=key.did_aip)


SIGNED = Terms(signatures=Signatures.REQUIRED)
BY_BOB = Terms(signatures=Signatures.REQUIRED, members=Members(identities=("bob",)))
BY_ADMINS = Terms(signatures=Signatures.REQUIRED, roles=(Role.ADMIN,))

REFUSED: dict[str, tuple[Callable[[AgentKey], Auth | None], Terms, str]] = {
    "unsigned": (lambda key: None, SIGNED, "a signature is required, and this request is UNSIGNED"),
    "wrong key": (forged, SIGNED, "a signature is required, and this request is BAD SIG"),
    "unknown key": (lambda key: by_did(AgentKey.generate()), SIGNED, "this request is NO CHECK"),
    "not permitted": (by_did, BY_BOB, "ann may not do this: it is none of the identities that may"),
    "wrong role": (by_did, BY_ADMINS, "ann may not do this: its role is user, and it takes admin"),
}


@ERAS
@pytest.mark.parametrize(("auth", "tool", "why"), REFUSED.values(), ids=REFUSED.keys())
async def test_the_client_shows_why(
    tmp_path: Path,
    server: Fixture,
    mode: str,
    auth: Callable[[AgentKey], Auth | None],
    tool: Terms,
    why: str,
) -> None:
    key = pinned(tmp_path, "ann")
    async with (
        gateway(tmp_path, f"demo={server.url}", enforcement=enforcing(tmp_path, terms(tool))) as running,
        client(running.listen_address, mode, auth(key)) as calling,
    ):
        with pytest.raises(MCPError) as caught:
            await calling.call_tool("echo", {"message": "x"})
    assert why in str(caught.value)
    assert not server.echoed
    found = re.search(r"entry (\d+) of the log\)$", str(caught.value))
    assert found is not None
    entry = int(found[1])
    request = journal(tmp_path)[entry]
    assert isinstance(request, Request)
    assert request.body is not None
    assert '"echo"' in (request.body.text or "")
    (end,) = [end for end in every(tmp_path, End) if end.exchange == entry]
    assert (end.outcome, why in end.reason) == ("denied", True)


@ERAS
@pytest.mark.parametrize("scheme", [by_did, AipAuth, Rfc9421Auth])
async def test_all_that_a_signing_client_does_works_as_without(
    tmp_path: Path, server: Fixture, mode: str, scheme: Callable[[AgentKey], Auth]
) -> None:
    key = pinned(tmp_path)
    async with (
        gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running,
        httpx2.AsyncClient(auth=scheme(key), timeout=None) as http,
    ):
        through = await exercise(running.listen_address + "/mcp", mode, http)
    assert through == await exercise(server.url, mode)
    assert "denied" not in {end.outcome for end in every(tmp_path, End)}


@ERAS
async def test_keys_come_from_the_registry(tmp_path: Path, server: Fixture, mode: str) -> None:
    key = AgentKey.generate()
    async with scripted(registry_of(key), path="") as registry:
        enforcement = enforcing(tmp_path, registry=registry.url)
        async with (
            gateway(tmp_path, server.url, enforcement=enforcement) as running,
            client(running.listen_address, mode, AipAuth(key)) as calling,
        ):
            await calling.call_tool("echo", {"message": "x"})
    assert server.echoed == ["x"]
    async with (
        gateway(tmp_path, server.url, enforcement=enforcement) as running,
        client(running.listen_address, mode, AipAuth(key)) as calling,
    ):
        with pytest.raises(MCPError, match="identity/cannot-check"):
            await calling.call_tool("echo", {"message": "y"})
    assert server.echoed == ["x"]


@ERAS
async def test_a_client_goes_on_after_a_refusal(tmp_path: Path, server: Fixture, mode: str) -> None:
    key = pinned(tmp_path)
    policy = Policy(everywhere=REQUIRED.everywhere, tools={("demo", "fail"): BY_BOB})
    async with (
        gateway(tmp_path, f"demo={server.url}", enforcement=enforcing(tmp_path, policy)) as running,
        client(running.listen_address, mode, by_did(key)) as calling,
    ):
        for message in ("one", "two"):
            with pytest.raises(MCPError, match="policy/not-permitted"):
                await calling.call_tool("fail")
            await calling.call_tool("echo", {"message": message})
    assert server.echoed == ["one", "two"]


async def test_another_agents_session(tmp_path: Path, server: Fixture) -> None:
    """Who took a session id can neither call in it, nor listen, nor end it, whatever key it has."""
    ann, eve = pinned(tmp_path, "ann"), pinned(tmp_path, "eve")
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        ids: list[str] = []

        def noted(request: httpx2.Request) -> httpx2.Request:
            ids.extend(filter(None, [request.headers.get("mcp-session-id")]))
            return by_did(ann)(request)

        async with client(running.listen_address, "legacy", noted) as calling:
            await calling.list_tools()
            fields = {"mcp-session-id": ids[0], "accept": "application/json, text/event-stream"}
            call = {"jsonrpc": "2.0", "id": 5, "method": "tools/call", "params": {"name": "echo", "arguments": {}}}
            async with httpx2.AsyncClient(headers=fields, auth=by_did(eve)) as http:
                url = f"{running.listen_address}/mcp"
                ways: list[Awaitable[httpx2.Response]] = [http.get(url), http.delete(url), http.post(url, json=call)]
                for answer in await asyncio.gather(*ways):
                    assert "the session belongs to another signer" in answer.json()["error"]["message"]
            await calling.call_tool("echo", {"message": "still ann's"})
    assert server.echoed == ["still ann's"]
