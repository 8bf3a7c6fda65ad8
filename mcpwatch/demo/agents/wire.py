"""What happens to a request after its agent has signed it."""

from collections.abc import Mapping

import httpx2
from msgspec import Struct


class Sent(Struct, frozen=True):
    """A request as it went out."""

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: str) -> str:
        """The first value of a header; empty when it was not sent."""
        return httpx2.Headers(list(self.headers)).get(name, "")


class Wire(httpx2.AsyncBaseTransport):
    """The network between an agent and the gateway: it remembers what passes, and may change it.

    `swap` replaces some octets of each body by as many others; `headers` are laid over the request's own
    where its body holds `where`, and may be changed at any time.
    """

    def __init__(
        self,
        *,
        swap: tuple[bytes, bytes] = (b"", b""),
        headers: Mapping[str, str] | None = None,
        where: bytes = b"",
        onward: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.headers = dict(headers or {})
        self.sent: list[Sent] = []
        self._swap = swap
        self._where = where
        self._onward = onward or httpx2.AsyncHTTPTransport(trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        body = await request.aread()
        fields = request.headers.copy()
        if self._where in body:
            fields.update(self.headers)
        changed = httpx2.Request(
            request.method,
            request.url,
            headers=fields,
            content=body.replace(*self._swap, 1),
            extensions=request.extensions,
        )
        self.sent.append(Sent(changed.method, str(changed.url), tuple(changed.headers.raw), changed.content))
        return await self._onward.handle_async_request(changed)

    async def aclose(self) -> None:
        await self._onward.aclose()

    def last_call(self) -> Sent:
        """The newest `tools/call` that passed."""
        return next(sent for sent in reversed(self.sent) if b'"tools/call"' in sent.body)

    def session(self) -> str:
        """The protocol session that the newest requests are in."""
        return self.sent[-1].header("mcp-session-id")


async def send_again(sent: Sent, headers: Mapping[str, str]) -> int:
    """Send a remembered request once more, octet for octet but for `headers`; returns the HTTP status."""
    fields = httpx2.Headers(list(sent.headers))
    fields.update(headers)
    async with httpx2.AsyncClient(trust_env=False) as client:
        answer = await client.request(sent.method, sent.url, headers=fields, content=sent.body)
        return answer.status_code
