"""Where the agents act: the gateway's address, their keys, and SDK clients made for them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random
from typing import Literal, cast

import httpx2
from mcp.client.client import Client
from mcp.client.context import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, ElicitRequestParams, ElicitResult, Implementation, RequestParamsMeta

from mcpwatch.demo.agents.auths import Auth, Clock, auth_of
from mcpwatch.demo.agents.wire import Wire
from mcpwatch.demo.cast import CAST
from mcpwatch.demo.keyring import Keyring
from mcpwatch.demo.places import Places
from mcpwatch.identity.agent_key import AgentKey

Mode = Literal["auto", "legacy"]


class Stage:
    """What an act needs."""

    def __init__(self, places: Places, keys: Keyring, pace: float = 1.0) -> None:
        """`pace` stretches everything that takes time; 0 leaves the time out."""
        self.places = places
        self.keys = keys
        self.pace = pace
        self.rotated: set[str] = set()
        """Agents that have replaced their key in this story."""
        self.random = Random()  # noqa: S311 (pauses and choices, not secrets)

    def seconds(self, about: float) -> float:
        """About so many seconds, at the stage's pace."""
        return self.pace * about * self.random.uniform(0.5, 1.5)

    async def pause(self, about: float = 0.6) -> None:
        """What an agent takes to think."""
        await asyncio.sleep(self.seconds(about))

    def url(self, server: str) -> str:
        """The MCP endpoint of a server, behind the gateway."""
        return f"{self.places.gateway}/{server}/mcp"

    def key(self, name: str) -> AgentKey:
        """An agent's key."""
        return self.keys.signing(name)

    @asynccontextmanager
    async def client(
        self,
        name: str,
        server: str,
        mode: Mode = "auto",
        *,
        wire: Wire | None = None,
        auth: Auth | None = None,
        clock: Clock = time.time,
        called: str = "",
    ) -> AsyncIterator[Client]:
        """The agent's SDK client, connected to a server through the gateway; it may be `called` something else."""
        agent = CAST[name]
        async with httpx2.AsyncClient(
            transport=wire or Wire(),
            auth=auth or auth_of(agent, self.keys, self.places.directory, clock),
            headers={"user-agent": f"{agent.name}/1.0"},
            timeout=httpx2.Timeout(30.0),
        ) as http:
            transport = streamable_http_client(self.url(server), http_client=http)
            async with Client(
                transport,
                mode=mode,
                client_info=Implementation(name=called or agent.name, version="1.0"),
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
