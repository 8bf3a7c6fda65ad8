"""The answer to an agent, written octet for octet as the server sent it."""

from collections.abc import Sequence

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from mcpwatch.gateway.headers import RawHeader

_BODILESS = frozenset({204, 304})


class AgentGone(Exception):
    """The agent has closed the connection."""


class Answer(web.StreamResponse):
    """Writes head and body to the connection itself, since aiohttp would add and re-spell fields.

    aiohttp's request handler gets this back as the finished answer and only looks at `keep_alive`. Writing
    raises AgentGone once the agent has closed the connection.
    """

    def __init__(self, request: web.BaseRequest) -> None:
        super().__init__()
        self.started = False
        self.sent = 0
        """Octets of body."""
        self._request = request
        self._keeps = request.keep_alive
        self._chunked = False

    @property
    def keep_alive(self) -> bool:
        return self._keeps

    def close_after(self) -> None:
        """End the connection with this answer."""
        self._keeps = False

    def head(self, status: int, reason: bytes, headers: Sequence[RawHeader]) -> bytes:
        """Choose the framing and return the head, to be written with the first octets of the body.

        `headers` are end-to-end; a Content-Length among them frames the body, else it is chunked, or to an
        HTTP/1.0 client ends with the connection (RFC 9112, section 6.3).
        """
        self.started = True
        lines = [b"HTTP/1.1 %d %b" % (status, reason)]
        lines += [name + b": " + value for name, value in headers]
        bodiless = self._request.method == "HEAD" or status in _BODILESS
        if not bodiless and not any(name.lower() == b"content-length" for name, _ in headers):
            if self._request.version >= (1, 1):
                self._chunked = True
                lines.append(b"Transfer-Encoding: chunked")
            else:
                self._keeps = False
        if not self._keeps:
            lines.append(b"Connection: close")
        return b"\r\n".join((*lines, b"", b""))

    async def pass_on(self, chunk: bytes, head: bytes = b"", *, last: bool = False) -> None:
        """Write a piece of the body, after `head` if given, and wait while the agent is slow to take it.

        With the `last` piece, which may be empty, the body is complete.
        """
        pieces = [head, chunk]
        if self._chunked:
            pieces = [head, b"%x\r\n%b\r\n" % (len(chunk), chunk) if chunk else b"", b"0\r\n\r\n" if last else b""]
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise AgentGone
        if octets := b"".join(pieces):
            transport.write(octets)
        self.sent += len(chunk)
        try:
            await self._request.writer.drain()
        except ConnectionError:
            raise AgentGone from None

    def abort(self) -> None:
        """Break the connection off, so that the agent can tell that the body is not complete."""
        self._keeps = False
        if self._request.transport is not None:
            self._request.transport.abort()

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        """Nothing is left to do: the answer has been written."""
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing is left to do: the answer has been written."""
