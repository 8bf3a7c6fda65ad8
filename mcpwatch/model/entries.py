"""Log entries: the CloudEvents 1.0 envelopes that are the leaves of the feed.

Normative text: `mcpwatch/feed/SPEC.md`. Field order here is the canonical order on the wire;
fields with their default value are left out.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Json = Any
"""A decoded JSON value: dict, list, str, int, float, bool or None."""

Header = tuple[str, str]
"""A header field: lower-case name, value verbatim, one character an octet (ISO 8859-1)."""

Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]
"""A whole number that every JSON reader and SQLite hold exactly."""

Seconds = Annotated[int, Meta(ge=-(2**53 - 1), le=2**53 - 1)]
"""Seconds since the epoch."""

Capture = Literal["full", "masked", "digest"]
Outcome = Literal["complete", "client-closed", "upstream-closed", "error", "denied"]
Leak = Literal["target", "body"]
SessionForm = Literal["", "short", "counter", "timestamp", "time-uuid", "fixed"]
"""Why the session ids that a server gives out can be guessed; empty where nothing says that they can."""
Risk = Literal["low", "medium", "high", "critical"]
Acted = Literal["acknowledged", "unacknowledged", "resolved", "silenced", "unsilenced"]

MASK = "***"
"""Stands in the log in place of a value that was masked; what its form told is behind it: `***(GitHub token)`."""

MASKED_PATH = "@path"
"""Stands among a request's withheld names where something in the target's path was masked."""

MASKED_QUERY = "@query"
"""Stands among a request's withheld names where values of the target's query were masked."""

NOTHING_CARRIED = "*"
"""Stands alone there where the log carries none of the header fields."""


SEVERAL = "several"
"""Stands as a principal's scheme where a request came with more than one Authorization field."""


