"""One log entry to read: what travelled, and what the log proves about it."""

import hashlib
from collections.abc import Sequence

from mcpwatch.model.entries import (
    AlertActed,
    End,
    Entry,
    GatewayStarted,
    GatewayStopped,
    Header,
    Message,
    Principal,
    Request,
    Response,
)
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.model.identity import Verdict
from mcpwatch.text import show_bytes
from mcpwatch.ui.pages.payload import Layout, body_parts, hex_lines, still
from mcpwatch.ui.times import full
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, field, line, span, title
from mcpwatch.ui.widgets.outline import Part
from mcpwatch.watch.row import is_as_checked
from mcpwatch.watch.times import seconds

_OCTETS = 64 * 1024
"""The exact view shows at most this much of a leaf."""


def proof_lines(entry: Entry, feed: FeedStatus | None) -> list[Line]:
    """Where the entry stands in the log, and whether a checkpoint covers it."""
    digest = hashlib.sha256(b"\x00" + entry.leaf).hexdigest()
    return [
        title("In the log"),
        field("index", span(f"{entry.index}", Tone.STRONG), f"  of {entry.source}" if entry.source else ""),
        field("leaf hash", span(digest, Tone.DIM)),
        field("proof", *_proof(entry, feed)),
    ]


def exact_lines(entry: Entry) -> list[Line]:
    """The leaf's octets as they were hashed; what cannot be drawn is escaped."""
    left = len(entry.leaf) - _OCTETS
    more = [line(span(f"… {left:,} more octets", Tone.DIM))] if left > 0 else []
    exact = Line((Span(show_bytes(entry.leaf[:_OCTETS])),), exact=True)
    lines = [title(f"The exact leaf, {len(entry.leaf):,} octets"), exact, *more]
    if not _is_text(entry.leaf):
        lines += [BLANK, title("The same in hex, as it is no UTF-8"), *hex_lines(entry.leaf)]
    return lines


def content_parts(entry: Entry, verdict: Verdict | None = None, lay: Layout = still) -> Sequence[Part]:
    """What the entry says, by its kind, its body as `lay` lays it out; `verdict` is a request's."""
    record = entry.record
    if record is None:
        return [
            title("Malformed"),
            bullet(span("✗", Tone.BAD), entry.fault or "not an entry"),
            BLANK,
            *exact_lines(entry),
        ]
    match record.data:
        case Request() as data:
            return _request(data, verdict, lay)
        case Response() as data:
            return _response(data)
        case Message() as data:
            return _message(data, lay)
        case End() as data:
            return _end(data)
        case GatewayStarted() as data:
            return _started(data)
        case GatewayStopped() as data:
            return [title("The gateway stopped"), field("reason", data.reason)]
        case AlertActed() as data:
            return _acted(data)


def principal_lines(principal: Principal) -> list[Line]:
    """What the gateway read off an access token: an assertion, not a proof of ours."""
    named = f"{principal.subject or 'opaque token'}  {principal.issuer}".rstrip()
    lines = [field("principal", named, span("  asserted by the gateway", Tone.DIM))]
    if principal.audience:
        lines.append(field("audience", ", ".join(principal.audience)))
    if principal.expires is not None:
        lines.append(field("token until", full(principal.expires)))
    if principal.algorithm:
        weak = principal.algorithm.lower() == "none"
        lines.append(field("token alg", span(principal.algorithm, Tone.BAD if weak else Tone.PLAIN)))
    return lines


def header_lines(headers: tuple[Header, ...], withheld: tuple[str, ...] = ()) -> list[Line]:
    """Header fields as they came, and the names of those whose values stay out of the log."""
    lines = [Line((span(f"{name}: ", Tone.DIM), span(value)), 2) for name, value in headers]
    if withheld:
        lines.append(Line((span("withheld: ", Tone.DIM), span(", ".join(withheld), Tone.DIM)), 2))
    return [title("Headers"), *(lines or [line(span("none", Tone.DIM))])]


