"""Feeds that answer an octet at a time, or fall silent without a word: STALE or cut off in time, and resumed."""

import asyncio
import contextlib
import time as wall
from collections.abc import AsyncIterator

import httpx
import pytest
from fake_gateway import TOKEN, FakeGateway, FakeTime, proven, read
from hostile_feeds import JSON, STREAM, about
from tiny_log import START, TinyLog

from mcpwatch.feed import queries
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.entries import Entry
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
@pytest.mark.parametrize(("sign_of_life", "state"), [(b": ping\n\n", FeedState.STALE), (b"", FeedState.DISCONNECTED)])
async def test_a_tail_that_is_cut_shows_in_time_by_the_real_clock(sign_of_life: bytes, state: FeedState) -> None:
    """What follows entry 1 is withheld, with comments to keep the connection up or in silence, as half-open."""
    log, cut = grown(3), iter([True])

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1]
            now = int(wall.time())
            if path.startswith(b"/v1/checkpoint"):
                writer.write(JSON + b"\r\n" + about(log))
                writer.close()
                return
            withheld = next(cut, False)
            events = log.entry(0) + log.checkpoint(1, now) + log.entry(1) if withheld else log.entry(2)
            writer.write(STREAM + b"\r\n" + events + (b"" if withheld else log.checkpoint(time=now)))
            while withheld:
                await asyncio.sleep(1.0)
                writer.write(sign_of_life)
            await asyncio.sleep(60.0)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        source = HttpSource(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", Secret(TOKEN))
        entries, batches = list[Entry](), source.batches()
        proof, left = 0.0, 0.0
        coming = asyncio.ensure_future(anext(batches))
        while not left:
            await asyncio.wait({coming}, timeout=0.05)
            now, standing = wall.monotonic(), source.status.state
            proof = proof or (now if standing is FeedState.LIVE else 0.0)
            left = now if proof and standing is not FeedState.LIVE else 0.0
            if coming.done():
                entries += coming.result()
                coming = asyncio.ensure_future(anext(batches))
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await source.close()
    assert (standing, [entry.index for entry in entries]) == (state, [0, 1])
    assert STALE_AFTER - 1.0 <= left - proof <= STALE_AFTER + 1.0
    print(f"{standing.value} after {left - proof:.2f} s")
