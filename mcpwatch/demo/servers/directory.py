"""A key directory of HTTP message signatures: where an agent that names it in Signature-Agent has its keys."""

from collections.abc import Sequence

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

PATH = "/.well-known/http-message-signatures-directory"
MEDIA_TYPE = "application/http-message-signatures-directory+json"


def app(keys: Sequence[dict[str, str]]) -> ASGIApp:
    """Serves these JWKs (draft-meunier-http-message-signatures-directory)."""
    body = msgspec.json.encode({"keys": keys})

    async def answer(request: Request) -> Response:
        return Response(body, media_type=MEDIA_TYPE)

    return Starlette(routes=[Route(PATH, answer)])
