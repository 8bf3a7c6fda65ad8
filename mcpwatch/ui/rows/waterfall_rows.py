"""Calls as the rows of a waterfall: what led to what on the left, when and how long on the right."""

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple

from mcpwatch.model.traffic import Call, Session
from mcpwatch.text import Shown
from mcpwatch.ui.looks import EDGES, SEVERITIES, VERDICTS, severity_mark, verdict_cell
from mcpwatch.ui.rows.track import draw_axis, stretch_of, took_cell, track_of
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, text_cell
from mcpwatch.ui.widgets.lines import SPACE, Line, Span, Tone, span
from mcpwatch.watch.names import short_session
from mcpwatch.watch.path import Paths, severity_of
from mcpwatch.watch.state import State
from mcpwatch.watch.time_axis import Axis, axis
from mcpwatch.watch.waterfall import Fall, waterfall

LANES, NARROW_LANES = 8, 4
_NARROW = 100

WATERFALL_COLUMNS = (
    Column("mark", Shown(""), 1, 1),
    Column("time", Shown("TIME"), 8, 8, priority=2),
    Column("verdict", Shown("VERDICT"), 13, 13),
    Column("call", Shown("CALL"), 24, 18),
    Column("class", Shown("CLASS"), 10, 7),
    Column("took", Shown("TOOK"), 6, 6, priority=2, right=True),
    Column("why", Shown("WHY"), 28, 20, screen=140),
    Column("when", Shown("WHEN"), 20, 14, grow=True),
)


class _Window(NamedTuple):
    """The rows in view, and their axis; another one when any of this is."""

    top: int
    height: int
    cells: int
    arranged: int


class WaterfallRows:
    """A session's calls in the order they began; the axis spans those in view, so that any of them can be read.

    `window` tells the first row in view and how many there are.
    """

    def __init__(self, state: State, window: Callable[[], tuple[int, int]]) -> None:
        self.falls: list[Fall] = []
        self.paths = Paths(state)
        self._state = state
        self._window = window
        self._laid: tuple[object, ...] = ()
        self._arranged = 0
        self._axis: tuple[_Window, Axis] | None = None
        self._is_tied = False

    def __len__(self) -> int:
        return len(self.falls)

    def arrange(self, calls: Iterable[Call], session: str, cells: int) -> None:
        """Show these calls of a session on a screen of `cells` cells."""
        held = list(calls)
        most = NARROW_LANES if cells < _NARROW else LANES
        laid = (session, most, [call.id for call in held], [call.parents for call in held])
        self._arranged += 1
        if laid != self._laid:
            self._laid = laid
            self.falls = waterfall(held, self._state.calls, session, most)
            self._is_tied = any(fall.edge is not None for fall in self.falls)

    def find(self, id: str | None) -> int | None:
        """The position of a call."""
        return next((at for at, fall in enumerate(self.falls) if fall.call.id == id), None)

    def is_marked(self, position: int) -> bool:
        """Whether an alert was raised at the call, or its path leads over it."""
        call = self.falls[position].call
        return severity_of(call, self._state) is not None or bool(self.paths.places(call))

    def key(self, position: int) -> Hashable:
        """The call's id."""
        return self.falls[position].call.id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The call's cells."""
        fall = self.falls[position]
        timed = all(column.id != "took" for column in fitted.columns)
        return [
            track_of(fall.call, self._axis_of(wide), self._state, self._tone(fall.call), timed=timed)
            if column.id == "when"
            else _CELLS[column.id](self, fall)
            for column, wide in zip(fitted.columns, fitted.widths, strict=True)
        ]

    def head(self, cells: int) -> Line:
        """The axis in words."""
        return draw_axis(self._axis_of(cells)) if self.falls else Line()

    def mark(self, fall: Fall) -> Cell:
        """The call's step on the path of an alert; at the last, and where there is no path, how bad it is."""
        severity = severity_of(fall.call, self._state)
        place = next(iter(self.paths.places(fall.call)), None)
        if place is not None and place.number < place.steps and (severity or 0) <= place.alert.severity:
            return span(str(place.number) if place.number < 10 else "+", SEVERITIES[place.alert.severity].tone)
        return severity_mark(severity) if severity is not None else span("")

    def lanes(self, fall: Fall) -> tuple[Span, ...]:
        """What led to the call: lines from calls before it, and how we know."""
        edge = EDGES[fall.edge.kind] if fall.edge is not None else None
        if not fall.lanes and not self._is_tied:
            return ()
        tie = span("─" if fall.is_joined else " ", Tone.DIM) if edge is None else span(edge.glyph, edge.tone)
        return (Span(Shown(fall.lanes), Tone.DIM), tie, SPACE)

    def guest_of(self, fall: Fall) -> Session | None:
        """The session of a call that belongs to another."""
        return self._state.sessions.get((fall.call.source, fall.call.session)) if fall.is_guest else None

    def took(self, call: Call) -> Cell:
        """How long it took, or takes."""
        return took_cell(call, self._state.gateway_now(call.source))

    def _tone(self, call: Call) -> Tone:
        place = next(iter(self.paths.places(call)), None)
        if place is not None:
            return SEVERITIES[place.alert.severity].tone
        return Tone.ACCENT if call.ended is None else VERDICTS[call.verdict.word].tone

    def _axis_of(self, cells: int) -> Axis:
        window = _Window(*self._window(), cells, self._arranged)
        if self._axis is None or self._axis[0] != window:
            calls = [fall.call for fall in self.falls[window.top : window.top + window.height]]
            grows = any(call.ended is None for call in calls)
            self._axis = (window, axis([stretch_of(call, self._state) for call in calls], cells, grows=grows))
        return self._axis[1]


def name_cell(call: Call, session: Session | None = None) -> Line:
    """The tool or method of a call, and its session where that is another than the one shown."""
    name = text_cell(call.target or call.method, Tone.STRONG if call.target else Tone.PLAIN)
    if session is None:
        return Line((name,))
    return Line((name._replace(tone=Tone.DIM), span(f" in {short_session(session)}", Tone.DIM)))


def class_cell(call: Call) -> Cell:
    """What the call reaches."""
    return span(" ".join(call.classes), Tone.DIM)


def _call(rows: WaterfallRows, fall: Fall) -> Cell:
    return Line((*rows.lanes(fall), *name_cell(fall.call, rows.guest_of(fall)).spans))


_CELLS: dict[str, Callable[[WaterfallRows, Fall], Cell]] = {
    "mark": WaterfallRows.mark,
    "time": lambda rows, fall: span(clock(fall.call.started, millis=False), Tone.DIM),
    "verdict": lambda rows, fall: verdict_cell(fall.call.verdict.word, fall.call.verdict.waiting),
    "call": _call,
    "class": lambda rows, fall: class_cell(fall.call),
    "took": lambda rows, fall: rows.took(fall.call),
    "why": lambda rows, fall: text_cell(fall.edge.why if fall.edge else "", Tone.DIM),
}
