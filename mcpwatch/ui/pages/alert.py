"""An alert to act on: what, why, what it means, what to do, what shows it, who has seen it."""

from mcpwatch.model.alerts import Alert, AlertEvent, AlertState, EventKind, Kept, RuleInfo
from mcpwatch.text import count
from mcpwatch.ui.looks import ALERT_STATES, severity_cell, verdict_cell
from mcpwatch.ui.pages.parties import about_lines
from mcpwatch.ui.pages.path import path_lines
from mcpwatch.ui.times import ago, clock, full
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, field, line, span, title
from mcpwatch.watch.path import path
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import with_names

_EVIDENCE = 12
_EVENTS = 40
_KEY = 8
"""Characters of a key's fingerprint."""


def alert_page(alert: Alert, rule: RuleInfo | None, state: State) -> list[Line]:
    """The whole alert: what is wrong, who did it, what it means and what to do come before what names it."""
    lines = [
        line(severity_cell(alert.severity), "  ", span(alert.title, Tone.STRONG), hang=2),
        BLANK,
        line(with_names(alert.reason, alert, state)),
        BLANK,
        *path_lines(path(alert, state), state),
        *_standing(alert, state),
    ]
    if rule is not None:
        lines += [BLANK, title("What it means"), line(rule.meaning), BLANK, title("What to do"), line(rule.action)]
    lines += [BLANK, title("Evidence"), *_evidence(alert, state)]
    lines += [BLANK, title("History"), *_history(alert)]
    lines += [BLANK, field("rule", alert.rule), field("alert", alert.id)]
    if alert.source:
        lines.append(field("feed", alert.source))
    if rule is not None and rule.references:
        lines += [BLANK, title("See also"), line(span(" · ".join(rule.references), Tone.DIM))]
    return lines


def _standing(alert: Alert, state: State) -> list[Line]:
    now = state.gateway_now(alert.source)
    return [
        field("state", span(alert.state.value, ALERT_STATES[alert.state])),
        *_rest(alert),
        *about_lines(alert, state),
        field("seen", f"{count(alert.count, 'time')}, ", f"last {ago(now, alert.last_time)}"),
    ]


def _rest(alert: Alert) -> list[Line]:
    """Who let it rest, why, and until when."""
    if alert.state is AlertState.RESOLVED:
        return _resolved(alert)
    if alert.silence is not None:
        silence = alert.silence
        return [
            line("silenced by ", span(silence.author, Tone.STRONG), f", {full(silence.time)}: {silence.reason}"),
            field("silences", f"{silence.rule} about {silence.subject}"),
            field("until", full(silence.until), span("  then it fires again", Tone.DIM)),
        ]
    rest = alert.acknowledgement
    if rest is None:
        return []
    return [
        line("acknowledged by ", span(rest.author, Tone.STRONG), f", {full(rest.time)}: {rest.note or 'no note'}"),
        field("until", full(rest.expires), span("  or somebody else, another tool or reason, or worse", Tone.DIM)),
    ]


def _resolved(alert: Alert) -> list[Line]:
    done = next((event for event in reversed(alert.history) if event.kind is EventKind.RESOLVED), None)
    if done is None:
        return []
    who = (" by ", span(done.author, Tone.STRONG)) if done.author else (" by itself",)
    return [line("resolved", *who, f", {full(done.time)}: {done.note}")]


def _evidence(alert: Alert, state: State) -> list[Line]:
    rows = {row.index: row for row in state.rows_of_alert(alert)}
    if not alert.evidence:
        return [line(span("no entry shows it; see the Feed screen", Tone.DIM))]
    now = state.gateway_now(alert.source)
    lines = [_row(index, rows.get(index), now) for index in alert.evidence[-_EVIDENCE:]]
    if len(alert.evidence) > _EVIDENCE:
        lines.insert(0, line(span(f"… {len(alert.evidence) - _EVIDENCE} before these", Tone.DIM)))
    return lines


def _row(index: int, row: Row | None, now: float) -> Line:
    """The entry, and what became of its call: whether a forged one was answered is the first thing to know."""
    place = span(f"{index:>6}  ", Tone.DIM)
    if row is None:
        return line(place, span("not held any more", Tone.DIM))
    verdict = (verdict_cell(row.verdict.word), "  ") if row.verdict else ()
    return line(
        place,
        *verdict,
        span(f"{clock(row.time, millis=False)}  ", Tone.DIM),
        f"{row.method} {row.tool}".strip(),
        span(f"  {row.outcome(now)}", Tone.STRONG),
        hang=8,
    )


def _history(alert: Alert) -> list[Line]:
    lines = [bullet(span("•", Tone.BAD), "fired ", span(full(alert.first_time), Tone.DIM))]
    if len(alert.history) > _EVENTS:
        lines.append(line(span(f"… {count(len(alert.history) - _EVENTS, 'event')} before these", Tone.DIM)))
    for event in alert.history[-_EVENTS:]:
        who = f" by {event.author}" if event.author else ""
        until = f", until {full(event.until)}" if event.until is not None else ""
        note = f": {event.note}" if event.note else ""
        mark = span("✗", Tone.BAD) if event.fault else span("•")
        lines.append(bullet(mark, f"{event.kind.value}{who}{until}{note} ", span(full(event.time), Tone.DIM)))
        if event.kept is not None:
            lines.append(_proof(event, event.kept))
    return lines


def _proof(event: AlertEvent, kept: Kept) -> Line:
    """Whether who acted has proven it, with which key, and where that is written."""
    place = f"{kept.value}, entry {event.index}" if event.index is not None else kept.value
    if event.fault:
        said = span(f"DOES NOT COUNT: {event.fault}", Tone.BAD)
    elif event.key:
        said = span("VERIFIED", Tone.GOOD)
    else:
        said = span("not signed", Tone.WARN)
    return line("  ", said, *_signed(event), span(f" · {place}", Tone.DIM), hang=4)


def _signed(event: AlertEvent) -> list[Span]:
    """Which key, and whose it is by the configuration; the author's name is their own word."""
    if not event.key:
        return []
    key = span(f" key {event.key[:_KEY]}")
    if event.operator:
        return [key, span(" of "), span(event.operator, Tone.STRONG)]
    if event.operator is None and not event.fault:
        return [key, span(", not listed", Tone.WARN)]
    return [key]
