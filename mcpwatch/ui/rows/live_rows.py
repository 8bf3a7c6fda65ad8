"""The Live grid's columns and cells: what we proved stands left of what others wrote."""

from collections.abc import Callable, Hashable, Iterator, Sequence
from difflib import get_close_matches
from enum import Enum
from typing import Protocol

from mcpwatch.config_faults import Fault
from mcpwatch.model.entries import GatewayStarted, GatewayStopped
from mcpwatch.model.traffic import CallState
from mcpwatch.text import count, show
from mcpwatch.ui.looks import CALLS, EVIDENCE, VERDICTS, severity_cell, severity_mark, verdict_cell
from mcpwatch.ui.rows.table import grid_columns
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, text_cell
from mcpwatch.ui.widgets.lines import Tone, span
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import elapsed, seconds
from mcpwatch.watch.view import View

_CLOCK, _SHORT_CLOCK = 12, 8
_LEAST = {"time": _SHORT_CLOCK, "who": 16, "method": 13, "outcome": 10, "tool": 12, "index": 6}
_WIDE = {"verdict": 13, "severity": 10, "tool": 16, "outcome": 15}
_PRIORITY = {"session": 2, "method": 2, "tool": 2, "severity": 4}
_NARROW = 100
_EMPTY = span("")


class TimeStyle(Enum):
    """How times are told."""

    CLOCK = "clock"
    AGE = "age"
    STEP = "step from the row above"

    @property
    def following(self) -> "TimeStyle":
        """The style after this one."""
        styles = list(TimeStyle)
        return styles[(styles.index(self) + 1) % len(styles)]


def live_columns() -> tuple[Column, ...]:
    """The severity's glyph comes first at any width; where there is little room, tool and method share a column."""
    columns = [
        column._replace(
            priority=_PRIORITY.get(column.id, column.priority),
            whole=column.id == "time",
            screen=_NARROW if column.id == "session" else 0,
            ends=column.id == "who",
        )
        for column in grid_columns(watch_columns.LIVE, _LEAST, _WIDE)
    ]
    at = [column.id for column in columns].index("method")
    mark = Column("mark", show(""), 1, 1)
    what = Column("what", show("CALL"), 16, 14, grow=True, until=_NARROW)
    return (mark, *columns[:at], what, *columns[at:])


def faults(ids: Sequence[str]) -> Iterator[Fault]:
    """What ids of Live's columns in the configuration name, and Live has not."""
    known = [column.id for column in live_columns()]
    for id in ids:
        if id not in known:
            close = get_close_matches(id, known, n=1)
            meant = f"did you mean {close[0]}?" if close else f"it has {', '.join(known)}"
            yield Fault(("ui", "columns"), f"ui.columns: Live has no such column as {id}; {meant}")


class EntryRows(Protocol):
    """Where the rows come from."""

    def __len__(self) -> int: ...

    def at(self, position: int) -> Row:
        """The row at a position."""
        ...


class ViewRows:
    """The rows of a view."""

    def __init__(self, view: View) -> None:
        self.view = view

    def __len__(self) -> int:
        return len(self.view)

    def at(self, position: int) -> Row:
        """The row on that line of the view."""
        return self.view.rows(position, 1)[0]


class HeldRows:
    """A few rows held in a list."""

    def __init__(self, rows: list[Row]) -> None:
        self.rows = rows

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, position: int) -> Row:
        """The row at that place of the list."""
        return self.rows[position]


class LiveRows:
    """Log entries as a grid takes them."""

    def __init__(self, rows: EntryRows, state: State) -> None:
        self.times = TimeStyle.CLOCK
        self._rows = rows
        self._state = state
        self._text = {column.id: column.text for column in watch_columns.LIVE}

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, position: int) -> Hashable:
        """The row's place in the order of arrival."""
        return self._rows.at(position).seq

    def is_marked(self, position: int) -> bool:
        """Whether the row is marked."""
        return len(self._state.marks) > 0 and self._rows.at(position) in self._state.marks

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The row's cells."""
        row = self._rows.at(position)
        shown = zip(fitted.columns, fitted.widths, strict=True)
        return [self._cell(row, column.id, wide, position) for column, wide in shown]

    def _cell(self, row: Row, column: str, wide: int, position: int) -> Cell:
        if column == "time":
            return span(self._time(row, wide, position), Tone.DIM)
        paint = _PAINTS.get(column)
        if paint is not None:
            return paint(row, self._state)
        return text_cell(self._text[column](row, self._state), _tone(row, column))

    def _time(self, row: Row, wide: int, position: int) -> str:
        match self.times:
            case TimeStyle.CLOCK:
                return clock(row.time, millis=wide >= _CLOCK)
            case TimeStyle.AGE:
                return elapsed(row.time, self._state.gateway_now(row.source))
            case TimeStyle.STEP:
                above = self._rows.at(position - 1) if position else row
                return f"+{seconds(max(row.time - above.time, 0.0))}"


def _tone(row: Row, column: str) -> Tone:
    if row.kind != "request":
        return Tone.DIM
    return Tone.STRONG if column == "tool" else Tone.PLAIN


def _mark(row: Row, state: State) -> Cell:
    if row.severity is None:
        return _EMPTY
    return severity_mark(row.severity)


def _verdict(row: Row, state: State) -> Cell:
    proof = row.seen.proof
    if proof is not None:
        look = VERDICTS[proof.word]
        return span(f"{look.glyph} server{'…' if proof.waiting else ''}", look.tone)
    return verdict_cell(row.verdict.word, row.verdict.waiting) if row.verdict else _EMPTY


def _what(row: Row, state: State) -> Cell:
    tool = row.tool or (row.seen.note if row.kind in ("malformed", "alert") else "")
    tone = Tone.DIM if row.kind != "request" else Tone.STRONG if tool else Tone.PLAIN
    did = _gateway(row.entry.record.data)[0] if row.entry.record is not None else ""
    return text_cell(tool or f"{row.method} {did}".strip(), tone)


def _severity(row: Row, state: State) -> Cell:
    return severity_cell(row.severity) if row.severity else _EMPTY


def _who(row: Row, state: State) -> Cell:
    who = row.who
    return text_cell(who.text, EVIDENCE[who.evidence].tone if row.kind == "request" else Tone.DIM)


def _gateway(data: object) -> tuple[str, str]:
    """What the gateway did, and what there is to say of it."""
    if isinstance(data, GatewayStarted):
        return "started", f"{count(len(data.upstreams), 'server')}, {data.capture}"
    return ("stopped", data.reason) if isinstance(data, GatewayStopped) else ("", "")


def _outcome(row: Row, state: State) -> Cell:
    if row.kind == "gateway" and row.entry.record is not None:
        return text_cell(_gateway(row.entry.record.data)[1], Tone.DIM)
    text = row.outcome(state.gateway_now(row.source))
    call = row.state if row.kind in ("request", "message") else None
    if call is not None and call is not CallState.DONE:
        return span(text, CALLS[call].tone)
    if row.kind == "end":
        return span(text, Tone.DIM if text == "complete" else Tone.WARN)
    return span(text, Tone.BAD if row.status is not None and row.status >= 400 else Tone.DIM)


_PAINTS: dict[str, Callable[[Row, State], Cell]] = {
    "mark": _mark,
    "verdict": _verdict,
    "what": _what,
    "severity": _severity,
    "who": _who,
    "outcome": _outcome,
}
