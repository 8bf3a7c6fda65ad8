"""What an empty list says: why there is nothing, how the feeds stand, and what to do about it."""

from collections.abc import Iterable, Mapping

from mcpwatch.model.entries import GatewayStarted, UpstreamInfo
from mcpwatch.model.feed import FeedStatus
from mcpwatch.text import count
from mcpwatch.ui.bars import badness
from mcpwatch.ui.commands import BY_ID, Scope, key_name
from mcpwatch.ui.keymap import with_keys
from mcpwatch.ui.looks import FEEDS
from mcpwatch.ui.pages.feed import means
from mcpwatch.ui.pages.lacks import LACKS, LISTS, Lack, Step, lack_of
from mcpwatch.ui.pages.reasons import Reason
from mcpwatch.ui.times import until
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, span
from mcpwatch.watch.state import State

_TOLD = 4
"""Feeds of which it is told how they stand."""
_OF_CLIENTS = frozenset({Scope.LIVE, Scope.SESSIONS})
"""Lists for which it is enough that a client is pointed at the gateway."""
_OF_ENTRIES = frozenset({Scope.LIVE, Scope.SESSION})
"""Screens that have entries of their own to look at."""


def empty_page(
    state: State, scope: Scope, keys: Mapping[str, str], reason: Reason | None = None, *, is_played: bool = False
) -> list[Line]:
    """For the list of a screen: the screen's own reason, or how the feeds stand; `keys` are the operator's."""
    if reason is not None:
        return reason_lines(reason, keys)
    listed = LISTS[scope]
    feeds = sorted(state.feeds.values(), key=badness)
    lacks = [lack_of(status, is_played=is_played) for status in feeds] or [Lack.CONNECTING]
    told = [LACKS[lack] for lack in Lack if lack in lacks]
    lines = [line(span(told[0].head.format(listed.thing), Tone.STRONG)), line(span(listed.comes, Tone.DIM))]
    for status, lack in list(zip(feeds, lacks, strict=False))[:_TOLD]:
        lines += [BLANK, *_feed(status, lack, state)]
    if not feeds:
        lines += [BLANK, line("The feed is being opened.")]
    waits = any(each.waits for each in told)
    clients = _clients(state) if waits else []
    own = listed.steps if waits and not (clients and scope in _OF_CLIENTS) else ()
    if waits and not only_gateways(state) and state.counts.entries and scope not in _OF_ENTRIES:
        lines += [BLANK, line(f"{count(state.counts.entries, 'entry')} came so far, none of which brought one.")]
        own = (Step("look at them on Live", command="live"), *own)
    steps = [*own, *(step for each in told for step in each.steps)]
    return [*lines, *([BLANK, *clients] if clients else []), BLANK, *_steps(dict.fromkeys(steps), keys)]


def reason_lines(reason: Reason, keys: Mapping[str, str]) -> list[Line]:
    """A reason of the screen's own and what to do about it."""
    why = [BLANK, line(span(reason.why, Tone.DIM))] if reason.why else []
    steps = [BLANK, *_steps(reason.steps, keys)] if reason.steps else []
    return [line(span(reason.head, Tone.STRONG)), *why, *steps]


def only_gateways(state: State) -> bool:
    """Whether gateways have told of themselves and nothing else has happened."""
    return 0 < state.counts.entries == state.counts.kinds["gateway"]


def _feed(status: FeedStatus, lack: Lack, state: State) -> list[Line]:
    look = FEEDS[status.state]
    lines = [
        line(
            span(f"{look.glyph} {status.state.value}", look.tone), span(f"  {status.address or status.name}", Tone.DIM)
        ),
        line(means(status)),
    ]
    if lack is Lack.READING:
        lines.append(line(f"{status.next_index:,} of the log's {status.announced or 0:,} entries are read."))
    if status.detail:
        lines.append(line(span(status.detail, Tone.WARN)))
    if status.retry_at is not None:
        lines.append(line(span(f"Next try {until(state.now, status.retry_at)}.", Tone.DIM)))
    return lines


def _clients(state: State) -> list[Line]:
    """Where clients are to be pointed, as far as the newest gateway said what it stands before."""
    for row in reversed(list(state.rows) if only_gateways(state) else []):
        data = row.entry.record.data if row.entry.record is not None else None
        if isinstance(data, GatewayStarted):
            several = len(data.upstreams) > 1
            where = "these addresses" if data.listen else "the address that the gateway printed"
            return [
                line(f"Point MCP clients at {where}, in place of the server's:"),
                *(
                    line(
                        span("· ", Tone.DIM),
                        span(_address(data, each, several), Tone.ACCENT),
                        span("   in place of   ", Tone.DIM),
                        each.url,
                        hang=2,
                    )
                    for each in data.upstreams
                ),
            ]
    return []


def _address(gateway: GatewayStarted, upstream: UpstreamInfo, several: bool) -> str:
    """What clients are given in place of a server's address."""
    if gateway.listen:
        return gateway.listen + upstream.path
    return f"GATEWAY/{upstream.name}" if several else "GATEWAY"


def _steps(steps: Iterable[Step], keys: Mapping[str, str]) -> list[Line]:
    return [
        line(span("· ", Tone.DIM), f"{step.what}   ", span(step.how or _press(step.command, keys), Tone.ACCENT), hang=2)
        for step in steps
    ]


def _press(command: str, keys: Mapping[str, str]) -> str:
    """What runs a command: its key, or what is typed where it has none."""
    if not command:
        return ""
    key = with_keys(BY_ID[command], keys).keys.partition(",")[0]
    return f"press {key_name(key)}" if key else f"type :{command}"
