"""The columns of every table: one list each for the screen, the column chooser, tail and the help.

Cells are raw text and pass `mcpwatch.text.show` where they are drawn.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import Struct

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Signer
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Session
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.names import short_feed, short_session, short_signer
from mcpwatch.watch.row import Row
from mcpwatch.watch.schemes import scheme_title
from mcpwatch.watch.state import State
from mcpwatch.watch.times import clock_time, day_or_time, elapsed, seconds

T = TypeVar("T")


class Column(Struct, Generic[T], frozen=True):
    """One column of a table of `T`."""

    id: str
    title: str
    width: int
    """Cells; 0 takes what the others leave."""
    priority: int
    """1 is always shown, 2 from 100 cells on, 3 from 140, 4 only when asked for."""
    text: Callable[[T, State], str]
    right: bool = False
    """Set flush right."""


def percentile(durations: list[float], percent: int) -> float | None:
    """A percentile of some seconds, read between the two nearest; None without any."""
    if not durations:
        return None
    ordered = sorted(durations)
    below, rest = divmod((len(ordered) - 1) * percent, 100)
    if not rest:
        return ordered[below]
    return (ordered[below] * (100 - rest) + ordered[below + 1] * rest) / 100


def failed(tool: Tool) -> str:
    """How many in a hundred calls of a tool failed; empty where it was not called."""
    return f"{min(tool.errors / tool.calls, 1.0) * 100:.1f}%" if tool.calls else ""


def reaches(tool: Tool) -> str:
    """What a tool reaches, after a mark where it is one for few."""
    return " ".join((*("!" for _ in tool.privileged[:1]), *(kind.value for kind in tool.classes)))


def _since_seen(time: float | None, state: State) -> str:
    return "never" if time is None else elapsed(time, state.now)


def _feeds(identity: Identity) -> list[str]:
    """The feeds that it was seen on, the newest first."""
    return list(dict.fromkeys([identity.last_source, *sorted(source for source, _ in identity.sessions)]))


def _duration(row: Row, state: State) -> str:
    value = row.duration(state.gateway_now(row.source))
    return "" if value is None else seconds(value)


def _percentile(tool: Tool, percent: int) -> str:
    value = percentile(tool.durations, percent)
    return "" if value is None else seconds(value)


def _who_acknowledged(alert: Alert) -> str:
    return alert.acknowledgement.author if alert.acknowledgement else ""


def _of_signer(row: Row, read: Callable[[Signer], str]) -> str:
    signer = row.verdict.signer if row.verdict else None
    return "" if signer is None else read(signer)


def called(identity: Identity) -> str:
    """The operator's name for an identity and the identity."""
    return f"{identity.name} {identity.id}".strip()


def open_alerts(identity: Identity, state: State) -> int:
    """How many alerts fire that something in its name is evidence for."""
    alerts = (state.alerts.get(id) for id in identity.alerts)
    return sum(alert is not None and alert.state is AlertState.FIRING for alert in alerts)


def _since(identity: Identity, state: State) -> str:
    key = identity.key
    return "" if key is None else day_or_time(key.first_time, state.gateway_now(identity.last_source))


