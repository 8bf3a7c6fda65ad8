"""A signer to read about: the key first, then who says so, then where and how often it was seen."""

from collections.abc import Iterable, Sequence

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.identity import Word
from mcpwatch.text import count
from mcpwatch.ui.looks import ASSERTERS, KEYS, severity_cell, verdict_cell
from mcpwatch.ui.pages.signer import signer_lines
from mcpwatch.ui.pages.trust import trust_lines
from mcpwatch.ui.times import ago, full
from mcpwatch.ui.trends import trend_line
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, bullet, field, line, span, title
from mcpwatch.watch.identity import Identity, Kind
from mcpwatch.watch.key_history import Known, KnownKey
from mcpwatch.watch.names import short_id
from mcpwatch.watch.signer_names import SignerNames
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher

_SHOWN = 12
_BARS = 24
"""Bars of the trend, as many as stand with what they mean on one line of the page beside a list."""
_KIND = {
    Kind.AGENT: "signs requests",
    Kind.SERVER: "signs answers: a server, another party than the agents",
}
_OF = {Kind.AGENT: "request", Kind.SERVER: "answer"}


def identity_page(identity: Identity, watcher: Watcher) -> list[Line]:
    """The whole identity."""
    state = watcher.state
    keys = watcher.keys(identity)
    key = next((key for key in keys if key.fingerprint == identity.fingerprint), None)
    known = Known(key, watcher.place(identity.resolution))
    return [
        title("Who"),
        *signer_lines(identity.signer, known, proven=identity.proven > 0),
        field("kind", identity.kind.value, span(f"  {_KIND[identity.kind]}", Tone.DIM)),
        *_names(identity, state.names),
        BLANK,
        *trust_lines(watcher.trust(identity.id), watcher.called, has_roots=bool(watcher.roots)),
        BLANK,
        *_alerts(identity, state),
        *(_keys(keys, identity) if len(keys) > 1 else []),
        title(f"{_OF[identity.kind].capitalize()}s in its name, by verdict"),
        *_words(identity),
        BLANK,
        title("Seen"),
        *_seen(identity, state.gateway_now(identity.last_source)),
    ]


def alerts_of(identity: Identity, state: State) -> list[Alert]:
    """The alerts that something in its name is evidence for, those that fire first, the newest first."""
    alerts = [alert for id in identity.alerts if (alert := state.alerts.get(id)) is not None]
    return sorted(alerts, key=lambda alert: (alert.state is AlertState.FIRING, alert.last_time), reverse=True)


def is_disputed(identity: Identity, names: SignerNames) -> bool:
    """Whether it claims a name by which the operator calls another."""
    return any(names.owner(claimed) not in ("", identity.id) for claimed in identity.claimed_names)


def _names(identity: Identity, names: SignerNames) -> list[Line]:
    """What it says of itself, each name marked as what it is worth."""
    if not identity.claimed_names:
        return [field("calls itself", span("nothing", Tone.DIM))]
    lines = [_name(identity, claimed, names) for claimed in sorted(identity.claimed_names)[:_SHOWN]]
    left = len(identity.claimed_names) - _SHOWN
    return [*lines, field("", span(f"… {left:,} more", Tone.DIM))] if left > 0 else lines


def _name(identity: Identity, claimed: str, names: SignerNames) -> Line:
    owner, others = names.owner(claimed), names.claimants(claimed) - 1
    if identity.kind is Kind.SERVER:
        return field("calls itself", span(f"{claimed}  claimed", Tone.DIM))
    if owner == identity.id:
        return field("calls itself", span(f"{claimed}  claimed, and what you call it", Tone.DIM))
    if owner:
        whose = span(f"  claimed, and the name you gave to {short_id(owner)}", Tone.BAD)
        return field("calls itself", span(claimed, Tone.BAD), whose)
    shared = f", by {count(others, 'other key')} too" if others > 0 else ""
    return field("calls itself", span(f"{claimed}  claimed{shared}", Tone.DIM))


def _alerts(identity: Identity, state: State) -> list[Line]:
    alerts = alerts_of(identity, state)
    if not alerts:
        return []
    fires = sum(alert.state is AlertState.FIRING for alert in alerts)
    newest = alerts[0]
    return [
        title("Alerts"),
        field("open", span(f"{fires:,}", Tone.BAD if fires else Tone.PLAIN), f" of {len(alerts):,}"),
        field(
            "newest",
            severity_cell(newest.severity),
            f"  {newest.title}",
            span(f"  {ago(state.gateway_now(newest.source), newest.last_time)}", Tone.DIM),
        ),
        BLANK,
    ]


def _keys(keys: Sequence[KnownKey], identity: Identity) -> list[Line]:
    return [title("Keys"), *(each for key in keys for each in _key(key, identity)), BLANK]


def _key(key: KnownKey, identity: Identity) -> Iterable[Line]:
    here = key.fingerprint == identity.fingerprint
    yield line(
        span("▸ " if here else "  ", Tone.ACCENT),
        span(key.fingerprint, Tone.STRONG),
        span(f"  {key.state.value}", KEYS[key.state]),
        hang=2,
    )
    if key.since is not None or key.until is not None:
        since = f"from {full(key.since)} " if key.since is not None else ""
        until = f"until {full(key.until)} " if key.until is not None else ""
        asserter = ASSERTERS.get(identity.resolution, "whoever was asked")
        yield bullet(span(" "), f"{since}{until}", span(f"asserted by {asserter}", Tone.DIM))
    if key.seen is None:
        yield bullet(span(" "), span("never seen to sign here", Tone.DIM))
    else:
        yield bullet(span(" "), span(f"seen here from {full(key.seen.first_time)} to {full(key.seen.last_time)}"))


def _words(identity: Identity) -> list[Line]:
    return [
        line(span(f"{identity.words[word]:>9,}  "), verdict_cell(word))
        for word in Word
        if identity.words.get(word, 0) > 0
    ]


def _seen(identity: Identity, now: float) -> list[Line]:
    return [
        field("proven", f"{count(identity.proven, _OF[identity.kind])} that it provably sent"),
        field("first", full(identity.first_time), span(f"  entry {identity.first_index}", Tone.DIM)),
        field("last", ago(now, identity.last_time), span(f"  entry {identity.last_index}", Tone.DIM)),
        *([field("traffic", *trend.spans)] if (trend := trend_line(identity.trend, now, _BARS)).spans else []),
        field("sessions", f"{len(identity.sessions):,}"),
        field("servers", _some(sorted(identity.upstreams))),
        field("tools", _some([f"{name} ×{count}" for name, count in identity.tools.most_common(_SHOWN)])),
        field("peers", _some(sorted(identity.peers))),
    ]


def _some(values: list[str]) -> str:
    more = f" … {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more if values else "–"