def _request(data: Request, verdict: Verdict | None, lay: Layout) -> list[Part]:
    return [
        title("Request"),
        field("to", f"{data.method} {data.scheme}://{data.authority}{data.target}"),
        field("from", data.peer),
        *(principal_lines(data.principal) if data.principal else []),
        BLANK,
        title("Body"),
        *unchecked_lines(data, verdict),
        *body_parts(data.body, lay),
        BLANK,
        *header_lines(data.headers, data.withheld),
    ]


def unchecked_lines(data: Request, verdict: Verdict | None) -> list[Line]:
    """That the octets shown are not the ones that were signed, where they are not."""
    if is_as_checked(data.body, verdict):
        return []
    says = "What is shown here is not what was checked: the signature is over the octets that travelled, whose digest"
    return [bullet(span("≠", Tone.WARN), span(f"{says} stands below.", Tone.WARN))]


def _response(data: Response) -> list[Line]:
    tone = Tone.BAD if data.status >= 400 else Tone.PLAIN
    return [
        title("Head of the answer"),
        field("status", span(f"HTTP {data.status}", tone)),
        field("answers", f"entry {data.exchange}"),
        BLANK,
        *header_lines(data.headers),
    ]


def _message(data: Message, lay: Layout) -> list[Part]:
    how = "server-sent event" if data.stream else "whole body"
    named = f" named {data.event}" if data.event else ""
    return [
        title("Answer"),
        field("answers", f"entry {data.exchange}"),
        field("came as", f"{how}{named}"),
        *([field("event id", data.event_id)] if data.event_id else []),
        BLANK,
        title("Body"),
        *body_parts(data.body, lay),
    ]


def _end(data: End) -> list[Line]:
    tone = Tone.PLAIN if data.outcome == "complete" else Tone.WARN
    return [
        title("End of the exchange"),
        field("outcome", span(data.outcome, tone), f"  {data.reason}" if data.reason else ""),
        field("answers", f"entry {data.exchange}"),
        field("took", seconds(data.duration_us / 1e6)),
        field("sent", f"{data.sent:,} octets to the agent"),
    ]


def _started(data: GatewayStarted) -> list[Line]:
    servers = [field("server", span(each.name, Tone.STRONG), f"  {each.url}") for each in data.upstreams]
    about = [field("version", data.version), field("capture", data.capture)]
    about += [field("", f"{one.tool} at {one.server or 'all servers'}: {one.capture}") for one in data.tools]
    if data.listen:
        about.append(field("listens at", data.listen))
    return [title("The gateway started"), *about, *servers]


def _acted(data: AlertActed) -> list[Line]:
    """What somebody wrote; whether it is signed as it says, and counts, is in the alert's history."""
    lines = [
        title("An act on an alert"),
        field("alert", data.alert),
        field("did", span(data.kind, Tone.STRONG)),
        field("author", data.author),
        field("note", data.note),
        field("at", full(data.time)),
        field("key", span(data.key, Tone.DIM)),
    ]
    if data.silence is not None:
        lines.append(field("silences", f"{data.silence.rule} about {data.silence.subject}"))
        lines.append(field("until", full(data.silence.until)))
    return lines


def _is_text(octets: bytes) -> bool:
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True


def _proof(entry: Entry, feed: FeedStatus | None) -> tuple[Span, ...]:
    if feed is not None and feed.state is FeedState.UNPROVEN:
        return (span("unproven: this feed has no log that could prove it", Tone.WARN),)
    if feed is None or feed.checkpoint is None:
        return (span("pending: no checkpoint was verified", Tone.WARN),)
    if entry.index >= feed.verified_size:
        return (span("pending: the next checkpoint will cover it", Tone.WARN),)
    if not feed.proves(entry.index):
        return (span("unproven: it lies beside a gap that nothing proves", Tone.WARN),)
    return (
        span("✓ proven", Tone.GOOD),
        span(f" by the checkpoint at size {feed.checkpoint.size:,}"),
        span(f"  ({full(feed.checkpoint.time)})" if feed.checkpoint.time is not None else "", Tone.DIM),
    )
