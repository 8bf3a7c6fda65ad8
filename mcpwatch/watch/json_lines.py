"""The shapes that `mcpwatch tail --json` prints, one object a line.

A field may be added; none is renamed or taken away.
"""

from msgspec import Struct

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.model.alerts import Acknowledgement, Alert, AlertEvent, Silence
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.traffic import CallState, Session
from mcpwatch.watch.json_signatures import ServerProofLine, VerdictLine, line_of_proof, line_of_verdict
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import rfc3339

_EVENTS = 16


class SessionLine(Struct, frozen=True):
    """The session an entry belongs to."""

    id: str
    """Keyed hash of the session id, or the key of a derived session."""
    kind: str
    """`session id`, or what it is derived from."""
    strength: str
    """How it is bound."""
    bound_to: str
    """Signer id; empty when nothing binds it."""


class EntryLine(Struct, frozen=True, tag="entry"):
    """One log entry."""

    index: int
    source: str
    time: str
    """RFC 3339, UTC, the gateway's clock."""
    kind: str
    """request, response, message, end, gateway, malformed."""
    exchange: int | None
    """Index of the request."""
    session: SessionLine | None
    server: str
    method: str
    tool: str
    direction: str
    """to-server, to-client or empty."""
    era: str
    call: str
    """Id of the call it belongs to."""
    verdict: VerdictLine | None
    """On requests only."""
    identity: str
    """Whom the exchange is put down to: signer id, principal or claimed name."""
    evidence: str
    """How that is known: verified here, asserted by the gateway, claimed by the client, absent."""
    outcome: str
    status: int | None
    duration: float | None
    """Seconds; null while it runs."""
    alerts: tuple[str, ...]
    """Ids of the alerts it is evidence for."""
    note: str
    """What happened, or why it is malformed."""
    proven: bool
    """A checkpoint that this process verified covers it, as of the moment this line was printed."""
    server_proof: ServerProofLine | None
    """On answers that the server signed."""


class VerdictChangeLine(Struct, frozen=True, tag="verdict"):
    """A request, or a server's signed answer, that was printed before was judged again."""

    index: int
    source: str
    verdict: VerdictLine | None
    identity: str
    evidence: str
    server_proof: ServerProofLine | None
    """Where the entry is an answer that the server signed: what it proves."""


class AcknowledgementLine(Struct, frozen=True):
    author: str
    note: str
    time: str
    last_index: int
    """The newest entry that the author had been shown."""
    expires: str


class SilenceLine(Struct, frozen=True):
    rule: str
    """A glob over rule ids."""
    subject: str
    """A glob over subjects."""
    author: str
    reason: str
    time: str
    until: str


class EventLine(Struct, frozen=True):
    """One change in an alert's life."""

    kind: str
    """acknowledged, unacknowledged, resolved, silenced, unsilenced, expired, fired again."""
    author: str
    """Who, by their own word; empty where time or traffic changed it."""
    note: str
    time: str
    last_index: int
    """The newest entry that the author had been shown."""
    key: str
    """Fingerprint of the operator's key that signed it; empty where nothing did."""
    operator: str | None
    """What the configuration calls the key's holder, empty for no name; null where it does not list the key."""
    fault: str
    """Why it does not count, though somebody wrote it; empty where it does."""


class AlertLine(Struct, frozen=True, tag="alert", kw_only=True):
    """An alert: when it first fires, rises, changes its state, and as its count reaches 10, 100, ..."""

    id: str
    source: str
    rule: str
    title: str
    severity: str
    subject: str
    count: int
    evidence: tuple[int, ...]
    """The first 8 and the newest 24 entry indexes; none where it is about the feed itself."""
    last_index: int
    """The newest entry that it takes into account; -1 for none."""
    reason: str
    """Of the newest finding."""
    state: str
    first_time: str
    last_time: str
    sessions: tuple[str, ...]
    acknowledgement: AcknowledgementLine | None
    """The one in force."""
    silence: SilenceLine | None
    """The one in force that ends last."""
    references: tuple[str, ...]
    """Of the rule: where the attack is described."""
    history: tuple[EventLine, ...]
    """What people and time did to it: the newest 16 changes, oldest first."""


