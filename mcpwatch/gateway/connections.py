"""Connections as aiohttp serves them, but for what it cannot read: that is told, too."""

import asyncio
from http import HTTPStatus

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.http_exceptions import LineTooLong
from multidict import CIMultiDict

from mcpwatch.gateway import quiet
from mcpwatch.gateway.arrival import peer_of
from mcpwatch.gateway.refusal import Refusal
from mcpwatch.gateway.serving import Serving

KEEP_ALIVE_SECONDS = 75.0
"""How long an agent's connection may stay unused, or take to send a request's head."""
MAX_LINE = 16 * 1024
MAX_FIELD = 32 * 1024

_FAULTS = {
    LineTooLong: "a line of the request's head is too long",
    HttpProcessingError: "this is not a well-formed HTTP request",
}
"""What an error of the parser says of what came, the first kind that fits; its own text quotes the octets."""


class Server(web.Server):
    """Makes a Connection for each that is accepted, and hands its requests to `serving`."""

    def __init__(self, serving: Serving) -> None:
        super().__init__(serving.handle, handler_cancellation=True)
        self._serving = serving

    def __call__(self) -> web.RequestHandler:
        return Connection(self, self._serving)


class Connection(web.RequestHandler):
    """Answers a head that is not to be read as the gateway answers whatever else it refuses."""

    __slots__ = ("_serving",)

    def __init__(self, server: Server, serving: Serving) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,  # type: ignore[arg-type]
            logger=quiet.logger,
            auto_decompress=False,
            keepalive_timeout=KEEP_ALIVE_SECONDS,
            max_line_size=MAX_LINE,
            max_field_size=MAX_FIELD,
        )
        self._serving = serving

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if status != HTTPStatus.BAD_REQUEST or not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        why = next(why for kind, why in _FAULTS.items() if isinstance(exc, kind))
        refusal = Refusal(HTTPStatus.BAD_REQUEST, why)
        self._serving.unreadable(peer_of(request), refusal)
        headers, content = refusal.answer(None)
        fields = CIMultiDict((name.decode(), value.decode()) for name, value in headers)
        response = web.Response(status=status, body=content, headers=fields)
        response.force_close()
        return response
