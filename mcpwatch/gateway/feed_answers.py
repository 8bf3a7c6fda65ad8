"""How the feed's listener answers, but for streams: JSON, and errors that say what to do."""

import msgspec
from aiohttp import web


class Rejected(Exception):
    """The request is not met; `status` is HTTP's, `hint` says what to do, and 0 seconds that trying again is no use."""

    def __init__(self, status: int, reason: str, hint: str, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.status = status
        self.hint = hint
        self.retry_after = retry_after

    def answer(self) -> web.Response:
        response = problem(self.status, str(self), self.hint)
        if self.retry_after:
            response.headers["Retry-After"] = str(self.retry_after)
        return response


def problem(status: int, error: str, hint: str) -> web.Response:
    """An answer that says what is wrong and what to do."""
    response = as_json(status, {"error": error, "hint": hint})
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def as_json(status: int, value: object) -> web.Response:
    """An answer that holds `value`."""
    return web.Response(status=status, body=msgspec.json.encode(value), content_type="application/json")


async def plain(request: web.Request, response: web.StreamResponse) -> None:
    """Say nothing of the software, and let nobody keep the answer."""
    response.headers.pop("Server", None)
    response.headers["Cache-Control"] = "no-store"
