"""The registry's endpoints: what a watcher asks, and the two by which an agent registers and rotates its key."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

import msgspec
from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from mcpwatch.demo.registry import OUTAGE, responses
from mcpwatch.demo.registry.limits import Outage, RateLimit
from mcpwatch.demo.registry.records import Opening, Records, RefusedError, present

_FREE = frozenset({"/health", OUTAGE})
"""Neither counted nor ever refused."""

Answer = Callable[[Request, Records], Awaitable[Response]]
T = TypeVar("T")


class Detail(Struct):
    """Why not."""

    detail: str


class Registering(Struct):
    did: str
    public_key: str
    platform: str
    username: str


class Registered(Struct):
    success: bool
    did: str
    platform: str
    username: str
    message: str


class Rotating(Struct):
    did: str
    new_public_key: str
    signature: str


class Rotated(Struct):
    success: bool
    did: str
    new_public_key: str
    vouches_revoked: int
    message: str


class Pause(Struct):
    """Arranges an outage: `POST /demo/outage`, which the real one has not."""

    seconds: float
    did: str
    """Nobody is answered before somebody has asked for this identity."""


def app(opening: Opening, limit: RateLimit | None = None) -> ASGIApp:
    """A registry that begins with `opening`."""
    records, limit, outage = Records(opening), limit or RateLimit(), Outage()

    def route(path: str, method: str, answer: Answer) -> Route:
        async def respond(request: Request) -> Response:
            if path in _FREE:
                return await answer(request, records)
            allowed = limit.take(request.client.host if request.client else "")
            down = outage.wait(request.query_params.get("did", "") if path == "/verify" else "")
            if down:
                response = reply(Detail("The mcpwatch demo's registry is down for a while"), 503)
                response.headers["Retry-After"] = str(down)
                return response
            if allowed.wait:
                response = reply(Detail(f"Rate limit exceeded. Try again in {allowed.wait} seconds."), 429)
            else:
                response = await answer(request, records)
            response.headers.update(allowed.headers)
            return response

        return Route(path, respond, methods=[method])

    async def pause(request: Request, records: Records) -> Response:
        asked = await read(request, Pause)
        outage.begin(asked.seconds, asked.did)
        return Response(status_code=204)

    rows = [route(*row) for row in _ROUTES]
    return Starlette(routes=[*rows, route(OUTAGE, "POST", pause)])


async def verify(request: Request, records: Records) -> Response:
    did = request.query_params.get("did", "")
    return reply(responses.verified(records.get(did), did))


async def trust(request: Request, records: Records) -> Response:
    return reply(responses.trust(records, request.path_params["did"], present()))


async def trust_graph(request: Request, records: Records) -> Response:
    return reply(responses.trust_graph(records, request.query_params.get("did", ""), present()))


async def certificate(request: Request, records: Records) -> Response:
    vouch = records.vouches.get(request.path_params["vouch_id"])
    voucher = records.get(vouch.voucher_did) if vouch else None
    if vouch is None or voucher is None or (vouch.expires_at and vouch.expires_at <= present()):
        return reply(Detail("Vouch not found, revoked or expired"), 404)
    return reply(responses.certificate(vouch, voucher, present()))


async def health(request: Request, records: Records) -> Response:
    return reply(responses.health(records))


async def register(request: Request, records: Records) -> Response:
    asked = await read(request, Registering)
    try:
        records.register(asked.did, asked.public_key, asked.username, present())
    except RefusedError as refused:
        return reply(Detail(str(refused)), 400)
    return reply(Registered(True, asked.did, asked.platform, asked.username, "Registration successful"))


async def rotate_key(request: Request, records: Records) -> Response:
    asked = await read(request, Rotating)
    try:
        records.rotate(asked.did, asked.new_public_key, asked.signature, present())
    except RefusedError as refused:
        return reply(Detail(str(refused)), 400)
    return reply(Rotated(True, asked.did, asked.new_public_key, 0, "Key rotated successfully"))


_ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("/verify", "GET", verify),
    ("/trust/{did}", "GET", trust),
    ("/trust-graph", "GET", trust_graph),
    ("/vouch/certificate/{vouch_id}", "GET", certificate),
    ("/health", "GET", health),
    ("/register", "POST", register),
    ("/rotate-key", "POST", rotate_key),
)


async def read(request: Request, kind: type[T]) -> T:
    """The body; one that is not of that shape is a failure of the demo's own agents."""
    return msgspec.json.decode(await request.body(), type=kind)


def reply(body: Struct, status: int = 200) -> Response:
    return Response(msgspec.json.encode(body), status, media_type="application/json")
