"""A session's identity card: what we proved first, what was asserted next, what was claimed last."""

from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Session, SessionKind
from mcpwatch.text import count
from mcpwatch.ui.looks import SESSIONS, STRENGTHS
from mcpwatch.ui.pages.entry import principal_lines
from mcpwatch.ui.pages.signer import called, resolved_by, signer_lines
from mcpwatch.ui.times import ago, clock
from mcpwatch.ui.trends import trend_line
from mcpwatch.ui.widgets.lines import BLANK, LABEL_CELLS, Line, Tone, bullet, field, join, line, span, title
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.watch.names import short_id
from mcpwatch.watch.row import is_proof
from mcpwatch.watch.trend import Trend
from mcpwatch.watch.watcher import Watcher

_CLAIM = "  claimed"
_BARS = 24
"""Bars of the trend, as many as stand with what they mean on one line of the page beside a list."""


def identity_card(session: Session, watcher: Watcher) -> list[Line]:
    """Who this is, how we know and how firmly, then the facts of the connection."""
    binding = session.binding
    strength = STRENGTHS[binding.strength]
    now = watcher.state.gateway_now(session.source)
    lines = [title("Who")]
    if binding.signer is not None:
        lines += signer_lines(binding.signer, watcher.known(binding.signer))
    else:
        lines.append(field("identity", span("○ no signer: nobody has proven who this is", Tone.WARN)))
    since = span(f"  since entry {binding.since}", Tone.DIM) if binding.since is not None else ""
    lines.append(field("binding", span(f"{strength.glyph} {binding.strength.value}", strength.tone), since))
    lines.append(bullet(span(" " * 12), span(strength.means, Tone.DIM)))
    lines += [field("also signed", *called(signer), span(f"  {calls}", Tone.BAD)) for signer, calls in _others(session)]
    lines += principal_lines(session.principal) if session.principal else []
    lines += [
        BLANK,
        title("Session"),
        *([field("feed", session.source)] if len(watcher.state.feeds) > 1 else []),
        *_session_lines(session, now),
        BLANK,
        title("Claims, not proof"),
        *_claims(session),
    ]
    return lines


def short_card(session: Session, cells: int) -> list[Line]:
    """The card in four lines of `cells` cells, for the head of the session's screen; what does not fit is left out."""
    binding = session.binding
    strength = STRENGTHS[binding.strength]
    signer = binding.signer
    who = [line(span("○ nobody has proven who this is", Tone.WARN))]
    if signer is not None:
        key = line(span(signer.fingerprint[:16] or "no key", Tone.STRONG))
        known = line(span(f"{resolved_by(signer.resolution)}, key {signer.key_state.value}", Tone.DIM))
        brief = line(span(f"{signer.resolution.value}, key {signer.key_state.value}", Tone.DIM))
        whole = [key, line(signer.name), line(signer.id), known]
        who = whole if _cells(whole) <= cells else [key, line(signer.name), line(short_id(signer.id)), brief]
    state = SESSIONS[session.state]
    principal = session.principal
    asserted = f"principal {principal.subject or 'opaque'} (asserted)" if principal else ""
    return [
        _fitted("signer", who, cells),
        _fitted(
            "binding",
            [line(span(f"{strength.glyph} {binding.strength.value}", strength.tone)), _rebound(session)],
            cells,
        ),
        _fitted(
            "session",
            [
                line(span(f"{state.glyph} {session.state.value}", state.tone), f" on {session.upstream}"),
                line(f"{count(session.requests, 'request')}, {session.signed:,} proven"),
                line(span(f"{session.era.value} {session.protocol}", Tone.DIM)),
                line(span(f"from {', '.join(session.peers[:3])}", Tone.DIM)),
            ],
            cells,
        ),
        _fitted(
            "claims",
            [
                line(span(f"client {session.client_name or '–'}", Tone.DIM)),
                line(asserted),
                line(span(f"server {session.server_name or '–'}", Tone.DIM)),
            ],
            cells,
        ),
    ]


def _others(session: Session) -> list[tuple[Signer, str]]:
    """Who else provably signed calls of this session, and how many."""
    bound = session.binding.signer
    counts: dict[Signer, int] = {}
    for call in session.calls:
        signer = call.verdict.signer
        if signer is not None and is_proof(call.verdict) and (bound is None or signer.id != bound.id):
            counts[signer] = counts.get(signer, 0) + 1
    return [(signer, count(calls, "call")) for signer, calls in counts.items()]


def _rebound(session: Session) -> Line:
    others = _others(session)
    return line(span(f"but {count(len(others), 'other key')} signed in it too", Tone.BAD)) if others else BLANK


def _fitted(label: str, parts: list[Line], cells: int) -> Line:
    """A field with as many parts as fit whole."""
    kept = [part for part in parts if cells_of(part)]
    while len(kept) > 1 and _cells(kept) > cells:
        kept.pop()
    return field(label, *join(kept).spans)


def _cells(parts: list[Line]) -> int:
    return LABEL_CELLS + cells_of(join(parts))


def _session_lines(session: Session, now: float) -> list[Line]:
    state = SESSIONS[session.state]
    derived = "" if session.kind is SessionKind.LEGACY else "  there is no session id on the wire"
    return [
        field(
            "state",
            span(f"{state.glyph} {session.state.value}", state.tone),
            f"  last seen {ago(now, session.last_seen)}",
        ),
        field("key", session.key),
        field("named by", session.kind.value, span(derived, Tone.DIM)),
        field("server", span(session.upstream, Tone.STRONG)),
        field("protocol", f"{session.era.value} era  {session.protocol}"),
        field("began", clock(session.started)),
        field("requests", f"{session.requests:,}, of which proven {session.signed:,}"),
        field(
            "calls", f"{session.call_count:,}", span(f"  {session.errors:,} failed", Tone.BAD) if session.errors else ""
        ),
        *([field("", *trend.spans)] if (trend := session_trend(session, now, _BARS)).spans else []),
        field("peers", ", ".join(session.peers)),
    ]


def session_trend(session: Session, now: float, bars: int) -> Line:
    """When its calls were made, of those that are held: so many bars at most."""
    return trend_line(Trend((call.started for call in session.calls), bars), now, bars)


def _claims(session: Session) -> list[Line]:
    return [
        field(
            "client", span(session.client_name or "–", Tone.DIM), span(_CLAIM if session.client_name else "", Tone.DIM)
        ),
        field(
            "server", span(session.server_name or "–", Tone.DIM), span(_CLAIM if session.server_name else "", Tone.DIM)
        ),
        field("user agent", span(session.user_agent or "–", Tone.DIM)),
        line(span("Names that the ends give themselves; anybody can send them.", Tone.DIM)),
    ]
