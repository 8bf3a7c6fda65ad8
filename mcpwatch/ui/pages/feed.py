"""How each log stands: whether what is shown is everything that happened."""

from collections.abc import Iterable

from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.text import count
from mcpwatch.ui.looks import FEEDS
from mcpwatch.ui.pages.health import health_lines
from mcpwatch.ui.pages.policy import policy_lines
from mcpwatch.ui.times import ago, clock, full, until
from mcpwatch.ui.widgets.lines import BLANK, LABEL_CELLS, Line, Tone, bullet, field, line, span, title
from mcpwatch.ui.widgets.sparks import sparks
from mcpwatch.watch.state import State
from mcpwatch.watch.times import seconds

_GAPS = 20
_CHANGES = 20
_DAY_S = 86_400
_STATE_CELLS = max(map(len, FeedState))
_BAR_S = 5
"""Seconds that a bar of the traffic stands for."""
_BARS = 36
_CUT_OFF = frozenset({FeedState.DISCONNECTED, FeedState.REFUSED, FeedState.ENDED})


def feed_page(
    state: State,
    paths: Iterable[tuple[str, str]],
    troubles: Iterable[tuple[str, str]] = (),
    only: FeedStatus | None = None,
) -> list[Line]:
    """All feeds one after the other, or one of them, then this watcher's own standing, its troubles and its files."""
    lines: list[Line] = []
    for status in state.feeds.values() if only is None else [only]:
        lines += [*_feed(status, state), BLANK]
    lines += _watcher(state)
    lines += [bullet(span("!", Tone.BAD), span(f"{what}: {why}", Tone.BAD)) for what, why in troubles]
    return [*lines, BLANK, title("Files"), *[field(name, path) for name, path in paths]]


def _feed(status: FeedStatus, state: State) -> list[Line]:
    look = FEEDS[status.state]
    now = state.now
    lines = [
        line(
            span(f"{look.glyph} {status.state.value}", look.tone),
            span(f"  {status.name}", Tone.STRONG),
            span(f"  {status.address}", Tone.DIM),
        ),
        bullet(span(" "), span(means(status), Tone.DIM)),
    ]
    if status.detail:
        lines.append(field("why", status.detail))
    if status.retry_at is not None:
        lines.append(field("next try", until(now, status.retry_at)))
    lines += [
        field("origin", status.origin or "not known yet"),
        field("log key", status.key or "not known yet"),
        field("capture", status.capture or "not known yet"),
        *_checkpoint(status, now),
        field("entries", f"{status.received:,} received, {_proven(status)}"),
        field("last entry", ago(now, status.last_entry_at)),
        field("connected", _connected(status, now), f", {count(status.reconnects, 'reconnect')}"),
        field("repeated", f"{count(status.repeated, 'entry')} came again with the same hash"),
        field(
            "malformed",
            span(f"{status.malformed:,}", Tone.WARN if status.malformed else Tone.PLAIN),
            " entries could not be read",
        ),
        *_gaps(status),
        field(
            "lag",
            seconds(max(now - state.gateway_now(status.name), 0.0)),
            span("  between the gateway's clock and ours", Tone.DIM),
        ),
    ]
    lines += health_lines(status.health, now)
    return [*lines, BLANK, title("States, newest first"), *_states(status, now)]


def _states(status: FeedStatus, now: float) -> list[Line]:
    """Since when each state was, for how long, and why."""
    lines = []
    until_then, so_far = now, " so far"
    for when, which, why in status.history[: -_CHANGES - 1 : -1]:
        look = FEEDS[which]
        lasted = f"for {seconds(max(until_then - when, 0.0))}{so_far}"
        since = clock(when) if now - when < _DAY_S else full(when)
        state = span(f"{look.glyph} {which.value:<{_STATE_CELLS}}", look.tone)
        gap = " " if len(since) >= LABEL_CELLS else ""
        lines.append(field(since + gap, state, f"  {lasted}", f"  {why}"))
        until_then, so_far = when, ""
    if len(status.history) > _CHANGES:
        lines.append(line(span(f"… {len(status.history) - _CHANGES:,} older", Tone.DIM)))
    return lines or [line(span("none yet", Tone.DIM))]


def means(status: FeedStatus) -> str:
    """What a feed's state means, in a sentence."""
    if status.state is FeedState.REFUSED and status.retry_at is not None:
        return "Its gateway will not have us, or its token cannot be read; it is asked again."
    if status.state is FeedState.CONNECTING and status.connected_at is not None:
        return "Entries come in; the first fresh checkpoint has yet to come."
    return FEEDS[status.state].means


def _connected(status: FeedStatus, now: float) -> str:
    if status.connected_at is not None:
        return ago(now, status.connected_at)
    lost = None
    for when, which, _ in reversed(status.history):
        if which in _CUT_OFF:
            lost = when
        elif which is not FeedState.CONNECTING:
            return f"not now, lost {ago(now, lost)}" if lost is not None else "not now"
    return "never"


def _checkpoint(status: FeedStatus, now: float) -> list[Line]:
    checkpoint = status.checkpoint
    if checkpoint is None:
        return [field("checkpoint", span("none verified yet: nothing is proven", Tone.WARN))]
    stated = f", signed {full(checkpoint.time)}" if checkpoint.time is not None else ""
    return [
        field("checkpoint", f"size {checkpoint.size:,}{stated}, verified {ago(now, status.last_checkpoint_at)}"),
        field("root", span(checkpoint.root.hex(), Tone.DIM)),
    ]


def _gaps(status: FeedStatus) -> list[Line]:
    if not status.gaps:
        return [field("gaps", "none")]
    return [
        field(
            "gap",
            span(f"{gap.first:,} to {gap.last:,}", Tone.WARN),
            f"  {count(gap.last - gap.first + 1, 'entry')}: {gap.reason}",
        )
        for gap in status.gaps[-_GAPS:]
    ]


def _proven(status: FeedStatus) -> str:
    if status.state is FeedState.UNPROVEN:
        return "none of them can be proven"
    return f"{status.verified_size:,} proven, {max(status.next_index - status.verified_size, 0):,} pending"


def _traffic(state: State) -> list[Line]:
    """How many entries came, of all feeds: a bar for every few seconds."""
    came = state.entry_rate.series(state.now, _BAR_S, _BARS)
    told = f"most {max(came) / _BAR_S:,.1f}/s in {_BARS * _BAR_S // 60}m"
    return [field("traffic", span(sparks(came), Tone.ACCENT), f"  {told}") if any(came) else field("traffic", told)]


def _watcher(state: State) -> list[Line]:
    failed = state.counts.rule_failures
    rules = field("rules", span(f"failed {count(failed, 'time')}: alerts may be missing", Tone.BAD))
    unjudged = field(
        "unjudged",
        span(f"{count(state.counts.unjudged, 'entry')} stay NO CHECK: let go of before their key came", Tone.WARN),
    )
    gone = span(f"{state.evicted:,} older ones left the view; their counts and alerts stay", Tone.DIM)
    return [
        title("This watcher"),
        *_traffic(state),
        field(
            "held", f"{len(state.rows):,} of at most {state.rows.max_rows:,} entries, {state.rows.bytes / 1e6:.1f} MB"
        ),
        field("left", gone if state.evicted else span("none", Tone.DIM)),
        field("pinned", f"{count(len(state.pinned), 'entry')} kept as evidence"),
        field("failures", f"{count(state.counts.failures, 'entry')} that a part of mcpwatch could not take in"),
        *([rules] if failed else []),
        *([unjudged] if state.counts.unjudged else []),
        *policy_lines(state),
    ]
