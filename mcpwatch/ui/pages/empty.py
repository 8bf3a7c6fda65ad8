"""What an empty screen says: why there is nothing, and what to do about it."""

from mcpwatch.model.entries import GatewayStarted, UpstreamInfo
from mcpwatch.model.feed import FeedState
from mcpwatch.ui.bars import worst_feed
from mcpwatch.ui.lines import BLANK, Line, Tone, line, span
from mcpwatch.ui.looks import FEEDS
from mcpwatch.ui.times import until
from mcpwatch.watch.state import State

_DO = {
    FeedState.REFUSED: (
        ("is it the right token? the gateway wrote it to its state folder", ""),
        ("name another feed", "mcpwatch watch http://HOST:PORT"),
    ),
    FeedState.DISCONNECTED: (
        ("is the gateway running? start one", "mcpwatch gateway --upstream URL"),
        ("see something without one", "mcpwatch demo"),
    ),
    FeedState.BROKEN: (("do not act on this feed; look at the Feed screen", "press 6"),),
    FeedState.ROLLBACK: (("do not act on this feed; look at the Feed screen", "press 6"),),
    FeedState.ENDED: (("name another source", "mcpwatch watch SOURCE"),),
}
_TRAFFIC = (
    ("see it work, with agents and servers of its own", "mcpwatch demo"),
    ("put the gateway in front of your server", "mcpwatch gateway --upstream http://HOST:PORT/mcp"),
    ("then point your MCP client at the gateway's address", "e.g. http://127.0.0.1:4180/mcp"),
)


def empty_page(state: State, filtered: str) -> list[Line]:
    """For the Live screen: a filter that lets nothing through, a feed in trouble, or no traffic yet."""
    if filtered and len(state.rows):
        return [
            line(span("Nothing matches", Tone.STRONG)),
            BLANK,
            line(span(filtered, Tone.DIM)),
            BLANK,
            *_steps((("change the filter", "press /"), ("take it off", "press esc"))),
        ]
    status = worst_feed(state.feeds.values())
    if status is None:
        return [line(span("No feed yet", Tone.STRONG)), BLANK, *_steps(_TRAFFIC)]
    look = FEEDS[status.state]
    head = line(
        span(f"{look.glyph} {status.state.value}", look.tone), span(f"  {status.address or status.name}", Tone.DIM)
    )
    lines = [head, BLANK, line(look.means)]
    if status.detail:
        lines.append(line(span(status.detail, Tone.WARN)))
    if status.retry_at is not None:
        lines.append(line(span(f"Next try {until(state.now, status.retry_at)}.", Tone.DIM)))
    if status.state in _DO:
        return [*lines, BLANK, *_steps(_DO[status.state])]
    return [*lines, BLANK, line(span("No traffic yet", Tone.STRONG)), *(_clients(state) or _steps(_TRAFFIC))]


def only_gateways(state: State) -> bool:
    """Whether gateways have told of themselves and nothing else has happened."""
    return 0 < state.counts.entries == state.counts.kinds["gateway"]


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


def _steps(steps: tuple[tuple[str, str], ...]) -> list[Line]:
    return [line(span("· ", Tone.DIM), f"{what}   ", span(how, Tone.ACCENT), hang=2) for what, how in steps]
