"""The feed's own listener: the log as server-sent events, and acts into it, for who holds a token."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable

from aiohttp import web

from mcpwatch.feed.about import About
from mcpwatch.feed.acts import Accepted
from mcpwatch.feed.address import (
    ACTS_PATH,
    CHECKPOINT_PATH,
    CONSISTENCY_PATH,
    FEED_PATH,
    HEALTH_PATH,
    INCLUSION_PATH,
    METRICS_PATH,
)
from mcpwatch.feed.decimals import decimal
from mcpwatch.feed.sse import MEDIA_TYPE
from mcpwatch.gateway.acts import MAX_BODY, Acts
from mcpwatch.gateway.feed_answers import Rejected, as_json, plain, problem
from mcpwatch.gateway.guard import Guard, local_address
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.outflow import outlast, unsent
from mcpwatch.gateway.proofs import Proofs
from mcpwatch.gateway.ring import entry_frame, note_frame
from mcpwatch.gateway.vitals import Vitals
from mcpwatch.model.feed import MAY_ACT, MAY_READ
from mcpwatch.secret import Secret

CHUNK = 64 * 1024
"""Octets of frames that go out in one write."""
STALL_SECONDS = 10.0
"""How long a watcher may take nothing before it is cut off: it may be gone without a word, and its connection holds
memory. One that was only stopped resumes where it was, from the disk."""
SEND_BUFFER = 512 * 1024
"""Octets that the system buffers for a watcher, about; it would go to several MiB by itself."""

_READER = (MAY_READ,)
_OPERATOR = (MAY_READ, MAY_ACT)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = logging.getLogger(__name__)


class Removed(Exception):
    """The entry that is due is kept no more."""


class Cursor:
    """How far one watcher has come."""

    def __init__(self, index: int) -> None:
        self.index = index
        """The entry it gets next."""
        self.serial = 0
        """Of the newest checkpoint it got."""


class FeedServer:
    """The feed's HTTP face: routes, the token, and one stream a watcher."""

    def __init__(
        self,
        log: Log,
        tokens: tuple[Secret, Secret],
        guard: Guard,
        capture: str,
        vitals: Vitals,
        *,
        metrics: bool = False,
    ) -> None:
        """`tokens` are the one that lets its holder read, and the one that lets them act as well."""
        self._log = log
        self._acts = Acts(log)
        proofs = Proofs(log)
        self._reads: dict[str, Handler] = {
            FEED_PATH: self._feed,
            CHECKPOINT_PATH: self._checkpoint,
            CONSISTENCY_PATH: proofs.consistency,
            INCLUSION_PATH: proofs.inclusion,
            HEALTH_PATH: vitals.health,
        }
        if metrics:
            self._reads[METRICS_PATH] = vitals.metrics
        self._cursors: set[Cursor] = set()
        vitals.watchers = self._cursors
        self._scopes = tuple(
            (token.reveal().encode(), scopes) for token, scopes in zip(tokens, (_READER, _OPERATOR), strict=True)
        )
        self._guard = guard
        self._capture = capture

    def application(self) -> web.Application:
        """The routes; every answer but a stream is JSON."""
        application = web.Application(middlewares=[self._admit])
        for path, handler in self._reads.items():
            application.router.add_get(path, handler, allow_head=False)
        application.router.add_post(ACTS_PATH, self._act)
        application.on_response_prepare.append(plain)
        return application

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._guard.host(request.headers.get("Host", ""), local_address(request)):
            return problem(403, "this Host is not allowed", "Use the address the gateway printed.")
        if not all(self._guard.origin(origin) for origin in request.headers.getall("Origin", [])):
            return problem(403, "this Origin is not allowed", "The feed is not for web pages.")
        if not self._scopes_of(request):
            return problem(401, "a token is required", "Send the content of feed.token as a Bearer token.")
        try:
            return await handler(request)
        except Rejected as rejected:
            return rejected.answer()
        except web.HTTPException as error:
            there = f"The feed has {', '.join(f'GET {path}' for path in self._reads)} and POST {ACTS_PATH}."
            return problem(error.status, error.reason.lower(), there)

    def _scopes_of(self, request: web.Request) -> tuple[str, ...]:
        """What the request's token may do; nothing for no token of ours."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        # Both are compared, so that the time taken tells nothing of which one came close.
        fitting = [scopes for expected, scopes in self._scopes if hmac.compare_digest(given, expected)]
        return fitting[0] if scheme.lower() == "bearer" and fitting else ()

    async def _checkpoint(self, request: web.Request) -> web.StreamResponse:
        log = self._log
        return as_json(
            200,
            About(
                origin=log.key.origin,
                keys=(log.key.verifier_key, log.key.time_verifier_key),
                note=log.note.text.decode(),
                frontier=log.note_frontier.hashes(),
                oldest=log.store.oldest,
                capture=self._capture,
                scopes=self._scopes_of(request),
            ),
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        if MAY_ACT not in self._scopes_of(request):
            raise Rejected(403, "this token may read and not act", "Acts need the gateway's operator.token.")
        if request.content_type != "application/json":
            raise Rejected(415, "not JSON", "Send the act as application/json.")
        body = await _body(request)
        return as_json(201, Accepted(await self._acts.take(request.match_info["id"], body)))

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", request.query.get("after", ""))
        last = decimal(after)
        if after and last is None:
            raise Rejected(400, "Last-Event-ID is not an index", "Send the id of the last entry you have.")
        first, oldest = 0 if last is None else last + 1, self._log.store.oldest
        if first > self._log.size:
            raise Rejected(409, f"the log has {self._log.size} entries", "This log is shorter than what you have.")
        if first < oldest:
            raise Rejected(410, f"entries before {oldest} are kept no more", f"Ask for those after {oldest - 1}.")
        stream = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"})
        await stream.prepare(request)
        cursor = Cursor(first)
        self._cursors.add(cursor)
        try:
            await self._stream(request, stream, cursor)
        except TimeoutError:
            logger.info("a watcher took nothing for %.0f seconds and was cut off", STALL_SECONDS)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            logger.debug("a watcher left")
        finally:
            self._cursors.discard(cursor)
        return stream

    async def _stream(self, request: web.Request, stream: web.StreamResponse, cursor: Cursor) -> None:
        while True:
            try:
                frames = self._recent(cursor) if cursor.index >= self._log.ring.first else await self._older(cursor)
            except Removed:
                logger.info("a watcher was to get entries that are kept no more; it has to ask for what there is")
                return
            if frames:
                await _send(request.transport, stream, b"".join(frames))
            elif self._log.closed:
                return
            else:
                await self._log.news()

    def _recent(self, cursor: Cursor) -> list[bytes]:
        """The frames a watcher at `cursor`, which is moved on, gets next from memory; none when it has them all."""
        ring, frames, octets = self._log.ring, list[bytes](), 0
        while cursor.index < ring.next and octets < CHUNK:
            frames.append(ring[cursor.index])
            octets += len(frames[-1])
            cursor.index += 1
            note = ring.notes.get(cursor.index)
            if note is not None:
                frames.append(note.frame)
                cursor.serial = note.serial
        newest = self._log.note
        if newest.size == cursor.index and newest.serial != cursor.serial:
            frames.append(newest.frame)
            cursor.serial = newest.serial
        return frames

    async def _older(self, cursor: Cursor) -> list[bytes]:
        """The same for a watcher that fell behind what is in memory: from the disk. Raises Removed."""
        store, first = self._log.store, cursor.index
        leaves = await asyncio.to_thread(store.leaves, first, self._log.size, CHUNK)
        if not leaves or leaves[0][0] != first:
            raise Removed
        cursor.index = first + len(leaves)
        notes = dict(await asyncio.to_thread(store.notes, first, cursor.index))
        frames: list[bytes] = []
        for index, leaf in leaves:
            frames.append(entry_frame(index, leaf))
            if index + 1 in notes:
                frames.append(note_frame(notes[index + 1]))
        return frames


async def _send(transport: asyncio.Transport | None, stream: web.StreamResponse, octets: bytes) -> None:
    """Write; raises TimeoutError for a watcher that takes nothing, not for one that is slow."""
    if transport is None:
        raise ConnectionResetError
    left = unsent(transport) + len(octets)
    try:
        async with asyncio.timeout(STALL_SECONDS):
            await stream.write(octets)
    except TimeoutError:
        # All of it is the transport's by now.
        await outlast(transport, left, STALL_SECONDS)


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(STALL_SECONDS):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > MAX_BODY:
                    raise Rejected(413, f"larger than {MAX_BODY:,} octets", "Write a shorter note.")
    except TimeoutError:
        raise Rejected(408, "the act did not come in time", "Send it at once.") from None
    return bytes(body)
