"""What stands at the edges of every screen: where one is, how the feed stands, what is wrong, which keys work."""

from collections import Counter
from collections.abc import Iterable, Sequence

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.feed import STALE_AFTER, FeedState, FeedStatus
from mcpwatch.model.identity import Word
from mcpwatch.ui.commands import COMMANDS, Command, key_name
from mcpwatch.ui.looks import FEEDS, SEVERITIES, SHORT_STATES, VERDICTS
from mcpwatch.ui.times import fresh, until
from mcpwatch.ui.widgets.lines import Line, Span, Tone, join, line, span
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.ui.widgets.ribbon import spread
from mcpwatch.watch.state import State

_ALWAYS = ("help", "close")
"""Commands that the footer names at any width."""
FOOT = 19
"""Cells of the footer that they take, with what parts them from the rest."""
_MORE = line(span("…", Tone.DIM))
_NAMED = 100
"""From this width on the program's name stands at the right edge."""
_TO_FEED, _TO_ALERTS = "app.go('feed')", "app.go('alerts')"

_NONE: Counter[AlertState] = Counter()

MAIN_SCREENS = tuple(command for command in COMMANDS if command.runs.startswith("go:"))
"""The commands that go to a main screen, in the order of their keys."""

_WORST_FEED = (
    FeedState.BROKEN,
    FeedState.ROLLBACK,
    FeedState.REFUSED,
    FeedState.DISCONNECTED,
    FeedState.GAP,
    FeedState.STALE,
    FeedState.CONNECTING,
    FeedState.UNPROVEN,
    FeedState.LIVE,
    FeedState.ENDED,
)
_WELL = frozenset({FeedState.LIVE, FeedState.ENDED})
"""States of feeds that are counted, not named, where there are several."""
_NAMES = 2
"""Names of feeds in one state."""
_WORST_WORD = (
    Word.WRONG_KEY,
    Word.BAD_SIG,
    Word.REPLAY,
    Word.OLD_KEY,
    Word.STALE,
    Word.UNKNOWN_KEY,
    Word.NO_CHECK,
    Word.PARTIAL,
    Word.VERIFIED,
    Word.UNSIGNED,
)


def tabs(mode: str, state: State, alerts: Counter[Severity], cells: int) -> Line:
    """The main screens by number; a click goes there."""
    counts = {"sessions": len(state.sessions), "alerts": alerts.total()}
    shown = [_tab(each, mode, counts.get(each.id, 0)) for each in MAIN_SCREENS]
    return spread(shown, line(span("mcpwatch", Tone.DIM)) if cells >= _NAMED else Line(), cells, " ")


def feed_line(
    state: State,
    cells: int,
    note: Line = Line(),  # noqa: B008  a Line is immutable
    *,
    is_played: bool = False,
) -> Line:
    """How the feed stands, with the age of all that could fall silent; `note` keeps the right edge.

    What is played tells in a line of its own how far it is. A click on a feed goes to Feed.
    """
    status = worst_feed(state.feeds.values())
    if status is None:
        return spread([line(span("◌ NO FEED", Tone.WARN, _TO_FEED))], note, cells)
    if len(state.feeds) > 1:
        return spread(_several(state), note, cells)
    look = FEEDS[status.state]
    now = state.now
    late = status.last_checkpoint_at is not None and now - status.last_checkpoint_at > STALE_AFTER
    parts = [
        line(span(f"{look.glyph} {status.state.value}", look.tone, _TO_FEED), span(f" {status.name}", action=_TO_FEED)),
        *([_labelled("next try", until(now, status.retry_at))] if status.retry_at is not None else []),
        _labelled("last", fresh(now, status.last_entry_at)),
        _labelled("checkpoint", fresh(now, status.last_checkpoint_at), Tone.WARN if late else Tone.PLAIN),
        line(f"{state.entry_rate.per_second(now):,.1f}/s"),
        *(
            [line(span("nothing proven", Tone.WARN))]
            if status.state is FeedState.UNPROVEN
            else [
                line(f"{status.verified_size:,}", span(" proven", Tone.DIM)),
                _to_come(status, is_read=not is_played),
            ]
        ),
    ]
    if state.evicted:
        parts.append(line(f"{state.evicted:,}", span(" left the view", Tone.DIM)))
    return spread(parts, note, cells)


def _to_come(status: FeedStatus, *, is_read: bool) -> Line:
    """What is not proven yet; while the log's past is read, and not played, how far that is."""
    if is_read and status.announced is not None and status.next_index < status.announced:
        return line(f"{status.next_index:,}", span(f" of {status.announced:,} read", Tone.DIM))
    return line(f"{max(status.next_index - status.verified_size, 0):,}", span(" pending", Tone.DIM))


