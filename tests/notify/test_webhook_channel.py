"""A webhook gets JSON and its own token, from this machine's network and nowhere else."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest
from aiohttp import web

from mcpwatch.notify import webhook
from mcpwatch.notify.channel import Undelivered
from mcpwatch.notify.webhook import MAX_WAIT_S, WebhookChannel
from mcpwatch.secret import Secret

MESSAGE = b'{"text":"CRITICAL"}'
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """A server on this machine; its address."""
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def post(url: str, token: Secret | None = None) -> None:
    channel = WebhookChannel(url, token)
    try:
        await channel.send(MESSAGE)
    finally:
        await channel.close()


async def test_it_is_posted_as_json_with_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    got: list[tuple[str, str, dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        got.append((request.method, request.path_qs, dict(request.headers), await request.read()))
        return web.Response(status=204)

    async with serving(take) as address:
        await post(f"{address}/hooks/1?x=2", Secret("s3cret"))
    ((method, path, headers, body),) = got
    assert (method, path, body) == ("POST", "/hooks/1?x=2", MESSAGE)
    assert (headers["Content-Type"], headers["Authorization"]) == ("application/json", "Bearer s3cret")


async def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "TIMEOUT_S", 0.2)

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(b"HTTP/1.1 200 OK\r\n")
            while not reader.at_eof():
                writer.write(b"X: y\r\n")
                await writer.drain()
                with suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await reader.read(65_536)
        writer.close()

    async with await asyncio.start_server(drip, "127.0.0.1") as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(Undelivered, match="it cannot be reached: TimeoutError") as failure:
            await post(f"http://127.0.0.1:{port}/")
    assert failure.value.again_s == 0.0


async def test_a_redirect_is_not_followed() -> None:
    asked: list[str] = []

    async def send_on(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=307, headers={"Location": "/elsewhere"})

    async with serving(send_on) as address:
        with pytest.raises(Undelivered, match="307") as failure:
            await post(f"{address}/hook")
    assert (asked, failure.value.again_s) == (["/hook"], None)


@pytest.mark.parametrize(
    ("status", "retry_after", "again_s"),
    [
        (500, "", 0.0),
        (503, "7", 7.0),
        (429, "120", 120.0),
        (429, "999999", MAX_WAIT_S),
        (408, "soon", 0.0),
        (400, "7", None),
        (401, "", None),
        (404, "", None),
    ],
)
async def test_what_is_tried_again_and_when(status: int, retry_after: str, again_s: float | None) -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Retry-After": retry_after})

    async with serving(answer) as address:
        with pytest.raises(Undelivered, match=f"HTTP status {status}") as failure:
            await post(address)
    assert failure.value.again_s == again_s


async def test_an_endless_answer_is_not_read() -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 65_536)

    async with serving(drip) as address:
        await post(address)


async def test_nobody_there_is_a_failure_that_names_no_secret() -> None:
    channel = WebhookChannel("http://127.0.0.1:1/hooks/s3cret?token=s3cret", Secret("s3cret"))
    with pytest.raises(Undelivered) as failure:
        await channel.send(MESSAGE)
    await channel.close()
    assert failure.value.again_s == 0.0
    assert "s3cret" not in f"{failure.value}{channel.name}{vars(channel)['name']}"
    assert channel.name == "the webhook at http://127.0.0.1:1"


async def test_a_date_to_come_again_is_heeded() -> None:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=503, headers={"Retry-After": "Thu, 01 Jan 1970 00:01:40 GMT"})

    async with serving(answer) as address:
        channel = WebhookChannel(address, clock=lambda: 70.0)
        with pytest.raises(Undelivered) as failure:
            await channel.send(MESSAGE)
        await channel.close()
    assert failure.value.again_s == 30.0
