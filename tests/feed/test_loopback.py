"""The same over a real socket: chunks, a connection that is reset, a proxy in the environment."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from fake_gateway import TOKEN, FakeTime, proven, read
from tiny_log import START, TinyLog

from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedState
from mcpwatch.secret import Secret

Stream = Callable[[web.Request, web.StreamResponse], Awaitable[None]]


@asynccontextmanager
async def serving(log: TinyLog, stream: Stream) -> AsyncIterator[str]:
    """A gateway on a free port; `stream` writes what /v1/feed sends."""

    async def about(request: web.Request) -> web.Response:
        keys = [log.key.verifier_key, log.key.time_verifier_key]
        return web.json_response({"origin": log.key.origin, "keys": keys, "note": log.note().decode(), "frontier": []})

    async def feed(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await stream(request, response)
        return response

    app = web.Application()
    app.add_routes([web.get("/v1/checkpoint", about), web.get("/v1/feed", feed)])
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def due(log: TinyLog, request: web.Request) -> list[bytes]:
    after = request.headers.get("Last-Event-ID")
    return [log.entry(index) for index in range(int(after) + 1 if after else 0, log.size)]


async def test_a_feed_over_a_socket_without_the_environments_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    log = TinyLog()
    log.grow(300)

    async def stream(request: web.Request, response: web.StreamResponse) -> None:
        whole = b"".join([*due(log, request), log.checkpoint()])
        for at in range(0, len(whole), 997):
            await response.write(whole[at : at + 997])
        await asyncio.Event().wait()

    async with serving(log, stream) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START))
        entries = await read(source, proven(300))
    assert [entry.leaf for entry in entries] == log.leaves
    assert source.status.state is FeedState.LIVE


async def test_connections_that_are_reset_in_mid_event_lose_nothing() -> None:
    log = TinyLog()
    log.grow(40)

    async def stream(request: web.Request, response: web.StreamResponse) -> None:
        events = due(log, request)
        await response.write(b"".join(events[:7]))
        if events[7:]:
            await response.write(events[7][:20])
            assert request.transport is not None
            request.transport.abort()
        else:
            await response.write(log.checkpoint())
            await asyncio.Event().wait()

    async with serving(log, stream) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START), sleep=FakeTime().sleep)
        entries = await read(source, proven(40))
    assert [entry.leaf for entry in entries] == log.leaves
    assert (source.status.repeated, source.status.reconnects) == (0, 5)


async def test_nothing_listens() -> None:
    async with serving(TinyLog(), lambda *_: asyncio.sleep(0)) as address:
        pass
    source = HttpSource(address, Secret(TOKEN), sleep=FakeTime().sleep)
    await read(source, lambda each: each.status.state is FeedState.DISCONNECTED)
    assert source.status.detail == "nothing answers there; is the gateway running?"
    assert source.status.retry_at is not None
