"""What a gateway says of itself, asked beside its stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest
from fake_gateway import ADDRESS, FakeGateway, FakeTime, Handler, failing, proven, read, saying
from test_continuity import grown

from mcpwatch.feed.health import EVERY, MAX_HEALTH, keep_asking
from mcpwatch.model.feed import FeedState
from mcpwatch.model.health import Health

WELL = Health(size=3, watchers=1, disk_free=5_000)


def told(health: Health, status: int = 200) -> Handler:
    return saying(status, {"Content-Type": "application/json"}, msgspec.json.encode(health))


async def asked(gateway: FakeGateway, times: int) -> list[Health]:
    """What comes of so many questions, or of fewer where there is no use."""
    heard: list[Health] = []
    naps: list[float] = []

    async def sleep(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == times:
            raise asyncio.CancelledError

    async with httpx.AsyncClient(transport=httpx.MockTransport(gateway.handle)) as client:
        with contextlib.suppress(asyncio.CancelledError):
            await keep_asking(client, ADDRESS, heard.append, sleep)
    assert set(naps) <= {EVERY}
    return heard


async def test_it_is_asked_again_and_again_also_while_in_trouble() -> None:
    gateway = FakeGateway(grown(1))
    ill = Health(trouble="the disk is full")
    gateway.health = [told(WELL), told(ill, 503), told(WELL)]
    assert await asked(gateway, 4) == [WELL, ill, WELL, WELL]


@pytest.mark.parametrize(
    "handler",
    [saying(404), saying(401), saying(200, None, b"<html>"), saying(200, None, b" " * (MAX_HEALTH + 1))],
)
async def test_a_gateway_that_never_says_is_not_asked_again(handler: Handler) -> None:
    gateway = FakeGateway(grown(1))
    gateway.health = [handler]
    assert await asked(gateway, 4) == []
    assert gateway.health_asked == 1


@pytest.mark.parametrize("handler", [saying(429), saying(502), failing(httpx.ReadTimeout("late"))])
async def test_what_fails_is_asked_again(handler: Handler) -> None:
    gateway = FakeGateway(grown(1))
    gateway.health = [handler, told(WELL)]
    assert await asked(gateway, 2) == [WELL]


async def test_it_is_part_of_the_status_while_connected_and_only_then() -> None:
    log = grown(3)
    gateway = FakeGateway(log)
    gateway.health = [told(WELL)]
    source = gateway.source(FakeTime(), health=True)
    seen: list[tuple[FeedState, Health | None]] = []

    async def until_heard(request: httpx.Request) -> httpx.Response:
        async def content() -> AsyncIterator[bytes]:
            yield gateway.due(request)
            while source.status.health is None:
                await asyncio.sleep(0)
            yield log.checkpoint()

        return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content())

    def is_over(_: object) -> bool:
        seen.append((source.status.state, source.status.health))
        return source.status.state is FeedState.DISCONNECTED

    gateway.streams = [until_heard]
    await read(source, is_over)
    assert (FeedState.LIVE, WELL) in seen
    assert seen[-1] == (FeedState.DISCONNECTED, None)


async def test_nobody_asks_unless_told_to() -> None:
    gateway = FakeGateway(grown(3))
    await read(gateway.source(FakeTime()), proven(3))
    assert gateway.health_asked == 0
