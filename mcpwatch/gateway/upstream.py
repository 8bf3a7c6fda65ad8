"""The servers behind the gateway: which one a request is for, and the connections to it."""

import asyncio
from collections.abc import Sequence

import aiohttp
from aiohttp import hdrs
from multidict import CIMultiDict
from yarl import URL

from mcpwatch.gateway.headers import RawHeader
from mcpwatch.gateway.options import is_named
from mcpwatch.model.entries import UpstreamInfo

CONNECT_SECONDS = 10.0
IDLE_SECONDS = 4.0
"""How long an unused connection is kept: less than servers keep theirs (uvicorn and Node 5 s), so that
no request is written to one that the server is about to close."""
READ_BUFFER = 256 * 1024
MAX_FIELD = 64 * 1024
"""Octets of one header field of an answer."""


class Dropped(aiohttp.ClientConnectionError):
    """The server closed the connection without an answer."""


async def _send_once(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Keep aiohttp from sending a GET or DELETE twice when its connection breaks: signed, it would be a replay."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        raise Dropped(str(error)) from error


_AUTOMATIC = (hdrs.ACCEPT, hdrs.ACCEPT_ENCODING, hdrs.CONTENT_TYPE, hdrs.USER_AGENT)


class Upstream:
    """One server: its URL, and a pool of connections that adds nothing of its own to a request."""

    def __init__(self, info: UpstreamInfo) -> None:
        self.info = info
        self._url = URL(info.url)
        self.origin = f"{self._url.scheme}://{self._url.host_port_subcomponent}"
        """Scheme and authority, as the server sees them."""
        self.path = self._url.raw_path if self._url.raw_path != "/" else ""
        """The path of its URL; empty for none."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
            skip_auto_headers=_AUTOMATIC,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
            middlewares=(_send_once,),
            auto_decompress=False,
            trust_env=False,
            read_bufsize=READ_BUFFER,
            max_line_size=MAX_FIELD,
            max_field_size=MAX_FIELD,
        )

    async def send(
        self, method: str, target: str, headers: Sequence[RawHeader], body: bytes | None
    ) -> aiohttp.ClientResponse:
        """Send a request and return once the answer's head is there.

        `target` goes onto the request line as it is. Raises aiohttp.ClientError and TimeoutError, and ValueError
        for what aiohttp cannot send: control characters, and octets that are not UTF-8.
        """
        # Of one name in two spellings aiohttp keeps only the last field, so a repeated name is spelled as at first.
        spelling: dict[bytes, str] = {}
        fields = CIMultiDict(
            (spelling.setdefault(name.lower(), name.decode()), value.decode()) for name, value in headers
        )
        scheme, host, port = self._url.scheme, self._url.host or "", self._url.port
        url = URL.build(scheme=scheme, host=host, port=port, path=target, encoded=True)
        return await self._session.request(method, url, headers=fields, data=body, allow_redirects=False)

    async def close(self) -> None:
        await self._session.close()


class Lifeline:
    """The connection that an answer comes on. When it goes, aiohttp does not always tell the reader of the body."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        """Watch until `close`; an answer that is all there already needs no connection."""
        protocol = response.connection.protocol if response.connection is not None else None
        self._content = response.content
        self._framed = "Content-Length" in response.headers or "Transfer-Encoding" in response.headers
        self._lost = protocol.closed if protocol is not None else None
        if self._lost is not None:
            self._lost.remove_done_callback(_retrieve)
            self._lost.add_done_callback(_retrieve)
            self._lost.add_done_callback(self._tell)
        elif protocol is not None:
            self._tell()

    @property
    def cut(self) -> bool:
        """Whether the connection broke where only its good end would have said that the body is complete."""
        lost = self._lost
        return not self._framed and lost is not None and lost.done() and lost.exception() is not None

    def close(self) -> None:
        if self._lost is not None:
            self._lost.remove_done_callback(self._tell)

    def _tell(self, lost: asyncio.Future[None] | None = None) -> None:
        if not self._content.is_eof() and self._content.exception() is None:
            self._content.set_exception(aiohttp.ClientPayloadError("the connection was lost"))


def _retrieve(lost: asyncio.Future[None]) -> None:
    """Keep asyncio from reporting a lost connection that nobody waits for."""
    if not lost.cancelled():
        lost.exception()


class Router:
    """Finds the upstream for a request target, and what the target becomes there.

    Each is reached under `/NAME/`, and `/NAME` is taken off. One alone gets every other target as it is, and every
    target if it was given no name. Where nothing is left of the path, the path of the upstream's own URL is meant.
    """

    def __init__(self, infos: Sequence[UpstreamInfo]) -> None:
        self.upstreams = [Upstream(info) for info in infos]
        alone = len(self.upstreams) == 1
        self._alone = self.upstreams[0] if alone else None
        self._by_name = {one.info.name: one for one in self.upstreams if not alone or is_named(one.info)}

    def find(self, target: str) -> tuple[Upstream, str] | None:
        """The upstream and its target (origin-form) for a target in origin-form or `*`; None when no name fits."""
        path, mark, query = target.partition("?")
        name, slash, left = path.removeprefix("/").partition("/")
        upstream, rest = self._by_name.get(name), slash + left + mark + query
        if upstream is None:
            upstream, rest = self._alone, target
        if upstream is None:
            return None
        path, mark, query = rest.partition("?")
        if path in ("", "/"):
            return upstream, (upstream.path or "/") + mark + query
        return upstream, rest

    async def close(self) -> None:
        for upstream in self.upstreams:
            await upstream.close()
