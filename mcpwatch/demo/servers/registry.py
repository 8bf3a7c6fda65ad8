"""A registry of AIP identities: which key belongs to a did:aip, asked by watchers, not by agents."""

from collections.abc import Mapping

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp


def app(registered: Mapping[str, str]) -> ASGIApp:
    """Answers `GET /verify?did=` from identities and their keys in base64; who is not there is not `verified`."""

    async def verify(request: Request) -> JSONResponse:
        did = request.query_params.get("did", "")
        key = registered.get(did)
        return JSONResponse(
            {
                "verified": key is not None,
                "did": did if key else None,
                "public_key": key,
                "key_rotated": False if key else None,
                "key_history": None,
                "platforms": [] if key else None,
                "message": "Agent is registered" if key else "No such registration",
            }
        )

    return Starlette(routes=[Route("/verify", verify)])