class FeedLine(Struct, frozen=True, tag="feed"):
    """A feed came to stand otherwise."""

    source: str
    address: str
    state: str
    detail: str
    origin: str
    next_index: int
    verified_size: int
    gaps: tuple[tuple[int, int], ...]
    """First and last index of each gap, both included."""


Line = EntryLine | VerdictChangeLine | AlertLine | FeedLine


def entry_line(row: Row, state: State) -> EntryLine:
    """A row as it stands now."""
    now = state.gateway_now(row.source)
    feed = state.feeds.get(row.source)
    exchange, call, who = row.seen.exchange, row.call, row.who
    return EntryLine(
        index=row.index,
        source=row.source,
        time=rfc3339(row.time),
        kind=row.kind,
        exchange=exchange.index if exchange else None,
        session=_session(row.session),
        server=row.upstream,
        method=row.method,
        tool=row.tool,
        direction=row.direction,
        era=exchange.era.value if exchange else "",
        call=call.id if call else "",
        verdict=line_of_verdict(row),
        identity=who.id,
        evidence=who.evidence.value,
        outcome=_outcome(row, now),
        status=row.status,
        duration=None if row.is_running else row.duration(now),
        alerts=row.alerts,
        note=row.seen.note or row.entry.fault,
        proven=feed is not None and feed.proves(row.index),
        server_proof=line_of_proof(row.seen.proof),
    )


def verdict_line(row: Row) -> VerdictChangeLine:
    """A row's newer verdict."""
    who = row.who
    return VerdictChangeLine(
        row.index, row.source, line_of_verdict(row), who.id, who.evidence.value, line_of_proof(row.seen.proof)
    )


def alert_line(alert: Alert) -> AlertLine:
    """An alert as it stands now."""
    info = CATALOGUE.get(alert.rule)
    return AlertLine(
        id=alert.id,
        source=alert.source,
        rule=alert.rule,
        title=alert.title,
        severity=alert.severity.name.lower(),
        subject=alert.subject,
        count=alert.count,
        evidence=tuple(alert.evidence),
        last_index=alert.last_index,
        reason=alert.reason,
        state=alert.state.value,
        first_time=rfc3339(alert.first_time),
        last_time=rfc3339(alert.last_time),
        sessions=tuple(alert.sessions),
        acknowledgement=_acknowledgement(alert.acknowledgement),
        silence=_silence(alert.silence),
        references=info.references if info else (),
        history=tuple(map(_event, alert.history[-_EVENTS:])),
    )


def feed_line(status: FeedStatus) -> FeedLine:
    """A feed as it stands now."""
    return FeedLine(
        source=status.name,
        address=status.address,
        state=status.state.value,
        detail=status.detail,
        origin=status.origin,
        next_index=status.next_index,
        verified_size=status.verified_size,
        gaps=tuple((gap.first, gap.last) for gap in status.gaps),
    )


def _outcome(row: Row, now: float) -> str:
    """How it stands; a call that runs is told without for how long, which `time` says."""
    is_doubtful = row.call is not None and row.call.is_doubtful
    return CallState.RUNNING.value if row.is_running and not is_doubtful else row.outcome(now)


def _session(session: Session | None) -> SessionLine | None:
    if session is None:
        return None
    binding = session.binding
    return SessionLine(
        session.key, session.kind.value, binding.strength.value, binding.signer.id if binding.signer else ""
    )


def _acknowledgement(ack: Acknowledgement | None) -> AcknowledgementLine | None:
    if ack is None:
        return None
    return AcknowledgementLine(ack.author, ack.note, rfc3339(ack.time), ack.last_index, rfc3339(ack.expires))


def _silence(silence: Silence | None) -> SilenceLine | None:
    if silence is None:
        return None
    time, until = rfc3339(silence.time), rfc3339(silence.until)
    return SilenceLine(silence.rule, silence.subject, silence.author, silence.reason, time, until)


def _event(event: AlertEvent) -> EventLine:
    return EventLine(
        kind=event.kind.value,
        author=event.author,
        note=event.note,
        time=rfc3339(event.time),
        last_index=event.last_index,
        key=event.key,
        operator=event.operator,
        fault=event.fault,
    )
