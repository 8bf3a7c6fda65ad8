"""Where agents publish their keys: a directory of HTTP message signatures, and profiles."""

from collections.abc import Mapping, Sequence

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

Jwk = dict[str, str]
PATH = "/.well-known/http-message-signatures-directory"
MEDIA_TYPE = "application/http-message-signatures-directory+json"


def app(keys: Sequence[Jwk], profiles: Mapping[str, Sequence[Jwk]]) -> ASGIApp:
    """Serves these JWKs (draft-ietf-webbotauth-httpsig-directory), and UCP profiles by their path."""
    rows = [_route(PATH, {"keys": keys}, MEDIA_TYPE)]
    rows += [_route(path, {"signing_keys": held}, "application/json") for path, held in profiles.items()]
    return Starlette(routes=rows)


def _route(path: str, body: Mapping[str, Sequence[Jwk]], media_type: str) -> Route:
    octets = msgspec.json.encode(body)

    async def answer(request: Request) -> Response:
        return Response(octets, media_type=media_type)

    return Route(path, answer)
