"""A network that fails, between a subscriber and its gateway."""

import asyncio
from collections.abc import AsyncIterator

import httpx

from mcpwatch.feed.address import FEED_PATH


class Wire(httpx.AsyncBaseTransport):
    """A network that cuts streams off, gives them out in small pieces, or holds them back."""

    def __init__(self) -> None:
        self.left: int | None = None
        """Octets of streams until the next cut; None for no cut."""
        self.piece = 65_536
        self.open = asyncio.Event()
        """While it is not set, streams stand still."""
        self.open.set()
        self._inner = httpx.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.url.path == FEED_PATH:
            assert isinstance(response.stream, httpx.AsyncByteStream)
            response.stream = Cut(response.stream, self)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


class Cut(httpx.AsyncByteStream):
    """A stream as the wire lets it through."""

    def __init__(self, inner: httpx.AsyncByteStream, wire: Wire) -> None:
        self._inner = inner
        self._wire = wire

    async def __aiter__(self) -> AsyncIterator[bytes]:
        wire = self._wire
        async for chunk in self._inner:
            size = wire.piece
            for at in range(0, len(chunk), size):
                await wire.open.wait()
                piece = chunk[at : at + size]
                if wire.left is not None:
                    if wire.left < len(piece):
                        cut, wire.left = piece[: wire.left], None
                        yield cut
                        raise httpx.ReadError("the wire was cut")
                    wire.left -= len(piece)
                yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