LIVE: tuple[Column[Row], ...] = (
    Column("time", "TIME", 12, 1, lambda row, state: clock_time(row.time)),
    Column("index", "INDEX", 8, 3, lambda row, state: str(row.index), right=True),
    Column("verdict", "VERDICT", 11, 1, lambda row, state: row.word),
    Column("severity", "ALERT", 8, 2, lambda row, state: row.severity.name if row.severity else ""),
    Column("who", "WHO", 22, 1, lambda row, state: row.who.text),
    Column("session", "SESSION", 8, 1, lambda row, state: row.session_label),
    Column("server", "SERVER", 10, 3, lambda row, state: row.upstream),
    Column("arrow", "", 1, 1, lambda row, state: row.arrow),
    Column("method", "METHOD", 18, 1, lambda row, state: row.method),
    Column("tool", "TOOL", 0, 1, lambda row, state: row.tool or row.seen.note),
    Column("outcome", "OUTCOME", 14, 1, lambda row, state: row.outcome(state.gateway_now(row.source))),
    Column("duration", "TOOK", 6, 2, _duration, right=True),
    Column("status", "HTTP", 4, 4, lambda row, state: "" if row.status is None else str(row.status), right=True),
    Column("scheme", "SCHEME", 24, 4, lambda row, state: scheme_title(row.verdict) if row.verdict else ""),
    Column("via", "KEY FROM", 10, 4, lambda row, state: _of_signer(row, lambda signer: signer.resolution.value)),
    Column("keystate", "KEY STATE", 10, 4, lambda row, state: _of_signer(row, lambda signer: signer.key_state.value)),
    Column("name", "NAME", 16, 4, lambda row, state: _of_signer(row, lambda signer: signer.name)),
    Column("kind", "KIND", 9, 4, lambda row, state: row.kind),
    Column("peer", "PEER", 21, 4, lambda row, state: row.seen.exchange.peer if row.seen.exchange else ""),
    Column("feed", "FEED", 12, 4, lambda row, state: short_feed(row.source)),
)

SESSIONS: tuple[Column[Session], ...] = (
    Column("session", "SESSION", 8, 1, lambda session, state: short_session(session)),
    Column("signer", "BOUND TO", 29, 1, lambda session, state: short_signer(session.binding.signer)),
    Column("strength", "BINDING", 20, 2, lambda session, state: session.binding.strength.value),
    Column("server", "SERVER", 12, 1, lambda session, state: session.upstream),
    Column("state", "STATE", 5, 1, lambda session, state: session.state.value),
    Column("calls", "CALLS", 6, 1, lambda session, state: str(session.call_count), right=True),
    Column("errors", "ERRORS", 6, 1, lambda session, state: str(session.errors), right=True),
    Column("signed", "PROVEN", 11, 2, lambda session, state: f"{session.signed}/{session.requests}", right=True),
    Column("seen", "SEEN", 6, 1, lambda s, state: elapsed(s.last_seen, state.gateway_now(s.source)), right=True),
    Column("kind", "NAMED BY", 0, 3, lambda session, state: session.kind.value),
    Column("client", "CLAIMS TO BE", 20, 3, lambda session, state: session.client_name),
    Column("era", "ERA", 7, 4, lambda session, state: session.era.value),
    Column("started", "STARTED", 12, 4, lambda session, state: clock_time(session.started)),
    Column("peers", "PEERS", 30, 4, lambda session, state: ", ".join(session.peers)),
    Column("feed", "FEED", 12, 4, lambda session, state: short_feed(session.source)),
)

ALERTS: tuple[Column[Alert], ...] = (
    Column("severity", "SEVERITY", 8, 1, lambda alert, state: alert.severity.name),
    Column("state", "STATE", 12, 1, lambda alert, state: alert.state.value),
    Column("title", "ALERT", 28, 1, lambda alert, state: alert.title),
    Column("subject", "ABOUT", 0, 1, lambda alert, state: alert.subject),
    Column("count", "COUNT", 6, 1, lambda alert, state: str(alert.count), right=True),
    Column("seen", "SEEN", 6, 1, lambda a, state: elapsed(a.last_time, state.gateway_now(a.source)), right=True),
    Column("rule", "RULE", 28, 3, lambda alert, state: alert.rule),
    Column("first", "FIRST", 12, 4, lambda alert, state: clock_time(alert.first_time)),
    Column("author", "ACKNOWLEDGED BY", 18, 4, lambda alert, state: _who_acknowledged(alert)),
    Column("reason", "WHY", 40, 4, lambda alert, state: alert.reason),
    Column("id", "ID", 12, 4, lambda alert, state: alert.id),
    Column("feed", "FEED", 12, 4, lambda alert, state: short_feed(alert.source)),
)

