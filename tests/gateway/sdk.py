"""A server and a client on the official SDK that use what a proxy could break: progress, questions back, changes."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated

import httpx2
import mcp_types
import uvicorn
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import (
    AcceptedElicitation,
    Context,
    Elicit,
    ElicitationResult,
    MCPServer,
    Resolve,
    Sample,
)
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel

RESOURCE = "test://counter"


class Name(BaseModel):
    name: str


def ask() -> Elicit[Name]:
    return Elicit("your name?", Name)


def think() -> Sample:
    text = mcp_types.TextContent(type="text", text="2+2?")
    return Sample([mcp_types.SamplingMessage(role="user", content=text)], max_tokens=5)


class Fixture:
    """The server and what its tools have seen."""

    def __init__(self) -> None:
        self.url = ""
        self.waiting = asyncio.Event()
        """Someone calls `wait`."""
        self.cancelled = asyncio.Event()
        """The call of `wait` was cancelled."""
        self.echoed: list[str] = []
        """What `echo` was called with."""
        self.together = asyncio.Barrier(10)
        self.server = MCPServer("fixture", version="1.0")
        self._add_tools(self.server)

    def _add_tools(self, server: MCPServer) -> None:
        @server.tool()
        def echo(message: str) -> str:
            self.echoed.append(message)
            return f"Echo: {message}"

        @server.tool()
        def fail() -> str:
            raise RuntimeError("inside")

        @server.tool()
        async def steps(ctx: Context, count: int) -> str:
            for number in range(count):
                await ctx.report_progress(number + 1, count, f"step {number + 1}")
            return f"{count} steps"

        @server.tool()
        async def greet(who: Annotated[ElicitationResult[Name], Resolve(ask)]) -> str:
            return f"hi {who.data.name}" if isinstance(who, AcceptedElicitation) else "declined"

        @server.tool()
        async def model(answer: Annotated[mcp_types.CreateMessageResult, Resolve(think)]) -> str:
            return f"model said {answer.content}"

        @server.tool()
        async def touch(ctx: Context) -> str:
            await ctx.notify_resource_updated(RESOURCE)
            await ctx.notify_tools_changed()
            return "touched"

        @server.tool()
        async def announce(ctx: Context) -> str:
            await ctx.session.send_tool_list_changed()
            return "announced"

        @server.tool()
        async def meet() -> str:
            await self.together.wait()
            return "met"

        @server.tool()
        async def wait() -> str:
            self.waiting.set()
            try:
                await asyncio.Event().wait()
            finally:
                self.cancelled.set()
            return "never"

        @server.resource(RESOURCE)
        def counter() -> str:
            return "1"

        @server.prompt()
        def hello(name: str) -> str:
            return f"Say hello to {name}"


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def fixture() -> AsyncIterator[Fixture]:
    """The server, answering both protocol eras at `url`."""
    made = Fixture()
    server = _Server(
        uvicorn.Config(made.server.streamable_http_app(), port=0, log_level="warning", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/mcp"
    try:
        yield made
    finally:
        server.should_exit = True
        await serving


async def elicit(
    context: ClientRequestContext, params: mcp_types.ElicitRequestParams
) -> mcp_types.ElicitResult | mcp_types.ErrorData:
    return mcp_types.ElicitResult(action="accept", content={"name": "Ann"})


async def sample(
    context: ClientRequestContext, params: mcp_types.CreateMessageRequestParams
) -> mcp_types.CreateMessageResult:
    return mcp_types.CreateMessageResult(
        role="assistant", content=mcp_types.TextContent(type="text", text="4"), model="m"
    )


async def exercise(url: str, mode: str, http: httpx2.AsyncClient | None = None) -> list[object]:
    """Use all that a server offers, through `http` if given, and return what came of it."""
    seen: list[object] = []

    async def count(progress: float, total: float | None, message: str | None) -> None:
        seen.append((progress, total, message))

    transport = streamable_http_client(url, http_client=http)
    async with Client(transport, mode=mode, elicitation_callback=elicit, sampling_callback=sample) as client:
        seen += [client.protocol_version, client.server_info, client.server_capabilities]
        seen.append(await client.list_tools())
        seen.append(await client.call_tool("echo", {"message": "Malmö ☃"}))
        seen.append(await client.call_tool("steps", {"count": 5}, progress_callback=count))
        seen.append(await client.call_tool("greet"))
        seen.append(await client.call_tool("model"))
        seen.append(await client.call_tool("fail"))
        seen.append(await client.call_tool("missing"))
        seen.append(await client.read_resource(RESOURCE))
        seen.append(await client.get_prompt("hello", {"name": "Ann"}))
        try:
            await client.read_resource("test://missing")
        except MCPError as error:
            seen.append(error.error)
        seen += await asyncio.gather(*(client.call_tool("meet") for _ in range(10)))
    return seen


if __name__ == "__main__":
    import sys

    uvicorn.run(Fixture().server.streamable_http_app(), port=int(sys.argv[1]), log_level="warning")
