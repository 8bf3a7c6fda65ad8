"""A gateway's feed over HTTP: connect, read, resume, and say plainly how it stands."""

import asyncio
import logging
import random as random_module
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from http import HTTPStatus
from pathlib import Path

import httpx
from httpx_sse import EventSource, aconnect_sse

from mcpwatch.errors import LocalError, McpwatchError
from mcpwatch.feed import queries
from mcpwatch.feed.about import About
from mcpwatch.feed.address import FEED_PATH, feed_address, host_and_port
from mcpwatch.feed.backoff import Backoff
from mcpwatch.feed.checkpoint_keeper import CheckpointKeeper
from mcpwatch.feed.failures import NO_LOG_ANY_MORE, Refused, Shorter, TryLater, describe
from mcpwatch.feed.health import keep_asking
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.post_act import post_act
from mcpwatch.feed.source import Clock, steady_clock
from mcpwatch.feed.sse import Frame, SseReader, StreamFault, is_event_stream
from mcpwatch.feed.trust import ChangedKey, Trust
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.entries import AlertActed, Entry
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus
from mcpwatch.secret import Secret
from mcpwatch.tasks import cancel

SLICE = 200
"""Entries in one batch at most."""
QUEUE = 4
"""Batches that wait for the watcher; then the socket does, and then the gateway."""

logger = logging.getLogger(__name__)


