"""What the other end's HTTP answers, and failures to answer, mean for a subscriber."""

import contextlib

import httpx
import msgspec
from msgspec import Struct

from mcpwatch.http_fields import retry_after

MAX_ERROR = 16_384
"""Octets of an error's body that are read."""
READ_TIMEOUT = 15.0
CONNECT_TIMEOUT = 5.0

NOT_A_FEED = "this is not a feed; give the feed address the gateway printed"
REFUSALS = {
    204: "the gateway asks not to be read again",
    401: "the gateway does not accept the token; give the one in its feed.token file",
    403: "the gateway does not let this address in; use the feed address it printed when it started",
    404: "there is no feed at this address; use the feed address the gateway printed, not the one agents call",
}
"""Statuses that end a subscription, and what to do about each."""
NO_LOG_ANY_MORE = (
    "the log that is known at this address is not there, so nothing would prove what comes from it; "
    "ask whoever runs the gateway"
)

_FAILURES: tuple[tuple[type[Exception], str], ...] = (
    (httpx.ConnectTimeout, f"no answer within {CONNECT_TIMEOUT:.0f} s"),
    (httpx.ReadTimeout, f"nothing came for {READ_TIMEOUT:.0f} s"),
    (httpx.ConnectError, "nothing answers there; is the gateway running?"),
    (httpx.RemoteProtocolError, "the connection was cut"),
    (httpx.NetworkError, "the connection was lost"),
)


class Refused(Exception):
    """The feed will not have us, or is none: trying again is no use; `status` is HTTP's, 0 where there was none."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.status = status


class TryLater(Exception):
    """This attempt failed; `retry_after` is the delay the other end asks for, seconds."""

    def __init__(self, reason: str, retry_after: float = 0.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Shorter(TryLater):
    """The log has fewer entries than were already read of it."""


class ErrorBody(Struct, frozen=True):
    """The JSON a gateway sends with an error."""

    error: str = ""
    hint: str = ""


def judge_status(response: httpx.Response, body: bytes, now: float) -> None:
    """Raise Refused, Shorter or TryLater unless the status is 200; `body` is the beginning of the answer's."""
    status = response.status_code
    if status == 200:
        return
    said = _said(body)
    if status in REFUSALS:
        raise Refused(f"{REFUSALS[status]} (HTTP {status}{said})", status)
    if 300 <= status < 400:
        raise Refused(f"the address redirects, and the token is not sent along; give the final address (HTTP {status})")
    if status == 409:
        raise Shorter(f"the gateway's log is shorter than what was read of it (HTTP 409{said})")
    if status == 410:
        raise TryLater(f"the gateway removed entries that were due (HTTP 410{said})")
    if status in (408, 425, 429) or status >= 500:
        delay = retry_after(response.headers.get("retry-after", ""), now)
        raise TryLater(f"the gateway cannot answer just now (HTTP {status}{said})", delay or 0.0)
    raise Refused(f"{NOT_A_FEED} (HTTP {status}{said})")


def describe(error: Exception) -> str:
    """Why a request failed, in words; may quote the other end."""
    for kind, words in _FAILURES:
        if isinstance(error, kind):
            detail = str(error) if isinstance(error, httpx.ConnectError) and "CERTIFICATE" in str(error) else ""
            return detail[:200] or words
    return f"{type(error).__name__}: {error}"[:200]


def _said(body: bytes) -> str:
    """The gateway's own words about an error, to follow the status."""
    with contextlib.suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        said = msgspec.json.decode(body, type=ErrorBody)
        words = ". ".join(part.rstrip(".") for part in (said.error, said.hint) if part)
        return f": {words[:300]}" if words else ""
    return ""
