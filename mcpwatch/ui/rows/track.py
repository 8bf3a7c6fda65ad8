"""A call on its time axis: from when to when, what came of it on the way, and how it ended."""

from mcpwatch.model.traffic import Call, CallState
from mcpwatch.ui.looks import CALLS, DOUBTFUL, SILENT, Look
from mcpwatch.ui.times import clock
from mcpwatch.ui.widgets.lines import Line, Span, Tone, from_cells, span
from mcpwatch.watch.outcome import of_call
from mcpwatch.watch.state import State
from mcpwatch.watch.time_axis import Axis, Bar, Stretch
from mcpwatch.watch.times import seconds

SILENT_S = 60.0
"""Seconds without a word after which a running call is said to be silent."""
_MAX_MARKS = 32
_BODY, _MARK, _CUT, _CROSSED = "━", "┿", "╱", "╌"


def stretch_of(call: Call, state: State) -> Stretch:
    """When a call ran, until now where it still does, and when the server said something on the way."""
    end = state.gateway_now(call.source) if call.ended is None else call.ended
    if not call.messages:
        return Stretch(call.started, end)
    rows = (state.row(index, call.source) for index in call.entries[1:][-_MAX_MARKS:])
    return Stretch(call.started, end, tuple(row.time for row in rows if row is not None and row.kind == "message"))


def track_of(call: Call, axis: Axis, state: State, tone: Tone, *, timed: bool) -> Line:
    """A call's bar with what became of it; with `timed` also how long a good one took."""
    now = state.gateway_now(call.source)
    silent = _silent(call, state, now)
    if silent:
        end, label = SILENT, f"silent {seconds(silent)}"
    elif call.is_doubtful:
        end, label = DOUBTFUL, of_call(call, now)
    elif call.state is CallState.DONE:
        end, label = CALLS[call.state], took(call, now) if timed else ""
    else:
        end, label = CALLS[call.state], of_call(call, now)
    return draw_track(axis, axis.bar(stretch_of(call, state)), tone, end, label)


def took(call: Call, now: float) -> str:
    """How long it took, or has taken by now."""
    return seconds(max((now if call.ended is None else call.ended) - call.started, 0.0))


def took_cell(call: Call, now: float) -> Span:
    """How long it took, or has taken by now."""
    return span(took(call, now), Tone.ACCENT if call.ended is None else Tone.PLAIN)


def draw_track(axis: Axis, bar: Bar, tone: Tone, end: Look, label: str = "") -> Line:
    """The bar with its end, and words beside it where there is room; dashes where time that it took is cut out."""
    cells = [(" ", Tone.DIM)] * axis.cells
    for cut in axis.cuts:
        for at in (cut.at, cut.at + cut.cells - 1):
            cells[at] = (_CUT, Tone.DIM)
    for at in range(bar.start, bar.stop):
        cells[at] = (_MARK if at in bar.marks else _BODY, tone)
    for cut in axis.cuts:
        if bar.start < cut.at and cut.at + cut.cells < bar.stop:
            cells[cut.at : cut.at + cut.cells] = [(_CROSSED, tone)] * cut.cells
    cells[bar.stop - 1] = (end.glyph, end.tone)
    at, words = _beside(label, bar, axis)
    cells[at : at + len(words)] = [(char, Tone.DIM if end.tone is Tone.PLAIN else end.tone) for char in words]
    return from_cells(cells)


def draw_axis(axis: Axis) -> Line:
    """The clock at its beginning, then seconds, and what is cut out."""
    cells = [(" ", Tone.DIM)] * axis.cells
    for cut in axis.cuts:
        said = f"{_CUT}{cut.label}{_CUT}"
        cells[cut.at : cut.at + cut.cells] = [(char, Tone.PLAIN) for char in said]
    for tick in axis.ticks(clock(axis.parts[0].start, millis=False)):
        cells[tick.at : tick.at + len(tick.label)] = [(char, Tone.DIM) for char in tick.label]
    return from_cells(cells)


def _silent(call: Call, state: State, now: float) -> float:
    """Seconds since the last word of a running call, where those are many; else 0."""
    if call.ended is not None or call.is_doubtful:
        return 0.0
    last = state.row(call.last_index, call.source)
    quiet = now - (call.started if last is None else last.time)
    return quiet if quiet >= SILENT_S else 0.0


def _beside(label: str, bar: Bar, axis: Axis) -> tuple[int, str]:
    """Where a label stands: after the bar, before it or in it, if it can be over no cut; without room it is empty."""
    wide = len(label)
    places = [(bar.stop, f" {label}"), (bar.start - 1 - wide, f"{label} ")]
    places = [(at, words) for at, words in places if 0 <= at < axis.cells - wide]
    if bar.start + 2 < bar.stop - 1 - wide:
        places.append((bar.stop - 1 - wide, label))
    free = [
        each for each in places if all(each[0] + wide < cut.at or cut.at + cut.cells <= each[0] for cut in axis.cuts)
    ]
    return next(iter(free or places), (0, "")) if label else (0, "")
