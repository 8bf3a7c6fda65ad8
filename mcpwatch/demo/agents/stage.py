"""Where the agents act: the gateway's address, their keys, and SDK clients made for them."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import Random
from typing import Literal, cast

import httpx2
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import (
    CallToolResult,
    ElicitRequestParams,
    ElicitResult,
    Implementation,
    RequestParamsMeta,
    TextContent,
)

from mcpwatch.demo.agents.wire import Wire
from mcpwatch.demo.cast import CAST, Agent
from mcpwatch.identity.signer import AgentKey, AipAuth, Rfc9421Auth

Mode = Literal["auto", "legacy"]
Auth = Callable[[httpx2.Request], httpx2.Request]


class Stage:
    """What an act needs."""

    def __init__(self, gateway: str, keys: dict[str, AgentKey], seed: int, pace: float = 1.0) -> None:
        """`pace` stretches every pause; 0 leaves them out."""
        self._gateway = gateway
        self._keys = keys
        self._pace = pace
        self.random = Random(seed)  # noqa: S311 - the order of the story, not a secret

    async def pause(self, seconds: float = 0.6) -> None:
        """What an agent takes to think, more or less."""
        await asyncio.sleep(self._pace * seconds * self.random.uniform(0.5, 1.5))

    def url(self, server: str) -> str:
        """The MCP endpoint of a server, behind the gateway."""
        return f"{self._gateway}/{server}/mcp"

    def key(self, name: str) -> AgentKey:
        """An agent's key."""
        return self._keys[name]

    def auth(self, agent: Agent) -> Auth | None:
        """How the agent signs."""
        match agent.signs:
            case "aip":
                return AipAuth(self.key(agent.name))
            case "rfc9421":
                return Rfc9421Auth(self.key(agent.name))
            case _:
                return None

    @asynccontextmanager
    async def client(
        self,
        name: str,
        server: str,
        mode: Mode = "auto",
        *,
        wire: Wire | None = None,
        auth: Auth | None = None,
        headers: dict[str, str] | None = None,
    ) -> AsyncIterator[Client]:
        """The agent's SDK client, connected to a server through the gateway."""
        agent = CAST[name]
        async with httpx2.AsyncClient(
            transport=wire or Wire(),
            auth=auth or self.auth(agent),
            headers={"user-agent": f"{agent.name}/1.0", **(headers or {})},
            timeout=httpx2.Timeout(30.0),
        ) as http:
            transport = streamable_http_client(self.url(server), http_client=http)
            async with Client(
                transport,
                mode=mode,
                client_info=Implementation(name=agent.name, version="1.0"),
                elicitation_callback=agree,
                read_timeout_seconds=30.0,
                log_level="info",
            ) as client:
                yield client


async def agree(context: ClientRequestContext, params: ElicitRequestParams) -> ElicitResult:
    """The person at the agent's side says yes."""
    return ElicitResult(action="accept", content={"approved": True})


class Chain:
    """Calls of one trace over any number of clients (W3C Trace Context, `_meta.traceparent` by SEP-414)."""

    def __init__(self) -> None:
        self._trace = secrets.token_hex(16)

    async def call(self, client: Client, tool: str, **arguments: object) -> CallToolResult:
        """The next call of the chain."""
        meta = {"traceparent": f"00-{self._trace}-{secrets.token_hex(8)}-01"}
        return await client.call_tool(tool, arguments, meta=cast(RequestParamsMeta, meta))


def text(result: CallToolResult) -> str:
    """The text of a result."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
