"""Back office: a careless server. Session ids count up, anybody may use what is for few, and a stream says more."""

import itertools
import json
from collections import OrderedDict

from mcp.server.mcpserver import Context, MCPServer
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpwatch.bounded import keep
from mcpwatch.demo.servers.mail import PAYROLL

_SESSION = "mcp-session-id"
_STREAM = "text/event-stream"
_TALKATIVE = "close_day"
_ASIDE = {
    "jsonrpc": "2.0",
    "method": "notifications/partial_output",
    "params": {"text": "till 3: 412.50, opened by ada@example.com"},
}
_FIRST = 1001
_SESSIONS = 100
_FILES = {
    PAYROLL: "person,account,pay\nAda,5d0c2f81-93be-4a67-8c1e-f2b47a09d6e3,4200\n"
    "Bo,c81e7b04-2f6d-4953-a0d8-7e3b16f95c42,3900\n",
}


class CountsSessions:
    """Gives out numbers for the session ids of the server inside."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner
        self._numbers = itertools.count(_FIRST)
        self._ids: OrderedDict[str, str] = OrderedDict()
        """Number -> the id inside."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                fields = MutableHeaders(scope=message)
                if _SESSION in fields:
                    fields[_SESSION] = self._number(fields[_SESSION])
            await send(message)

        if scope["type"] == "http":
            fields = MutableHeaders(raw=list(scope["headers"]))
            if _SESSION in fields:
                fields[_SESSION] = self._ids.get(fields[_SESSION], fields[_SESSION])
            scope = {**scope, "headers": fields.raw}
        await self._inner(scope, receive, answer)

    def _number(self, id: str) -> str:
        known = next((number for number, inside in self._ids.items() if inside == id), "")
        number = known or f"session-{next(self._numbers)}"
        keep(self._ids, number, id, _SESSIONS)
        return number


class SpeaksAside:
    """Begins the streamed answer of one tool with an event that no client library reads."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_more_to_say = False

        async def answer(message: Message) -> None:
            nonlocal has_more_to_say
            if message["type"] == "http.response.start":
                has_more_to_say = Headers(raw=message["headers"]).get("content-type", "").startswith(_STREAM)
            elif has_more_to_say:
                has_more_to_say = False
                frame = f"event: notification\r\ndata: {json.dumps(_ASIDE)}\r\n\r\n"
                message = {**message, "body": frame.encode() + message.get("body", b"")}
            await send(message)

        is_its = scope["type"] == "http" and Headers(scope=scope).get("mcp-name") == _TALKATIVE
        await self._inner(scope, receive, answer if is_its else send)


def app() -> ASGIApp:
    """A server with protocol sessions."""
    server = MCPServer("backoffice", version="1.9.3")

    @server.tool()
    async def close_day(till: int, ctx: Context) -> str:
        """Count a till and close its day."""
        await ctx.session.send_log_message("info", f"counting till {till}", related_request_id=ctx.request_id)
        return f"Till {till} is closed."

    @server.tool()
    def read_vault(name: str) -> str:
        """The recovery code of a till."""
        return f"Recovery code of {name}: 4b1f9c72-8e05-4d3a-b6f1-90c27ae85d34"

    @server.tool()
    def read_file(path: str) -> str:
        """Read a file of the office."""
        return _FILES.get(path, "no such file")

    @server.tool()
    def change_prices(percent: float) -> str:
        """Change all prices. Requires the admin role."""
        return f"All prices changed by {percent:+.1f} per cent."

    return SpeaksAside(CountsSessions(server.streamable_http_app()))
