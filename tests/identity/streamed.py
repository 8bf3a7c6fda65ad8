"""Responses whose octets come from a stream, as they do from a network."""

from collections.abc import AsyncIterator

import httpx


class Octets(httpx.AsyncByteStream):
    """`data`, in pieces of 1,000."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._data), 1000):
            yield self._data[start : start + 1000]


def streamed(response: httpx.Response) -> httpx.Response:
    """The same response, unread."""
    stream = response.stream
    assert isinstance(stream, httpx.SyncByteStream)
    return httpx.Response(response.status_code, headers=response.headers, stream=Octets(b"".join(stream)))
