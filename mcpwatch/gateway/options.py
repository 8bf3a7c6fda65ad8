"""What a gateway is told: where to listen, what it stands before, how much it keeps."""

import fnmatch
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.errors import UsageError
from mcpwatch.gateway.keep import EVERYTHING, Keep
from mcpwatch.model.entries import Capture, ToolCapture, UpstreamInfo
from mcpwatch.program import program

Address = tuple[str, int]
"""Host and port; port 0 lets the system choose."""

WhenUnwritable = Literal["block", "pass"]
"""While the journal cannot be written: refuse new exchanges with 503, or pass them on unlogged and say so after."""

LISTEN: Address = ("127.0.0.1", 4180)
FEED: Address = ("127.0.0.1", 4181)
CAPTURE: Capture = "masked"
MODES: tuple[Capture, ...] = get_args(Capture)
"""From the one that keeps most to the one that keeps least."""
WHEN_UNWRITABLE: WhenUnwritable = "block"

BODY_SECONDS = 600.0

_TOOLS = re.compile(r"(?P<tool>[^@=\s]{1,128})(?:@(?P<server>[^@=\s]{1,128}))?=(?P<mode>[a-z]+)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class GatewayOptions(Struct, frozen=True, kw_only=True):
    """All a gateway can be told. Hosts and origins are as in `Guard`."""

    upstreams: tuple[UpstreamInfo, ...]
    """Each is reached under /NAME/; one alone is passed everything else too."""
    state: Path
    """The user's state folder; the gateway keeps its own in it."""
    listen: Address = LISTEN
    feed: Address = FEED
    capture: Capture = CAPTURE
    tool_captures: tuple[ToolCapture, ...] = ()
    """Settings for single tools."""
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that are good besides loopback names."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that may call, besides pages of this machine."""
    when_unwritable: WhenUnwritable = WHEN_UNWRITABLE
    keep: Keep = EVERYTHING
    """How much of the log stays."""
    metrics: bool = False
    """Whether the feed's listener has figures for Prometheus."""
    max_body: int = 16 * 1024 * 1024
    """Octets of a request's body."""
    body_seconds: float = BODY_SECONDS
    """How long a request's body may take to come in whole."""
    max_received: int = 256 * 1024 * 1024
    """Octets of all requests' bodies at a time; requests above get 503."""
    max_captured: int = 64 * 1024 * 1024
    """Octets of answers held at a time for the log; of those above only size and digest stand there."""
    max_exchanges: int = 1_000
    """At a time; those above get 503."""
    max_connections: int = 4_000
    """At a time; those above are closed at once."""


def parse_upstreams(words: Sequence[str]) -> tuple[UpstreamInfo, ...]:
    """Upstreams from `[NAME=]URL` words; raises UsageError."""
    upstreams = tuple(_upstream(word) for word in words)
    if not upstreams:
        raise UsageError(
            "A gateway needs an upstream", f"Try: {program()} gateway --upstream http://127.0.0.1:8000/mcp"
        )
    names = [upstream.name for upstream in upstreams]
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"Two upstreams are called {name}", "Name each: --upstream NAME=URL")
    return upstreams


def parse_captures(words: Sequence[str], servers: Collection[str]) -> tuple[Capture, tuple[ToolCapture, ...]]:
    """What is kept of all, and of single tools, from `MODE` and `TOOL[@SERVER]=MODE` words.

    Raises UsageError, also for a SERVER that is none of `servers`: a slip must not leave bodies in the log.
    """
    modes: set[Capture] = set()
    tools: list[ToolCapture] = []
    for word in words:
        found = _TOOLS.fullmatch(word)
        mode = next((mode for mode in MODES if mode == (found["mode"] if found else word)), None)
        if mode is None:
            hint = f"Say {', '.join(MODES)}, or the same of one tool: --capture read_mail@mail=digest"
            raise UsageError(f"{word} is no way to capture", hint)
        if found and found["server"] and not fnmatch.filter(servers, found["server"]):
            raise UsageError(f"{word}: no server is called {found['server']}", f"There are: {', '.join(servers)}")
        if found:
            tools.append(ToolCapture(found["tool"], mode, found["server"] or ""))
        else:
            modes.add(mode)
    if len(modes) > 1:
        raise UsageError(f"Both {' and '.join(sorted(modes))} are to be captured", "Give one, and TOOL=MODE for tools.")
    return next(iter(modes), CAPTURE), tuple(tools)


def parse_address(text: str, default: Address) -> Address:
    """`HOST:PORT`, `HOST`, `:PORT` or `[V6]:PORT`; what is missing comes from `default`. Raises UsageError."""
    try:
        parts = urlsplit(f"//{text}")
        port = parts.port
    except ValueError:
        raise UsageError(f"{text} is not an address", "Write it as HOST:PORT, for example 127.0.0.1:4180.") from None
    if parts.netloc != text or parts.username is not None:
        raise UsageError(f"{text} is not an address", "Write it as HOST:PORT, for example 127.0.0.1:4180.")
    return parts.hostname or default[0], default[1] if port is None else port


def is_named(upstream: UpstreamInfo) -> bool:
    """Whether the operator gave it a name; otherwise it goes by host and port."""
    return upstream.name != urlsplit(upstream.url).netloc


def placed(upstreams: Sequence[UpstreamInfo]) -> tuple[UpstreamInfo, ...]:
    """Upstreams with the path that clients are given for each: /NAME, unless it is alone and has none, and its own."""
    several = len(upstreams) > 1
    return tuple(
        replace(one, path=(f"/{one.name}" if several or is_named(one) else "") + urlsplit(one.url).path)
        for one in upstreams
    )


def _upstream(word: str) -> UpstreamInfo:
    name, equals, url = word.partition("=")
    if not equals or not _NAME.fullmatch(name):
        name, url = "", word
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise UsageError(f"{url} is not an http or https URL", "Try: --upstream http://127.0.0.1:8000/mcp")
    if parts.username is not None or parts.query or parts.fragment:
        raise UsageError(
            f"The upstream at {parts.hostname} has a user, a query or a fragment in its URL",
            "Give scheme, host, port and path only; clients send their own credentials.",
        )
    return UpstreamInfo(name=name or parts.netloc, url=url)
