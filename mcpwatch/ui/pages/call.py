"""A call or an exchange, as one reads it: what happened, then the verdict, then the evidence."""

from mcpwatch.model.alerts import Alert
from mcpwatch.model.traffic import Call, CallState, Edge
from mcpwatch.text import Shown, show
from mcpwatch.ui.looks import severity_cell, state_cell
from mcpwatch.ui.pages.entry import content_parts, exact_lines, proof_lines
from mcpwatch.ui.pages.payload import Layout, still
from mcpwatch.ui.pages.verdict import proof_of_server_lines, verdict_lines
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, field, line, span, title
from mcpwatch.ui.widgets.outline import Part
from mcpwatch.watch.identity import Kind
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import with_names
from mcpwatch.watch.times import seconds
from mcpwatch.watch.watcher import Watcher

_BAR = 24


def row_parts(row: Row, watcher: Watcher, lay: Layout = still) -> list[Part]:
    """Everything about one entry, what matters most first."""
    state = watcher.state
    lines: list[Part] = [_headline(row), BLANK]
    lines += alert_lines(row, state)
    lines += _caller_lines(row)
    if (verdict := row.verdict) is not None:
        known = watcher.known(verdict.signer)
        lines += [*verdict_lines(verdict, known, row.uncovered), BLANK]
    proof = row.seen.proof or (row.seen.exchange.proof if row.seen.exchange is not None else None)
    if proof is not None:
        lines += [*proof_of_server_lines(proof, watcher.known(proof.signer, Kind.SERVER)), BLANK]
    if row.call is not None:
        lines += [*call_lines(row.call, state.gateway_now(row.source)), BLANK]
    lines += content_parts(row.entry, row.verdict, lay)
    return [*lines, BLANK, *proof_lines(row.entry, state.feeds.get(row.source))]


def _caller_lines(row: Row) -> list[Line]:
    """Whom an answer and what else follows a request is put down to; the request itself has a verdict that says it."""
    exchange = row.seen.exchange
    if row.verdict is not None or exchange is None:
        return []
    who = row.who
    peer = span(f"  from {exchange.peer}" if exchange.peer else "", Tone.DIM)
    return [
        field("caller", span(who.text or "unnamed", Tone.STRONG), span(f"  {who.evidence.value}", Tone.DIM), peer),
        BLANK,
    ]


def exact_row_lines(row: Row, state: State) -> list[Line]:
    """The octets that were hashed, and where they stand in the log."""
    return [_headline(row), BLANK, *proof_lines(row.entry, state.feeds.get(row.source)), BLANK, *exact_lines(row.entry)]


def alert_lines(row: Row, state: State) -> list[Line]:
    """The alerts this entry is evidence for."""
    alerts = [alert for key in row.alerts if (alert := state.alerts.get(key)) is not None]
    alerts.sort(key=lambda alert: -alert.severity)
    return [each for alert in alerts for each in _alert(alert, state)] + ([BLANK] if alerts else [])


def call_lines(call: Call, now: float) -> list[Line]:
    """How a call stands."""
    method = field("method", span(call.method, Tone.STRONG), f"  {call.target}" if call.target else "")
    return [title("Call"), method, *standing_lines(call, now), *follows_lines(call)]


def standing_lines(call: Call, now: float) -> list[Line]:
    """What became of a call so far."""
    lines = [field("state", state_cell(call.state), *_took(call, now))]
    if call.is_doubtful:
        lines.append(field("but", span("entries since then were not seen, and its end may be among them", Tone.WARN)))
    if call.state is CallState.RUNNING or call.progress is not None:
        lines.append(field("progress", *progress(call)))
    if call.error_text or call.error_code is not None:
        code = f"{call.error_code} " if call.error_code is not None else ""
        lines.append(field("error", span(f"{code}{call.error_text}", Tone.BAD)))
    return lines


def follows_lines(call: Call) -> list[Line]:
    """What led to a call."""
    return [_follows(edge) for edge in call.parents]


def progress(call: Call) -> tuple[Span, ...]:
    """A progress bar in characters, and what the server says of it."""
    said = f"  {call.progress_text}" if call.progress_text else ""
    if call.progress is None:
        return (span(f"{call.messages} messages so far" if call.messages else "nothing yet", Tone.DIM),)
    if not call.progress_total or call.progress_total <= 0:
        return (span(f"{call.progress:g}"), span(said, Tone.DIM))
    share = min(max(call.progress / call.progress_total, 0.0), 1.0)
    done = round(share * _BAR)
    return (
        Span(Shown("━" * done), Tone.ACCENT),
        Span(Shown("─" * (_BAR - done)), Tone.DIM),
        Span(show(f" {share:.0%}"), Tone.STRONG),
        span(said, Tone.DIM),
    )


def _follows(edge: Edge) -> Line:
    if edge.parent:
        return field("follows", f"call {edge.parent}", span(f"  {edge.kind.value}: {edge.why}", Tone.DIM))
    missing = span("  signed; no call with it is proven in what is held", Tone.WARN)
    return field("follows", f"receipt {edge.receipt}", missing)


def _took(call: Call, now: float) -> tuple[Span, ...]:
    if call.ended is None:
        return (span(f"  {seconds(max(now - call.started, 0.0))} so far", Tone.DIM),)
    return (span(f"  {seconds(max(call.ended - call.started, 0.0))}", Tone.DIM),)


def _headline(row: Row) -> Line:
    server = f"{row.upstream}  " if row.upstream else ""
    return line(
        span(f"{row.method}  ", Tone.STRONG),
        span(f"{row.tool}  " if row.tool else "", Tone.STRONG),
        span(f"{server}{row.kind} {clock(row.time)}", Tone.DIM),
    )


def _alert(alert: Alert, state: State) -> list[Line]:
    rested = span(f"  {alert.state.value}", Tone.DIM)
    head = line(severity_cell(alert.severity), "  ", span(alert.title, Tone.STRONG), rested, hang=2)
    return [head, bullet(span(" "), with_names(alert.reason, alert, state))]