class Wire(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """Base of all that is encoded into a leaf."""


class Body(Wire, frozen=True):
    """A message body: always its size and digest, its bytes as far as the capture mode lets them through."""

    size: Count
    """Octets of the body as it travelled."""
    sha256: str
    """SHA-256 of those octets, lower-case hex."""
    text: str | None = None
    """The body when it is UTF-8; where `masked` is not 0, with values replaced."""
    base64: str | None = None
    """The body when it is not UTF-8."""
    masked: Count = 0
    """How many values were replaced before the entry was made."""
    sha512: str | None = None
    """SHA-512, lower-case hex, when the request carries a Content-Digest with sha-512."""
    truncated: bool = False
    """The body was larger than the gateway carries; only `size` and the digests stand."""
    encoding: str = ""
    """The Content-Encoding that was undone to read an answer's `text`; `size` and digests are of the encoded octets."""


class Principal(Wire, frozen=True):
    """What the gateway read off an access token; the token itself never travels."""

    scheme: str
    """The Authorization scheme, lower-case: bearer, dpop, basic; `several` where the field came more than once."""
    token_hash: str
    """HMAC-SHA-256 of the token under a key of this log, first 16 octets in hex."""
    issuer: str = ""
    subject: str = ""
    audience: tuple[str, ...] = ()
    expires: Seconds | None = None
    """The `exp` claim, seconds since the epoch."""
    algorithm: str = ""
    """The JOSE header's `alg`; empty for an opaque token."""
    key_thumbprint: str = ""
    """The `cnf.jkt` claim (RFC 9449), if any."""
    access_token_sha256: str = ""
    """SHA-256 of the token, base64url: what a proof's `ath` must say. Where the scheme is dpop only."""


class UpstreamInfo(Wire, frozen=True):
    """A server the gateway stands before."""

    name: str
    url: str
    path: str = ""
    """The path that clients are given for it, at the address where the gateway listens."""


class ToolCapture(Wire, frozen=True):
    """How much enters the log of the calls of some tools."""

    tool: str
    """A glob over the names of tools."""
    capture: Capture
    server: str = ""
    """A glob over the names of upstreams; empty for all."""


class GatewayStarted(Wire, frozen=True):
    """The gateway began, or began again, to write this log."""

    version: str
    capture: Capture
    upstreams: tuple[UpstreamInfo, ...]
    listen: str = ""
    """Where clients connect: http://HOST:PORT."""
    tools: tuple[ToolCapture, ...] = ()
    """Tools for which something else than `capture` may be in force."""


class GatewayStopped(Wire, frozen=True):
    """The gateway ended in good order."""

    reason: str


class Request(Wire, frozen=True):
    """An HTTP request, as the agent sent it."""

    upstream: str
    method: str
    scheme: str
    authority: str
    target: str
    """Path and query exactly as on the request line."""
    peer: str
    """Address and port of the other end."""
    headers: tuple[Header, ...]
    """The allow-list's headers, in the order they came."""
    body: Body | None = None
    session: str = ""
    """Keyed hash of Mcp-Session-Id, 32 hex digits; the id is a bearer secret."""
    withheld: tuple[str, ...] = ()
    """Names of headers that were there and whose values never enter the log."""
    principal: Principal | None = None
    leaked: tuple[Leak, ...] = ()
    """Where its Mcp-Session-Id stands beside the header field."""


class Response(Wire, frozen=True):
    """The head of the answer."""

    exchange: Count
    """Index of the request's entry."""
    status: Count
    headers: tuple[Header, ...]
    session: str = ""
    """Keyed hash of the Mcp-Session-Id the server sent."""
    session_form: SessionForm = ""
    """Where it gives an id out that can be guessed: how."""


class Message(Wire, frozen=True):
    """One JSON body or one server-sent event of the answer."""

    exchange: Count
    body: Body
    stream: bool = False
    """True for a server-sent event, False for a plain body."""
    event: str = ""
    """The SSE event name as sent; empty when there was none."""
    event_id: str = ""
    leaked: bool = False
    """The body holds the Mcp-Session-Id of the exchange."""


class End(Wire, frozen=True):
    """The exchange is over."""

    exchange: Count
    outcome: Outcome
    duration_us: Count
    """From the request's last octet to the end, microseconds."""
    sent: Count
    """Octets of answer body passed to the agent."""
    reason: str = ""
    rule: str = ""
    """Where the policy refused the request: id of the rule that it was refused by."""


class SilenceTerms(Wire, frozen=True):
    """Which alerts a silence covers, and how long."""

    rule: str
    """A glob over rule ids."""
    subject: str
    """A glob over subjects."""
    until: Seconds


class AlertActed(Wire, frozen=True):
    """A person acted on an alert or on a silence; signed by the operator's key over all of it but the signature."""

    alert: str
    """The alert's id, or the silence's: 12 hex digits."""
    kind: Acted
    author: str
    """Who, by their own word."""
    note: str
    time: Seconds
    """By the author's clock."""
    origin: str
    """The log that it is for."""
    key: str
    """The operator's Ed25519 public key, base64."""
    signature: str
    """Ed25519, base64, over the RFC 8785 form of `type` and all other members."""
    last_index: Count | None = None
    """The newest entry of the alert that the author had been shown; None where it has none."""
    severity: Risk | None = None
    """The alert's, as the author had been shown it."""
    previous: Count | None = None
    """Index of the newest act on the same id that the author knew of; None for none."""
    silence: SilenceTerms | None = None
    """Where the kind is `silenced`."""


class Envelope(Wire, frozen=True, tag_field="type", kw_only=True):
    """A CloudEvents 1.0 envelope; `type` comes first on the wire."""

    specversion: Literal["1.0"]
    id: str
    """The entry's index in the log, decimal."""
    source: str
    """The log's origin."""
    time: datetime
    """When the gateway saw it, UTC."""


class GatewayStartedEntry(Envelope, frozen=True, tag="mcpwatch.gateway.started", kw_only=True):
    data: GatewayStarted


class GatewayStoppedEntry(Envelope, frozen=True, tag="mcpwatch.gateway.stopped", kw_only=True):
    data: GatewayStopped


class RequestEntry(Envelope, frozen=True, tag="mcpwatch.exchange.request", kw_only=True):
    data: Request


class ResponseEntry(Envelope, frozen=True, tag="mcpwatch.exchange.response", kw_only=True):
    data: Response


class MessageEntry(Envelope, frozen=True, tag="mcpwatch.exchange.message", kw_only=True):
    data: Message


class EndEntry(Envelope, frozen=True, tag="mcpwatch.exchange.end", kw_only=True):
    data: End


class AlertActedEntry(Envelope, frozen=True, tag="mcpwatch.alert.acted", kw_only=True):
    data: AlertActed


Record = (
    GatewayStartedEntry | GatewayStoppedEntry | RequestEntry | ResponseEntry | MessageEntry | EndEntry | AlertActedEntry
)
Data = GatewayStarted | GatewayStopped | Request | Response | Message | End | AlertActed


class Entry(Struct, frozen=True, gc=False):
    """A leaf as a watcher holds it."""

    index: int
    leaf: bytes
    """Exactly the octets that were hashed."""
    record: Record | None
    """The decoded envelope; None when malformed."""
    received: float
    """When this process received it, seconds since the epoch."""
    fault: str = ""
    """Why it could not be decoded."""
    source: str = ""
    """Which feed it came from: the name the operator knows it by."""
