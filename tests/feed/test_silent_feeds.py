"""Feeds that answer an octet at a time, or fall silent without a word: STALE or cut off in time, and resumed."""

import asyncio
import contextlib
import time as wall
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fake_gateway import TOKEN, FakeGateway, FakeTime, proven, read
from hostile_feeds import JSON, STREAM, about
from tiny_log import START, TinyLog

from mcpwatch.feed import queries
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import STALE_AFTER, FeedState
from mcpwatch.secret import Secret


def grown(entries: int) -> TinyLog:
    log = TinyLog()
    log.grow(entries)
    return log


async def test_a_stream_that_drips_is_stale_in_time_and_loses_nothing() -> None:
    """One octet a second: entries and proofs come, but far too late."""
    log, time = grown(2), FakeTime()

    async def dripping(request: httpx.Request) -> httpx.Response:
        async def content() -> AsyncIterator[bytes]:
            for octet in log.checkpoint(0) + log.entry(0) + log.entry(1) + log.checkpoint():
                yield bytes([octet])
                time.now += 1.0
            await asyncio.Event().wait()

        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content())

    source = FakeGateway(log, dripping).source(time)
    entries = await read(source, proven(2))
    assert [entry.leaf for entry in entries] == log.leaves
    stale = next(at for at, state, _ in source.status.history if state is FeedState.STALE)
    assert STALE_AFTER < stale - START <= STALE_AFTER + 1.0


HEADS: dict[str, tuple[str, bytes]] = {
    "head of the introduction": ("/v1/checkpoint", JSON),
    "introduction": ("/v1/checkpoint", JSON + b"\r\n{"),
    "head of the stream": ("/v1/feed", STREAM),
    "error": ("/v1/feed", b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\n\r\n{"),
}


@pytest.mark.parametrize("place", HEADS)
async def test_an_answer_that_drips_is_given_up(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "ANSWER_TIMEOUT", 0.2)
    log = grown(1)
    path, begun = HEADS[place]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].partition(b"?")[0].decode() == path:
                writer.write(begun)
                while True:
                    writer.write(b" " if begun.endswith(b"{") else b"X: x\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.01)
            writer.write(JSON + b"\r\n" + about(log))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START), sleep=FakeTime().sleep)
        await read(source, lambda each: each.status.state is FeedState.DISCONNECTED)
    assert source.status.detail == "no whole answer within 0 s"


@pytest.mark.faults
async def test_a_connection_that_is_half_open_is_stale_and_given_up_in_time() -> None:
    """By the real clock and over a real socket: silence from the second entry on, then an honest connection."""
    log = grown(3)
    silent: Iterator[bool] = iter([True])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            asked = await reader.readuntil(b"\r\n\r\n")
            if asked.split(b" ")[1].startswith(b"/v1/checkpoint"):
                writer.write(JSON + b"\r\n" + about(log))
                writer.close()
            elif next(silent, False):
                # The tail is cut: what follows entry 1 is withheld, and nothing says so.
                writer.write(STREAM + b"\r\n" + log.entry(0) + log.checkpoint(1) + log.entry(1))
            else:
                stamp = log.checkpoint(time=int(wall.time()))
                writer.write(STREAM + b"\r\n" + log.entry(2) + stamp)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        source = HttpSource(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", Secret(TOKEN))
        begun = wall.monotonic()
        batches = source.batches()
        entries, reached = [], dict[FeedState, float]()
        coming = asyncio.ensure_future(anext(batches))
        while source.status.verified_size < 3 or not coming.done():
            await asyncio.wait({coming}, timeout=0.05)
            reached.setdefault(source.status.state, wall.monotonic() - begun)
            if coming.done():
                entries += coming.result()
                if source.status.verified_size == 3:
                    break
                coming = asyncio.ensure_future(anext(batches))
        await source.close()
    assert [entry.index for entry in entries] == [0, 1, 2]
    assert reached[FeedState.STALE] <= STALE_AFTER + 0.5
    assert reached[FeedState.DISCONNECTED] <= 20.0
    print({state.value: round(after, 2) for state, after in reached.items()})