def _several(state: State) -> list[Line]:
    """How many feeds stand how, the worst first and by name while it is not well, then what they hold together."""
    now, feeds = state.now, list(state.feeds.values())
    parts = []
    for standing in _WORST_FEED:
        names = [status.name for status in feeds if status.state is standing]
        if not names:
            continue
        counted = standing in _WELL and len(names) > 1
        told = [str(len(names))] if counted else names[:_NAMES]
        more = f" +{len(names) - _NAMES}" if len(names) > _NAMES and not counted else ""
        look = FEEDS[standing]
        named = span(f" {', '.join(told)}{more}", action=_TO_FEED)
        parts.append(line(span(f"{look.glyph} {standing.value}", look.tone, _TO_FEED), named))
    proven = sum(status.verified_size for status in feeds)
    pending = sum(max(status.next_index - status.verified_size, 0) for status in feeds)
    newest = max((status.last_entry_at for status in feeds if status.last_entry_at is not None), default=None)
    parts += [
        _labelled("last", fresh(now, newest)),
        line(f"{state.entry_rate.per_second(now):,.1f}/s"),
        line(f"{proven:,}", span(" proven", Tone.DIM)),
        line(f"{pending:,}", span(" pending", Tone.DIM)),
    ]
    if state.evicted:
        parts.append(line(f"{state.evicted:,}", span(" left the view", Tone.DIM)))
    return parts


def wrong_line(state: State, alerts: Counter[Severity], cells: int, resting: Counter[AlertState] = _NONE) -> Line:
    """Open alerts by severity, then those that rest, then verdicts, worst first.

    Where words do not fit, glyphs or shorter words stand for them; verdicts are left out first. A click on the
    alerts goes to them.
    """
    head, short = [span("alerts", Tone.DIM, _TO_ALERTS)], [span("alerts", Tone.DIM, _TO_ALERTS)]
    for severity in sorted((each for each in Severity if alerts[each]), reverse=True):
        tone = Tone.ALARM if severity is Severity.CRITICAL else SEVERITIES[severity].tone
        head += [span(" "), span(f"{alerts[severity]} {severity.name.lower()}", tone, _TO_ALERTS)]
        short += [span(" "), span(f"{SEVERITIES[severity].glyph}{alerts[severity]}", tone, _TO_ALERTS)]
    if len(head) == 1:
        head.append(span(" none open", Tone.DIM, _TO_ALERTS))
    rest = [span(f"  {resting[each]:,} {each.value}", Tone.DIM) for each in AlertState if resting[each]]
    brief = [span(f"  {resting[each]:,} {SHORT_STATES[each]}", Tone.DIM) for each in AlertState if resting[each]]
    words = [word for word in _WORST_WORD if state.counts.words[word] > 0]
    room = cells - 2
    for heads, worded in (
        ([*head, *rest], words),
        ([*head, *rest], [word for word in words if VERDICTS[word].tone is Tone.WORST]),
        ([*head, *rest], []),
        ([*head, *brief], []),
        ([*short, *brief], []),
    ):
        told = [_count(word, state.counts.words[word], word in worded) for word in words]
        if cells_of(join([Line(tuple(heads)), *told])) <= room:
            break
    else:
        while told and cells_of(join([Line(tuple(heads)), *told, _MORE])) > room:
            told.pop()
        told.append(_MORE)
    return spread([Line(tuple(heads)), *told], Line(), cells)


def _count(word: Word, count: int, worded: bool) -> Line:
    look = VERDICTS[word]
    if worded:
        return line(span(f"{look.glyph} ", look.tone), f"{count:,} ", span(word.value, look.tone))
    return line(span(look.glyph, look.tone), f" {count:,}")


def hints(commands: Iterable[Command], cells: int, said: Line = Line()) -> Line:  # noqa: B008  a Line is immutable
    """The keys that matter here, in the order of their rank, or what was said; the way to help and out stays."""
    ranked = sorted((command for command in commands if command.hint and command.keys), key=lambda each: each.hint)
    always = join(_hint(command) for command in ranked if command.id in _ALWAYS)
    rest = [_hint(command) for command in ranked if command.id not in _ALWAYS]
    return spread([said] if said.spans else rest, always, cells)


def worst_feed(feeds: Iterable[FeedStatus]) -> FeedStatus | None:
    """The feed in the worst state."""
    return min(feeds, key=badness, default=None)


def badness(status: FeedStatus) -> int:
    """Where a feed's state stands among all, the worst first."""
    return _WORST_FEED.index(status.state)


def crumbs(parts: Sequence[str], note: Line, cells: int) -> Line:
    """The way down to this screen, where a click goes a step back; `note` keeps the right edge."""
    last = len(parts) - 1
    spans: list[Span] = []
    for at, part in enumerate(parts):
        if at:
            spans.append(span(" › ", Tone.DIM))
        spans.append(span(part, Tone.STRONG) if at == last else span(part, Tone.DIM, "app.back"))
    return spread([Line(tuple(spans))], note, cells)


def _tab(command: Command, current: str, count: int) -> Line:
    title, here = command.id.capitalize(), command.id == current
    tone = Tone.CHIP if here else Tone.PLAIN
    number = span(f" {command.keys} ", Tone.CHIP if here else Tone.DIM, f"app.go('{command.id}')")
    name = f"{title} {count} " if count else f"{title} "
    return line(number, span(name, tone, f"app.go('{command.id}')"))


def _hint(command: Command) -> Line:
    key = key_name(command.keys.partition(",")[0])
    run = f"app.run_command('{command.id}')"
    return line(span(key, Tone.ACCENT, run), span(f" {command.label or command.id.replace('-', ' ')}", Tone.DIM, run))


def _labelled(label: str, value: str, tone: Tone = Tone.PLAIN) -> Line:
    return line(span(f"{label} ", Tone.DIM), span(value, tone))
