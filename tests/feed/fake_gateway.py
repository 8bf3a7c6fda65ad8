"""A gateway that answers as each test tells it to, and a watcher's clock that nobody waits for."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from pathlib import Path

import httpx
import msgspec
from tiny_log import START, TinyLog

from mcpwatch.feed.about import About
from mcpwatch.feed.address import CONSISTENCY_PATH, HEALTH_PATH
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.entries import Entry
from mcpwatch.secret import Secret

ADDRESS = "http://127.0.0.1:4181"
TOKEN = "a-token-nobody-should-see"
Handler = Callable[[httpx.Request], Awaitable[httpx.Response]]


class FakeTime:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = float(START)
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        await asyncio.sleep(0)


class FakeGateway:
    """Answers /v1/checkpoint and /v1/proof/consistency from a log, and each /v1/feed with the next of `streams`, the
    last again and again."""

    def __init__(
        self, log: TinyLog, *streams: Handler, checkpoint: Handler | None = None, consistency: Handler | None = None
    ) -> None:
        self.log = log
        self.streams = list(streams) or [self.whole]
        self.checkpoint = checkpoint or self.about
        self.consistency = consistency or self.proof
        self.asked: list[tuple[int, int]] = []
        """The proofs of consistency that were asked for."""
        self.requests: list[httpx.Request] = []
        self.oldest = 0
        self.health: list[Handler] = []
        """Answer /v1/health in turn, the last again and again; 404 without any."""
        self.health_asked = 0

    async def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/checkpoint":
            return await self.checkpoint(request)
        if request.url.path == CONSISTENCY_PATH:
            self.asked.append((int(request.url.params["first"]), int(request.url.params["second"])))
            return await self.consistency(request)
        if request.url.path == HEALTH_PATH:
            self.health_asked += 1
            answering = self.health.pop(0) if len(self.health) > 1 else (self.health or [saying(404)])[0]
            return await answering(request)
        self.requests.append(request)
        handler = self.streams.pop(0) if len(self.streams) > 1 else self.streams[0]
        return await handler(request)

    def source(self, time: FakeTime, **options: object) -> HttpSource:
        return HttpSource(
            ADDRESS,
            Secret(TOKEN),
            clock=time.clock,
            sleep=time.sleep,
            random=lambda: 1.0,
            transport=httpx.MockTransport(self.handle),
            **options,  # type: ignore[arg-type]
        )

    async def about(self, request: httpx.Request) -> httpx.Response:
        log = self.log
        about = About(
            origin=log.key.origin,
            keys=(log.key.verifier_key, log.key.time_verifier_key),
            note=log.note().decode(),
            frontier=log.frontier.hashes(),
            oldest=self.oldest,
            capture="masked",
        )
        return answer(200, {"Content-Type": "application/json"}, msgspec.json.encode(about))

    async def proof(self, request: httpx.Request) -> httpx.Response:
        body = msgspec.json.encode(self.log.consistency(*self.asked[-1]))
        return answer(200, {"Content-Type": "application/json"}, body)

    async def whole(self, request: httpx.Request) -> httpx.Response:
        """All entries that are due and a checkpoint, then silence."""
        return stream(self.due(request), hold=True)

    def due(self, request: httpx.Request) -> bytes:
        after = request.headers.get("last-event-id")
        first = int(after) + 1 if after else self.oldest
        return b"".join([*(self.log.entry(index) for index in range(first, self.log.size)), self.log.checkpoint()])


def stream(*chunks: bytes, hold: bool = False, error: Exception | None = None) -> httpx.Response:
    """An event stream of these chunks that then ends, fails, or stays open in silence."""

    async def content() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk
        if error is not None:
            raise error
        if hold:
            await asyncio.Event().wait()

    return httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content())


def answer(status: int, headers: dict[str, str] | None = None, *chunks: bytes) -> httpx.Response:
    """An answer whose body is still on its way, as a real transport's is."""

    async def content() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return httpx.Response(status, headers=headers, content=content())


def answering(*chunks: bytes, hold: bool = False, error: Exception | None = None) -> Handler:
    async def handler(request: httpx.Request) -> httpx.Response:
        return stream(*chunks, hold=hold, error=error)

    return handler


def failing(error: Exception) -> Handler:
    async def handler(request: httpx.Request) -> httpx.Response:
        raise error

    return handler


def saying(status: int, headers: dict[str, str] | None = None, content: bytes = b"") -> Handler:
    async def handler(request: httpx.Request) -> httpx.Response:
        return answer(status, headers, content)

    return handler


async def read(source: HttpSource, until: Callable[[HttpSource], bool] = lambda _: False) -> list[Entry]:
    """All entries until `until` holds or the source ends by itself."""
    entries: list[Entry] = []
    batches = 0
    async with aclosing(source.batches()) as arriving:
        async for batch in arriving:
            entries += batch
            batches += 1
            assert batches < 10_000, source.status
            if until(source):
                break
    return entries


def proven(size: int) -> Callable[[HttpSource], bool]:
    return lambda source: source.status.verified_size >= size


def kept(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())