class HttpSource:
    """Subscribes to the feed at `url` and keeps reading it, over as many connections as it takes.

    Raises UsageError for an address that is none and LocalError for a token that cannot be sent. `keys` are the
    log's verifier keys where the operator knows them; else the first ones seen are pinned under `state`. `from_start`
    reads the whole log, otherwise only what comes; `reader` takes the place of the usual one, to record what it reads.
    `health` asks the gateway beside the stream how it does. `clock`, `sleep`, `random` and `transport` are for tests.
    """

    def __init__(
        self,
        url: str,
        token: Secret,
        *,
        name: str = "",
        from_start: bool = True,
        keys: tuple[str, str] | None = None,
        state: Path | None = None,
        reader: LogReader | None = None,
        health: bool = False,
        clock: Clock | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.address = feed_address(url)
        self.name = name or host_and_port(self.address)
        self._token = queries.sendable(token)
        self._trust = Trust(self.address, keys, state)
        self._keeper = CheckpointKeeper(self.address, state)
        self._clock = clock or steady_clock()
        self._sleep = sleep
        self._transport = transport
        self._backoff = Backoff(random)
        self._reader = reader or LogReader(self.name, self.address, from_start=from_start)
        self._queue: asyncio.Queue[tuple[list[Entry], FeedStatus] | None] = asyncio.Queue(QUEUE)
        self._queued = self._given = self._reader.status
        self._task: asyncio.Task[None] | None = None
        self._has_no_log = False
        self._asks_health = health

    @property
    def status(self) -> FeedStatus:
        """How the feed stands, as far as its entries were given out.

        Reading it lets time pass, so that silence shows without an event.
        """
        if not self._queue.empty():
            return self._given
        self._reader.tick(self._clock())
        return self._reader.status

    async def probe(self) -> None:
        """Ask once whether the feed is there and lets us in; raises ConnectError and RefusedError."""
        try:
            async with self._client() as client:
                if await self._about(client) is None:
                    async with queries.in_time(), self._stream(client) as events:
                        await queries.check(events.response, is_event_stream, self._clock)
        except (Refused, TryLater, httpx.HTTPError, OSError, ValueError) as error:
            raise queries.failure(self.address, error) from None

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Entries in order, at most SLICE at once; an empty list when only the status changed. To be read once."""
        self._task = asyncio.create_task(self._run(), name=f"feed {self.name}")
        try:
            while (item := await self._queue.get()) is not None:
                batch, self._given = item
                yield batch
                await asyncio.sleep(0)
        finally:
            await cancel(self._task)
            await self._keeper.close(self._reader.pinnable, self._clock())

    async def post(self, acted: AlertActed) -> int:
        """Write an act into the log; raises as `mcpwatch.feed.acts.ActLog` says."""
        async with self._client() as client:
            return await post_act(client, self.address, acted)

    async def close(self) -> None:
        """Stop reading; `batches` ends."""
        if self._task is not None:
            await cancel(self._task)
        await self._keeper.close(self._reader.pinnable, self._clock())
        self._reader.ended("closed", self._clock())
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        self._given = self._reader.status

    async def _run(self) -> None:
        """Connect again and again until there is no use."""
        try:
            async with self._client() as client:
                while await self._attempt(client):
                    pass
        except (OSError, ValueError) as error:
            # Making the client reads the machine's certificates.
            self._reader.refused(describe(error), self._clock())
        await self._queue.put(None)

    async def _attempt(self, client: httpx.AsyncClient) -> bool:
        """One connection to its end, and the wait after it; whether another makes sense."""
        retry_after = 0.0
        try:
            await self._connect(client)
            reason = "the gateway closed the stream"
        except (Refused, LocalError) as refusal:
            words = f"{refusal.title}. {refusal.hint}" if isinstance(refusal, McpwatchError) else str(refusal)
            self._reader.refused(words, self._clock())
            await self._give([])
            return False
        except ChangedKey as changed:
            self._reader.ended(str(changed), self._clock())
            await self._give([])
            return False
        except TryLater as later:
            if isinstance(later, Shorter):
                self._reader.sever(str(later), self._clock(), state=FeedState.ROLLBACK)
            reason, retry_after = str(later), later.retry_after
        except httpx.HTTPError as error:
            reason = describe(error)
        except Exception as error:
            # Whatever the other end made fail here, it must not end the feed for good.
            logger.exception("reading the feed %s failed", self.name)
            reason = describe(error)
        delay = self._backoff.next(retry_after)
        now = self._clock()
        self._reader.disconnected(reason, now, now + delay)
        await self._give([])
        await self._sleep(delay)
        return True

    async def _connect(self, client: httpx.AsyncClient) -> None:
        about = await self._about(client)
        checkpoint = None if about is None else self._introduce(about)
        if about is not None and checkpoint is not None:
            await self._join(client, about, checkpoint)
        await self._give([])
        async with AsyncExitStack() as stack:
            async with queries.in_time():
                response = (await stack.enter_async_context(self._stream(client))).response
                await queries.check(response, is_event_stream, self._clock)
            self._has_no_log = about is None
            self._reader.connected(self._clock())
            await self._give([])
            if self._asks_health and about is not None:
                asking = asyncio.create_task(keep_asking(client, self.address, self._reader.hear))
                stack.push_async_callback(cancel, asking)
            await self._read(response)

    async def _about(self, client: httpx.AsyncClient) -> About | None:
        """What the log says of itself; None where there is none and none was ever known, which is UNPROVEN for good."""
        if self._has_no_log:
            return None
        try:
            return await queries.ask_about(client, self.address, self._clock)
        except Refused as refusal:
            if refusal.status != HTTPStatus.NOT_FOUND:
                raise
            if self._trust.knows_one:
                raise Refused(f"{NO_LOG_ANY_MORE} (HTTP {refusal.status})", refusal.status) from None
            return None

    def _stream(self, client: httpx.AsyncClient) -> AbstractAsyncContextManager[EventSource]:
        """Ask for the entries that are due."""
        due = self._reader.status.next_index
        headers = {"Last-Event-ID": str(due - 1)} if due else {}
        params = {"size": str(self._reader.status.verified_size)}
        # Of httpx-sse the request is used; its EventSource would unpack, decode and join lines without bounds.
        return aconnect_sse(client, "GET", self.address + FEED_PATH, headers=headers, params=params)

    async def _read(self, response: httpx.Response) -> None:
        sse = SseReader()
        async for chunk in response.aiter_raw():
            fault = None
            try:
                frames = sse.feed(chunk)
            except StreamFault as caught:
                fault, frames = caught, caught.frames
            await self._take(frames)
            self._backoff.heed(sse.retry)
            if fault is not None:
                raise TryLater(f"this is not what a feed sends: {fault.reason}")

    async def _take(self, frames: list[Frame]) -> None:
        proofs, now, batch = self._reader.proofs, self._clock(), list[Entry]()
        for frame in frames:
            batch += self._reader.take(frame, now)
            if len(batch) >= SLICE:
                await self._give(batch)
                batch = []
        if self._reader.proofs > proofs:
            self._backoff.reset()
        self._reader.tick(now)
        await self._give(batch)

    async def _give(self, batch: list[Entry]) -> None:
        """Hand entries on, or wake the watcher without any if the status changed since it was last woken."""
        now = self._clock()
        self._trust.keep(self._reader.evidence, now)
        status = self._reader.status
        if batch or status is not self._queued:
            self._queued = status
            await self._queue.put((batch, status))
        await self._keeper.keep(self._reader.pinnable, now)

    def _introduce(self, about: About) -> Checkpoint | None:
        """Hold the log against the key it is known by; the checkpoint to join it by, where there is one.

        Raises ChangedKey, and LocalError for a pin that cannot be believed.
        """
        now = self._clock()
        note = about.note.encode()
        try:
            verifier = NoteVerifier(*about.keys)
            checkpoint = verifier.open(note)
            if about.origin != verifier.origin:
                raise BadNote("it says another origin than its key")
        except BadNote as bad:
            reason = f"the gateway's checkpoint does not hold: {bad.reason}"
            self._reader.sever(reason, now, *self._keeper.signed_here(), note)
            return None
        try:
            self._trust.recognise(about.keys, now)
        except ChangedKey as changed:
            self._reader.sever(str(changed), now, *self._keeper.signed_here(), note)
            raise
        self._reader.recall(self._keeper.find(verifier), self._keeper.remedy(verifier))
        self._reader.meet(verifier, about.capture, about.scopes)
        return checkpoint

    async def _join(self, client: httpx.AsyncClient, about: About, checkpoint: Checkpoint) -> None:
        """Have the log prove that it goes on from where it was, and join it."""
        if checkpoint.size < self._reader.claimed:
            # Another watcher of this user may have pinned what was signed after this was answered.
            about = await queries.ask_about(client, self.address, self._clock)
            newer = self._introduce(about)
            if newer is None:
                return
            checkpoint = newer
        proofs = {
            first: await queries.ask_consistency(client, self.address, first, checkpoint.size, self._clock)
            for first in self._reader.asks(checkpoint, about.oldest)
        }
        self._reader.join(checkpoint, about.frontier, about.oldest, self._clock(), proofs)

    def _client(self) -> httpx.AsyncClient:
        return queries.client(self.address, self._token, self._transport)