IDENTITIES: tuple[Column[Identity], ...] = (
    Column("fingerprint", "KEY", 10, 1, lambda identity, state: identity.fingerprint[:8] or "no key"),
    Column("id", "IDENTITY", 0, 1, lambda identity, state: called(identity)),
    Column("kind", "KIND", 6, 3, lambda identity, state: identity.kind.value),
    Column("resolution", "RESOLVED BY", 12, 2, lambda identity, state: identity.resolution.value),
    Column("key", "KEY STATE", 10, 1, lambda identity, state: identity.key_state.value),
    Column("since", "KEY SINCE", 10, 2, _since),
    Column("proven", "PROVEN", 7, 1, lambda identity, state: str(identity.proven), right=True),
    Column(
        "words",
        "VERDICTS",
        24,
        2,
        lambda identity, state: " ".join(
            f"{word.value}:{count}" for word, count in identity.words.most_common() if count
        ),
    ),
    Column("alerts", "ALERTS", 6, 1, lambda identity, state: str(open_alerts(identity, state) or ""), right=True),
    Column("sessions", "SESSIONS", 8, 1, lambda identity, state: str(len(identity.sessions)), right=True),
    Column("tools", "TOOLS", 5, 2, lambda identity, state: str(len(identity.tools)), right=True),
    Column("first", "FIRST", 12, 3, lambda identity, state: clock_time(identity.first_time)),
    Column("seen", "SEEN", 6, 1, lambda i, state: elapsed(i.last_time, state.gateway_now(i.last_source)), right=True),
    Column("names", "CLAIMS TO BE", 24, 3, lambda identity, state: ", ".join(sorted(identity.claimed_names))),
    Column("servers", "SERVERS", 20, 4, lambda identity, state: ", ".join(sorted(identity.upstreams))),
    Column("feed", "FEEDS", 16, 4, lambda identity, state: ", ".join(map(short_feed, _feeds(identity)))),
)

TOOLS: tuple[Column[Tool], ...] = (
    Column("server", "SERVER", 12, 1, lambda tool, state: tool.upstream),
    Column("tool", "TOOL", 0, 1, lambda tool, state: tool.name),
    Column("changed", "CHANGED", 7, 1, lambda tool, state: f"{tool.changed}×" if tool.changed else "", right=True),
    Column("reaches", "REACHES", 16, 1, lambda tool, state: reaches(tool)),
    Column("calls", "CALLS", 6, 1, lambda tool, state: str(tool.calls), right=True),
    Column("errors", "ERRORS", 6, 2, lambda tool, state: str(tool.errors), right=True),
    Column("failed", "FAILED", 6, 1, lambda tool, state: failed(tool), right=True),
    Column("median", "P50", 6, 2, lambda tool, state: _percentile(tool, 50), right=True),
    Column("p95", "P95", 6, 2, lambda tool, state: _percentile(tool, 95), right=True),
    Column("p99", "P99", 6, 1, lambda tool, state: _percentile(tool, 99), right=True),
    Column("callers", "CALLERS", 7, 2, lambda tool, state: str(len(tool.callers)), right=True),
    Column("sessions", "SHOWN TO", 8, 2, lambda tool, state: str(len(tool.sessions)), right=True),
    Column("first", "LISTED AT", 9, 3, lambda tool, state: str(tool.first_seen), right=True),
    Column("digest", "DEFINITION", 12, 3, lambda tool, state: tool.digest[:12]),
    Column("feed", "FEED", 12, 4, lambda tool, state: short_feed(tool.source)),
)

FEEDS: tuple[Column[FeedStatus], ...] = (
    Column("state", "STATE", 12, 1, lambda status, state: status.state.value),
    Column("name", "FEED", 22, 1, lambda status, state: status.name),
    Column("entry", "ENTRY", 7, 1, lambda status, state: _since_seen(status.last_entry_at, state), right=True),
    Column("checkpoint", "PROOF", 7, 1, lambda s, state: _since_seen(s.last_checkpoint_at, state), right=True),
    Column("proven", "PROVEN", 9, 1, lambda status, state: f"{status.verified_size:,}", right=True),
    Column("pending", "PENDING", 7, 2, lambda s, state: f"{max(s.next_index - s.verified_size, 0):,}", right=True),
    Column("why", "WHY", 0, 1, lambda status, state: status.detail),
    Column("address", "ADDRESS", 28, 3, lambda status, state: status.address),
)
