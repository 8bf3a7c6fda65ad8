"""Serve the crowd's MCP servers, of both eras: `python -m mcpwatch.demo.crowd.servers`.

Each takes a loopback port of its own; one JSON line says where they are.
"""

import asyncio
import json
import logging
import random
import secrets
import socket
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from mcpwatch.demo import lifeline
from mcpwatch.demo.crowd.tools import OFFERED, definition

SLOWEST_S = 0.03
"""How long a tool takes at most."""
_SESSION = "mcp-session-id"
_VERSIONS = ["2025-11-25", "2026-07-28"]
Answer = Callable[[dict[str, object]], Awaitable[dict[str, object]]]


class Server:
    """One MCP server; it answers each request with one JSON body."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tools = [definition(tool) for tool in OFFERED[name]]
        self._answers: dict[str, Answer] = {
            "initialize": self._initialize,
            "server/discover": self._discover,
            "tools/list": self._list,
            "tools/call": self._call,
        }

    async def post(self, request: web.Request) -> web.Response:
        """Answer one message."""
        message = msgspec.json.decode(await request.read(), type=dict[str, object])
        if "id" not in message:
            return web.Response(status=202)
        method = str(message.get("method"))
        answer: dict[str, object] = {"jsonrpc": "2.0", "id": message["id"]}
        if method in self._answers:
            answer["result"] = await self._answers[method](message)
        else:
            answer["error"] = {"code": -32601, "message": "Method not found"}
        headers = {_SESSION: secrets.token_hex(16)} if method == "initialize" else None
        return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=headers)

    async def delete(self, request: web.Request) -> web.Response:
        """End a session."""
        return web.Response(status=200)

    async def _initialize(self, message: dict[str, object]) -> dict[str, object]:
        return {"protocolVersion": _VERSIONS[0], "capabilities": {"tools": {}}, "serverInfo": self._info()}

    async def _discover(self, message: dict[str, object]) -> dict[str, object]:
        return {"supportedVersions": _VERSIONS[1:], "capabilities": {"tools": {}}, "serverInfo": self._info()}

    async def _list(self, message: dict[str, object]) -> dict[str, object]:
        return {"tools": self._tools}

    async def _call(self, message: dict[str, object]) -> dict[str, object]:
        await asyncio.sleep(random.uniform(0.001, SLOWEST_S))  # noqa: S311
        return {"content": [{"type": "text", "text": f"{self._name}: done, {random.randrange(40)} left"}]}  # noqa: S311

    def _info(self) -> dict[str, object]:
        return {"name": self._name, "version": "2.4.0"}


async def serve() -> None:
    """Serve until the process ends."""
    addresses: dict[str, str] = {}
    for name in OFFERED:
        server, app = Server(name), web.Application()
        app.router.add_post("/mcp", server.post)
        app.router.add_delete("/mcp", server.delete)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        bound = socket.create_server(("127.0.0.1", 0))
        await web.SockSite(runner, bound).start()
        addresses[name] = f"http://127.0.0.1:{bound.getsockname()[1]}"
    print(json.dumps(addresses), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    lifeline.hold()
    logging.disable(logging.ERROR)
    asyncio.run(serve())
