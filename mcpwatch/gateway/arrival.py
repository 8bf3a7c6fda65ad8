"""A request as it arrives: its target taken apart, its body read within bounds."""

import asyncio
import re
from http import HTTPStatus

from aiohttp import web

from mcpwatch.gateway.budget import Share
from mcpwatch.gateway.guard import Guard, local_address
from mcpwatch.gateway.headers import RawHeader, octets
from mcpwatch.gateway.options import BODY_SECONDS
from mcpwatch.gateway.refusal import Refusal

PAUSE_SECONDS = 60.0
"""How long an agent may pause while it sends a body."""
MAX_HEAD = 64 * 1024
"""Octets of all header fields of a request."""

_ABSOLUTE = re.compile(r"https?://([^/?#]*)(.*)", re.I | re.S)


class Arrival:
    """What the gateway goes by of a request, all as the agent sent it."""

    def __init__(self, request: web.BaseRequest) -> None:
        self.request = request
        self.method = request.method
        self.headers: tuple[RawHeader, ...] = request.raw_headers
        self.target = octets(request.raw_path.encode("utf-8", "surrogateescape"))
        """As on the request line, one character an octet."""
        hosts = [octets(value) for name, value in self.headers if name.lower() == b"host"] or [""]
        absolute = _ABSOLUTE.fullmatch(self.target)
        self.authority = absolute[1] if absolute else hosts[0]
        self.path = self.target
        """Path and query: the target in origin-form, or `*`; empty for any other form (RFC 9112, section 3.2)."""
        if absolute:
            self.path = absolute[2] if absolute[2].startswith("/") else f"/{absolute[2]}"
        elif not self.target.startswith("/") and self.target != "*":
            self.path = ""
        self.body: bytes | None = None
        self._hosts = {*hosts, self.authority}

    @property
    def peer(self) -> str:
        """Address and port of the other end."""
        return peer_of(self.request)

    async def read_body(self, limit: int, seconds: float = BODY_SECONDS, share: Share | None = None) -> None:
        """Read the body, if there is one, to its end within `seconds`, as far as `share` has room; raises Refusal."""
        request = self.request
        if not request.body_exists:
            return
        if (request.content_length or 0) > limit:
            raise _too_large(limit)
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = bytearray()
        now = asyncio.get_running_loop().time
        until = deadline = now() + seconds
        try:
            while not request.content.at_eof():
                until = min(deadline, now() + PAUSE_SECONDS)
                async with asyncio.timeout_at(until):
                    body += await request.content.readany()
                if len(body) > limit:
                    raise _too_large(limit)
                if share is not None and not share.hold(len(body)):
                    raise Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "too many octets of bodies at a time")
        except TimeoutError:
            why = f"the body took longer than {seconds:g} s" if until == deadline else "the body did not come"
            raise Refusal(HTTPStatus.REQUEST_TIMEOUT, why) from None
        except web.RequestPayloadError:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body is not well-formed") from None
        self.body = bytes(body)

    def admit(self, guard: Guard) -> None:
        """Raise Refusal for headers, a Host, an Origin or a target that do not belong here."""
        if sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            raise Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"the headers are over {MAX_HEAD} octets")
        here = local_address(self.request)
        if not all(guard.host(host, here) for host in self._hosts):
            raise Refusal(HTTPStatus.MISDIRECTED_REQUEST, "this Host is not allowed")
        if not all(guard.origin(origin) for origin in self.request.headers.getall("Origin", [])):
            raise Refusal(HTTPStatus.FORBIDDEN, "this Origin is not allowed")
        # A page can have a GET sent without an Origin, as for an image; browsers tell that it is of another site.
        if "Origin" not in self.request.headers and self.request.headers.get("Sec-Fetch-Site") == "cross-site":
            raise Refusal(HTTPStatus.FORBIDDEN, "a web page of another site is not allowed")
        if not self.path:
            raise Refusal(HTTPStatus.BAD_REQUEST, "the request target is not a path")


def peer_of(request: web.BaseRequest) -> str:
    """Address and port of the other end of a request's connection; empty when that has gone."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    if not name:
        return ""
    return f"[{name[0]}]:{name[1]}" if ":" in name[0] else f"{name[0]}:{name[1]}"


def _too_large(limit: int) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the body is larger than {limit} octets")
