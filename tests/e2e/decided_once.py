"""An application with an MCP endpoint that decides once, at `initialize`, who somebody is.

After that the session id alone carries the role. The endpoint takes tokens that nobody signed, goes on with sessions
that were ended, denies inside of HTTP 200, streams under an event name of its own, and reads any file and any
address for anybody.
"""

import base64
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit
from uuid import uuid4

import httpx
from aiohttp import web

from mcpwatch.model.entries import Json

ORDERS, SETTINGS, INTERNAL = "3 orders", "opens at 9, closes at 18", "3 workers, queue empty"

NEEDS: Final = {"count_orders": "guest", "find_customer": "user", "settings": "admin", "run_job": "admin"}
"""Tool -> the least role that may use it."""
_ROLES = ("guest", "user", "admin")
_ADMINS = frozenset({"ada@example.com"})
_SAYS = {
    "count_orders": "Counts the orders of today.",
    "find_customer": "Finds a customer by name.",
    "settings": "Shows how the shop is set up.",
    "run_job": "Runs one of the shop's nightly jobs.",
}
_TAKES = {"find_customer": "name", "run_job": "job"}
_STEPS = ("reading 3 orders", "2 orders are paid")


class Shop:
    """The application: a page that only its own host should reach, and the endpoint."""

    def __init__(self, readme: Path) -> None:
        """`readme` is the one file that is listed as a resource."""
        self._readme = readme
        self._roles: dict[str, str] = {}

    def app(self) -> web.Application:
        app = web.Application()
        app.router.add_get("/internal", self._internal)
        app.router.add_post("/mcp", self._post)
        app.router.add_delete("/mcp", self._delete)
        return app

    async def _internal(self, request: web.Request) -> web.Response:
        return web.Response(text=INTERNAL)

    async def _delete(self, request: web.Request) -> web.Response:
        """Answers kindly, and forgets to end the session."""
        return web.Response(status=204)

    async def _post(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        id, method, params = body.get("id"), body["method"], body.get("params") or {}
        if method == "initialize":
            return self._initialize(id, request.headers.get("authorization", ""))
        role = self._roles.get(request.headers.get("mcp-session-id", ""))
        if role is None:
            return web.json_response(_error(id, -32002, "Unknown session"), status=401)
        if method == "tools/list":
            return web.json_response(_result(id, {"tools": [_definition(name) for name in NEEDS]}))
        if method == "tools/call":
            return await self._call(request, id, role, params["name"])
        if method == "resources/list":
            return web.json_response(_result(id, {"resources": [{"uri": self._readme.as_uri(), "name": "readme"}]}))
        if method == "resources/read":
            return web.json_response(_result(id, {"contents": [await _read(params["uri"])]}))
        return web.json_response(_error(id, -32601, f"Unknown method: {method}"))

    def _initialize(self, id: Json, authorization: str) -> web.Response:
        subject = _subject(authorization)
        role = "guest" if not subject else "admin" if subject in _ADMINS else "user"
        session = str(uuid4())
        self._roles[session] = role
        answer = {
            "protocolVersion": "2025-11-25",
            "capabilities": {"tools": {}, "resources": {}},
            "serverInfo": {"name": "shop", "version": "3.2.0"},
            "session": {"mcpSessionId": session, "authenticated": bool(subject), "role": role},
        }
        return web.json_response(_result(id, answer), headers={"mcp-session-id": session})

    async def _call(self, request: web.Request, id: Json, role: str, name: str) -> web.StreamResponse:
        needs = NEEDS[name]
        is_allowed = _ROLES.index(role) >= _ROLES.index(needs)
        answer = (
            _result(id, {"content": [{"type": "text", "text": _DOES[name]}]})
            if is_allowed
            else _error(id, -32001, f'Forbidden: tool "{name}" requires the {needs} role')
        )
        if name != "run_job":
            return web.json_response(answer)
        stream = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await stream.prepare(request)
        for step in _STEPS if is_allowed else ():
            for method, more in (("progress", {"status": "running"}), ("partial_output", {"text": step})):
                note = {"jsonrpc": "2.0", "method": f"notifications/{method}", "params": {"tool": name, **more}}
                await stream.write(_event("notification", note))
        await stream.write(_event("message", answer))
        await stream.write_eof()
        return stream


_DOES = {
    "count_orders": ORDERS,
    "find_customer": "Ms. Example of Exampleton",
    "settings": SETTINGS,
    "run_job": "\n".join(_STEPS),
}
"""Tool -> what it answers."""


async def _read(uri: str) -> Mapping[str, str]:
    """Any file, any address."""
    parts = urlsplit(uri)
    if parts.scheme == "file":
        return {"uri": uri, "text": Path(unquote(parts.path)).read_text(encoding="utf-8")}
    async with httpx.AsyncClient(trust_env=False) as http:
        return {"uri": uri, "text": (await http.get(uri)).text}


def _subject(authorization: str) -> str:
    """The subject of a token, whatever its header says of who signed it."""
    if not authorization:
        return ""
    payload = authorization.removeprefix("Bearer ").split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["sub"])


def _definition(name: str) -> Mapping[str, Json]:
    taken = {_TAKES[name]: {"type": "string"}} if name in _TAKES else {}
    schema = {"type": "object", "properties": taken}
    level = {"guest": "public", "user": "authenticated", "admin": "admin"}[NEEDS[name]]
    return {"name": name, "description": _SAYS[name], "inputSchema": schema, "accessLevel": level}


def _result(id: Json, value: Json) -> Mapping[str, Json]:
    return {"jsonrpc": "2.0", "id": id, "result": value}


def _error(id: Json, code: int, message: str) -> Mapping[str, Json]:
    return {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


def _event(name: str, body: Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps(body)}\n\n".encode()
