"""The feed's own listener: the log as server-sent events, and acts into it, for who holds a token."""

import asyncio
import hmac
import logging
from collections.abc import Awaitable, Callable

import msgspec
from aiohttp import web

from mcpwatch.feed.about import About
from mcpwatch.feed.acts import Accepted
from mcpwatch.feed.address import ACTS_PATH, CHECKPOINT_PATH, FEED_PATH
from mcpwatch.feed.sse import MEDIA_TYPE
from mcpwatch.gateway.acts import MAX_BODY, Acts, Rejected
from mcpwatch.gateway.guard import Guard, local_address
from mcpwatch.gateway.log import Log
from mcpwatch.gateway.ring import entry_frame, note_frame
from mcpwatch.model.entries import Capture
from mcpwatch.model.feed import MAY_ACT, MAY_READ
from mcpwatch.secret import Secret

CHUNK = 64 * 1024
"""Octets of frames that go out in one write."""
STALL_SECONDS = 10.0
"""How long one write may take before the watcher is cut off; it resumes where it was."""
MAX_INDEX_DIGITS = 16

_READER = (MAY_READ,)
_OPERATOR = (MAY_READ, MAY_ACT)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

logger = logging.getLogger(__name__)


class Cursor:
    """How far one watcher has come."""

    def __init__(self, index: int) -> None:
        self.index = index
        """The entry it gets next."""
        self.serial = 0
        """Of the newest checkpoint it got."""


class FeedServer:
    """The feed's HTTP face: routes, the token, and one stream a watcher."""

    def __init__(self, log: Log, tokens: tuple[Secret, Secret], guard: Guard, capture: Capture) -> None:
        """`tokens` are the one that lets its holder read, and the one that lets them act as well."""
        self._log = log
        self._acts = Acts(log)
        self._scopes = tuple(
            (token.reveal().encode(), scopes) for token, scopes in zip(tokens, (_READER, _OPERATOR), strict=True)
        )
        self._guard = guard
        self._capture = capture

    def application(self) -> web.Application:
        """The routes; every answer but a stream is JSON."""
        application = web.Application(middlewares=[self._admit])
        application.router.add_get(FEED_PATH, self._feed, allow_head=False)
        application.router.add_get(CHECKPOINT_PATH, self._checkpoint, allow_head=False)
        application.router.add_post(ACTS_PATH, self._act)
        application.on_response_prepare.append(_plain)
        return application

    @web.middleware
    async def _admit(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self._guard.host(request.headers.get("Host", ""), local_address(request)):
            return _error(403, "this Host is not allowed", "Use the address the gateway printed.")
        if not all(self._guard.origin(origin) for origin in request.headers.getall("Origin", [])):
            return _error(403, "this Origin is not allowed", "The feed is not for web pages.")
        if not self._scopes_of(request):
            return _error(401, "a token is required", "Send the content of feed.token as a Bearer token.")
        try:
            return await handler(request)
        except web.HTTPException as error:
            there = f"The feed has GET {FEED_PATH}, GET {CHECKPOINT_PATH} and POST {ACTS_PATH}."
            return _error(error.status, error.reason.lower(), there)

    def _scopes_of(self, request: web.Request) -> tuple[str, ...]:
        """What the request's token may do; nothing for no token of ours."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        given = token.strip().encode("utf-8", "surrogateescape")
        # Both are compared, so that the time taken tells nothing of which one came close.
        fitting = [scopes for expected, scopes in self._scopes if hmac.compare_digest(given, expected)]
        return fitting[0] if scheme.lower() == "bearer" and fitting else ()

    async def _checkpoint(self, request: web.Request) -> web.StreamResponse:
        log = self._log
        return _json(
            200,
            About(
                origin=log.key.origin,
                keys=(log.key.verifier_key, log.key.time_verifier_key),
                note=log.note.text.decode(),
                frontier=log.note_frontier.hashes(),
                capture=self._capture,
                scopes=self._scopes_of(request),
            ),
        )

    async def _act(self, request: web.Request) -> web.StreamResponse:
        if MAY_ACT not in self._scopes_of(request):
            return _error(403, "this token may read and not act", "Acts need the gateway's operator.token.")
        if request.content_type != "application/json":
            return _error(415, "not JSON", "Send the act as application/json.")
        try:
            body = await _body(request)
            return _json(201, Accepted(await self._acts.take(request.match_info["id"], body)))
        except Rejected as rejected:
            answer = _error(rejected.status, str(rejected), rejected.hint)
            if rejected.retry_after:
                answer.headers["Retry-After"] = str(rejected.retry_after)
            return answer

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        after = request.headers.get("Last-Event-ID", request.query.get("after", ""))
        if after and not (after.isascii() and after.isdigit() and len(after) <= MAX_INDEX_DIGITS):
            return _error(400, "Last-Event-ID is not an index", "Send the id of the last entry you have.")
        first = int(after) + 1 if after else 0
        if first > self._log.size:
            return _error(409, f"the log has {self._log.size} entries", "This log is shorter than what you have.")
        stream = web.StreamResponse(headers={"Content-Type": MEDIA_TYPE, "X-Accel-Buffering": "no"})
        await stream.prepare(request)
        try:
            await self._stream(stream, Cursor(first))
        except TimeoutError:
            logger.info("a watcher took nothing for %.0f seconds and was cut off", STALL_SECONDS)
            if request.transport is not None:
                request.transport.abort()
        except ConnectionError:
            logger.debug("a watcher left")
        return stream

    async def _stream(self, stream: web.StreamResponse, cursor: Cursor) -> None:
        while True:
            frames = self._recent(cursor) if cursor.index >= self._log.ring.first else await self._older(cursor)
            if frames:
                async with asyncio.timeout(STALL_SECONDS):
                    await stream.write(b"".join(frames))
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
        """The same for a watcher that fell behind what is in memory: from the disk."""
        store, first = self._log.store, cursor.index
        leaves = await asyncio.to_thread(store.leaves, first, self._log.size, CHUNK)
        cursor.index = first + len(leaves)
        notes = dict(await asyncio.to_thread(store.notes, first, cursor.index))
        frames: list[bytes] = []
        for index, leaf in leaves:
            frames.append(entry_frame(index, leaf))
            if index + 1 in notes:
                frames.append(note_frame(notes[index + 1]))
        return frames


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


async def _plain(request: web.Request, response: web.StreamResponse) -> None:
    """Say nothing of the software, and let nobody keep the answer."""
    response.headers.pop("Server", None)
    response.headers["Cache-Control"] = "no-store"


def _error(status: int, error: str, hint: str) -> web.Response:
    response = _json(status, {"error": error, "hint": hint})
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _json(status: int, value: object) -> web.Response:
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")
