"""A session's calls as rows: by time with bars, and by what led to what."""

from collections.abc import Callable, Hashable, Sequence

from mcpwatch.model.traffic import Call, CallState
from mcpwatch.text import Shown, show
from mcpwatch.ui.cells import Bar, Cell, Column, Fitted
from mcpwatch.ui.chain import Link
from mcpwatch.ui.lines import Span, Tone, span
from mcpwatch.ui.looks import CALLS, EDGES, VERDICTS, state_cell, verdict_cell
from mcpwatch.ui.times import clock, seconds
from mcpwatch.watch.state import State

_MAX_CELLS = 200
_BAR_CELLS = 12
_NARROW = 100

CALL_COLUMNS = (
    Column("time", Shown("TIME"), 12, 8, whole=True),
    Column("verdict", Shown("VERDICT"), 13, 13),
    Column("what", Shown("CALL"), 22, 14, until=_NARROW),
    Column("method", Shown("METHOD"), 20, 12, priority=2),
    Column("target", Shown("TOOL"), 22, 10, priority=2),
    Column("state", Shown("STATE"), 16, 12),
    Column("took", Shown("TOOK"), 6, 6, right=True),
    Column("bar", Shown("WHEN"), _BAR_CELLS, 8, grow=True),
)
CHAIN_COLUMNS = (
    Column("verdict", Shown("VERDICT"), 13, 13),
    Column("tree", Shown("CALL"), 30, 20, grow=True),
    Column("how", Shown("HOW WE KNOW"), 14, 11),
    Column("why", Shown("WHY"), 34, 16, priority=2),
    Column("state", Shown("STATE"), 16, 12),
    Column("took", Shown("TOOK"), 6, 6, right=True),
)


class CallRows:
    """Calls in the order they began; the axis of the bars runs from the first to now or the last end."""

    def __init__(self, state: State) -> None:
        self.calls: list[Call] = []
        self._state = state
        self._start = 0.0
        self._length = 1.0

    def __len__(self) -> int:
        return len(self.calls)

    def arrange(self, calls: Sequence[Call]) -> None:
        """Show these calls."""
        self.calls = list(calls)
        if not self.calls:
            return
        now = self._state.gateway_now(self.calls[0].source)
        self._start = min(call.started for call in self.calls)
        ends = [now if call.ended is None else call.ended for call in self.calls]
        self._length = max(max(ends) - self._start, 1e-6)

    def key(self, position: int) -> Hashable:
        """The call's id."""
        return self.calls[position].id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The call's cells."""
        call = self.calls[position]
        shown = zip(fitted.columns, fitted.widths, strict=True)
        return [self._cell(call, column.id, wide) for column, wide in shown]

    def _cell(self, call: Call, column: str, wide: int) -> Cell:
        now = self._state.gateway_now(call.source)
        if column == "time":
            return span(clock(call.started, millis=wide >= 12), Tone.DIM)
        if column == "bar":
            end = now if call.ended is None else call.ended
            tone = VERDICTS[call.verdict.word].tone if call.ended is not None else Tone.ACCENT
            return Bar(self._at(call.started), self._at(end), tone, call.ended is None)
        return call_cell(call, column, now)

    def _at(self, time: float) -> float:
        return (time - self._start) / self._length


class ChainRows:
    """Links of a chain, drawn as a tree."""

    def __init__(self, state: State) -> None:
        self.links: list[Link] = []
        self._state = state

    def __len__(self) -> int:
        return len(self.links)

    def key(self, position: int) -> Hashable:
        """The call's id."""
        return self.links[position].call.id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The link's cells."""
        link = self.links[position]
        return [self._cell(link, column.id) for column in fitted.columns]

    def _cell(self, link: Link, column: str) -> Cell:
        call = link.call
        if column == "tree":
            where = f" (session {call.session[:8]})" if link.guest else ""
            name = show(f"{call.target or call.method}{where}", _MAX_CELLS)
            return Span(Shown(link.lead + name), Tone.DIM if link.guest else Tone.PLAIN)
        if column == "how":
            if link.edge is None:
                return span("begins here", Tone.DIM)
            look = EDGES[link.edge.kind]
            return span(f"{look.glyph} {link.edge.kind.value}", look.tone)
        if column == "why":
            return Span(show(link.edge.why if link.edge else "", _MAX_CELLS), Tone.DIM)
        return call_cell(call, column, self._state.gateway_now(call.source))


def call_cell(call: Call, column: str, now: float) -> Cell:
    """A cell that both have."""
    return _CELLS[column](call, now)


def _state_cell(call: Call, now: float) -> Cell:
    if call.state is CallState.RUNNING and call.progress is not None and call.progress_total:
        share = min(max(call.progress / call.progress_total, 0.0), 1.0)
        done = round(share * 6)
        return span(f"{'━' * done}{'─' * (6 - done)} {share:.0%}", CALLS[call.state].tone)
    return state_cell(call.state)


def _took(call: Call, now: float) -> Cell:
    if call.ended is None:
        return span(seconds(max(now - call.started, 0.0)), Tone.ACCENT)
    return span(seconds(max(call.ended - call.started, 0.0)))


_CELLS: dict[str, Callable[[Call, float], Cell]] = {
    "verdict": lambda call, now: verdict_cell(call.verdict.word, call.verdict.waiting),
    "method": lambda call, now: Span(show(call.method, _MAX_CELLS), Tone.DIM),
    "target": lambda call, now: Span(show(call.target, _MAX_CELLS), Tone.STRONG),
    "what": lambda call, now: Span(
        show(call.target or call.method, _MAX_CELLS), Tone.STRONG if call.target else Tone.PLAIN
    ),
    "state": _state_cell,
    "took": _took,
}
