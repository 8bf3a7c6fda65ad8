"""The steps of an alert's path as rows: who did what, when, and in which session."""

from collections.abc import Callable, Hashable, Sequence

from mcpwatch.text import Shown
from mcpwatch.ui.looks import EVIDENCE, VERDICTS, verdict_cell
from mcpwatch.ui.rows.track import draw_axis, stretch_of, track_of
from mcpwatch.ui.rows.waterfall_rows import class_cell, name_cell
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, text_cell
from mcpwatch.ui.widgets.lines import Line, Tone, span
from mcpwatch.watch.names import short_session
from mcpwatch.watch.path import Step
from mcpwatch.watch.state import State
from mcpwatch.watch.time_axis import Axis, axis

PATH_COLUMNS = (
    Column("number", Shown(""), 2, 2, right=True),
    Column("time", Shown("TIME"), 8, 8),
    Column("verdict", Shown("VERDICT"), 13, 13),
    Column("does", Shown("STEP"), 14, 14),
    Column("who", Shown("WHO"), 16, 12, ends=True),
    Column("call", Shown("CALL"), 20, 16, grow=True),
    Column("class", Shown("CLASS"), 10, 8, priority=2),
    Column("server", Shown("SERVER"), 8, 8, screen=140),
    Column("session", Shown("SESSION"), 8, 8, priority=2),
    Column("when", Shown("WHEN"), 20, 14, screen=140, grow=True),
)


class PathRows:
    """Steps in the order of their calls, on one axis."""

    def __init__(self, state: State) -> None:
        self.steps: list[Step] = []
        self._state = state

    def __len__(self) -> int:
        return len(self.steps)

    def key(self, position: int) -> Hashable:
        """The call's id."""
        return self.steps[position].call.id

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The step's cells."""
        step = self.steps[position]
        shown = zip(fitted.columns, fitted.widths, strict=True)
        return [self._cell(step, position, column.id, wide) for column, wide in shown]

    def head(self, cells: int) -> Line:
        """The axis in words."""
        return draw_axis(self._axis(cells)) if self.steps else Line()

    def _cell(self, step: Step, position: int, column: str, cells: int) -> Cell:
        if column == "number":
            return span(str(position + 1), Tone.DIM)
        if column == "when":
            tone = VERDICTS[step.call.verdict.word].tone
            return track_of(step.call, self._axis(cells), self._state, tone, timed=True)
        return _CELLS[column](step, self._state)

    def _axis(self, cells: int) -> Axis:
        return axis([stretch_of(step.call, self._state) for step in self.steps], cells)


def _who(step: Step, state: State) -> Cell:
    row = state.row(step.call.index, step.call.source)
    return text_cell(row.who.text, EVIDENCE[row.who.evidence].tone) if row is not None else span("")


def _session(step: Step, state: State) -> Cell:
    session = state.sessions.get((step.call.source, step.call.session))
    return span(short_session(session) if session is not None else "", Tone.DIM)


_CELLS: dict[str, Callable[[Step, State], Cell]] = {
    "time": lambda step, state: span(clock(step.call.started, millis=False), Tone.DIM),
    "verdict": lambda step, state: verdict_cell(step.call.verdict.word, step.call.verdict.waiting),
    "does": lambda step, state: span(step.does or "step", Tone.PLAIN if step.does else Tone.DIM),
    "who": _who,
    "call": lambda step, state: name_cell(step.call),
    "class": lambda step, state: class_cell(step.call),
    "server": lambda step, state: text_cell(step.call.upstream, Tone.DIM),
    "session": _session,
}
