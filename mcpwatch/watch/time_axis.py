"""A time axis in cells: to scale, but for long stretches in which nothing changes, which are cut out and told."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import ceil, log
from typing import NamedTuple

LEAST_CUT_S = 10.0
"""A shorter stretch is never cut out: a person waits that long without asking why."""
_LEAST_S = 0.001
"""The shortest axis."""
_BUSY = 8.0
"""A stretch within a call says how long that took: it is cut out only where the rest would have a ninth of the axis."""
_CELLS_A_CUT = 14
_LEAST_PART = 2
_CELLS_A_TICK = 7
_GROWTH = 1.25
_NEARLY = 0.95
_DAY_S = 86_400.0
_STEPS = (
    *(unit * factor for unit in (0.0001, 0.001, 0.01, 0.1, 1.0) for factor in (1, 2, 5)),
    *(10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1_800.0, 3_600.0, 7_200.0, 21_600.0, 43_200.0),
)


class Stretch(NamedTuple):
    """From when to when something ran, and the moments in between when something came of it; seconds, finite."""

    start: float
    end: float
    marks: tuple[float, ...] = ()


class Bar(NamedTuple):
    """The cells of a stretch, `stop` past the last: at least one."""

    start: int
    stop: int
    marks: tuple[int, ...]
    """Cells before the last in which something came of it."""


class Part(NamedTuple):
    """A stretch of time that is drawn to scale."""

    start: float
    seconds: float
    at: int
    cells: int


class Cut(NamedTuple):
    """Cells that stand for time cut out."""

    at: int
    cells: int
    label: str


class Tick(NamedTuple):
    """A label of the axis, which begins at the cell of its time."""

    at: int
    label: str


class Axis(NamedTuple):
    """Parts to scale with a cut between each two; times before and after stand at the ends."""

    parts: tuple[Part, ...]
    cuts: tuple[Cut, ...]
    cells: int

    def cell(self, time: float) -> int:
        """The cell of a time; a later time has no earlier one."""
        at = max(bisect_right([part.start for part in self.parts], time) - 1, 0)
        part = self.parts[at]
        share = (time - part.start) / part.seconds
        if share > 1 and at < len(self.cuts):
            return self.cuts[at].at
        return part.at + min(max(int(share * part.cells), 0), part.cells - 1)

    def bar(self, stretch: Stretch) -> Bar:
        """Where a stretch is drawn; one that ends before it begins takes one cell."""
        start, last = self.cell(stretch.start), self.cell(max(stretch.start, stretch.end))
        marks = {cell for mark in stretch.marks if start <= (cell := self.cell(mark)) < last}
        return Bar(start, last + 1, tuple(sorted(marks)))

    def ticks(self, first: str = "0") -> list[Tick]:
        """Labels that do not touch each other nor a cut: `first` at the beginning, then the seconds of each part."""
        ticks = [Tick(0, first if len(first) < self.parts[0].cells else "0")]
        for number, part in enumerate(self.parts):
            end = part.at + part.cells
            for at, label in _ticks(part):
                taken = ticks[-1].at + len(ticks[-1].label)
                if (number or at) and at > taken and at + len(label) <= end:
                    ticks.append(Tick(at, label))
        return ticks


def axis(stretches: Iterable[Stretch], cells: int, *, grows: bool = False) -> Axis:
    """The axis on which these stretches stand; with `grows` there is room at the end, so that it need not move."""
    told = [*stretches]
    events = sorted({time for each in told for time in (each.start, max(each.start, each.end))}) or [0.0]
    inner = {time for each in told for time in each.marks if events[0] < time < events[-1]}
    moments = sorted(inner.union(events))
    parts: list[tuple[float, float]] = []
    start = moments[0]
    gaps = _cuts(moments, told, cells // _CELLS_A_CUT)
    for gap in sorted(gaps):
        parts.append((start, gap[0] - start))
        start = gap[1]
    parts.append((start, moments[-1] - start))
    if grows:
        parts[-1] = (start, _rounded(parts[-1][1]))
    return _laid_out(parts, [short(end - begin) for begin, end in sorted(gaps)], cells)


def short(seconds: float) -> str:
    """A span of time in one unit, `3h`."""
    for unit, name in ((_DAY_S, "d"), (3_600.0, "h"), (60.0, "m")):
        if seconds >= unit * _NEARLY:
            return f"{seconds / unit:.0f}{name}" if seconds < 9_999 * _DAY_S else ">9999d"
    return f"{seconds:.0f}s"


def _cuts(moments: Sequence[float], told: Sequence[Stretch], most: int) -> list[tuple[float, float]]:
    """The stretches to cut out: each longer than all that is kept, with more weight on time in which nothing ran."""
    gaps = [(start, end) for start, end in pairwise(moments) if end - start >= LEAST_CUT_S]
    weights = {gap: (gap[1] - gap[0]) / (_BUSY if _runs(gap, told) else 1.0) for gap in gaps}
    gaps.sort(key=lambda gap: -weights[gap])
    kept, number = moments[-1] - moments[0], 0
    for count, gap in enumerate(gaps[:most], 1):
        kept -= gap[1] - gap[0]
        if kept >= _LEAST_S and weights[gap] > kept:
            number = count
    return gaps[:number]


def _runs(gap: tuple[float, float], told: Sequence[Stretch]) -> bool:
    return any(each.start <= gap[0] and each.end >= gap[1] for each in told)


def _rounded(seconds: float) -> float:
    """The next of a row of lengths each a quarter longer than the one before."""
    return _GROWTH ** ceil(log(max(seconds, _LEAST_S), _GROWTH))


def _laid_out(parts: Sequence[tuple[float, float]], labels: Sequence[str], cells: int) -> Axis:
    """Share the cells between parts by their length; each has at least two, so that its first call is seen."""
    lengths = [max(seconds, _LEAST_S) for _, seconds in parts]
    least = _LEAST_PART if len(parts) > 1 else 0
    spare = max(cells - sum(len(label) + 2 for label in labels) - least * len(parts), 0)
    laid: list[Part] = []
    cuts: list[Cut] = []
    at, done, given = 0, 0.0, 0
    for number, ((start, _), length) in enumerate(zip(parts, lengths, strict=True)):
        done += length
        upto = spare if number == len(parts) - 1 else int(spare * done / sum(lengths))
        wide = least + upto - given
        laid.append(Part(start, length, at, max(wide, 1)))
        at, given = at + wide, upto
        if number < len(labels):
            cuts.append(Cut(at, len(labels[number]) + 2, labels[number]))
            at += cuts[-1].cells
    return Axis(tuple(laid), tuple(cuts), cells)


def _ticks(part: Part) -> Iterator[tuple[int, str]]:
    """The places of round numbers of seconds since the part began."""
    step = next((each for each in _steps() if each / part.seconds * part.cells >= _CELLS_A_TICK), None)
    if step is None:
        return
    for number in range(int(part.seconds / step) + 1):
        # Where the time itself is meant to stand: a share that lies a rounding below a cell belongs to it.
        at = int(number * step / part.seconds * part.cells + 1e-9)
        yield part.at + at, _label(number * step)


def _steps() -> Iterator[float]:
    yield from _STEPS
    for power in range(13):
        yield from (_DAY_S * factor * 10**power for factor in (1, 2, 5))


def _label(seconds: float) -> str:
    """A round number of seconds."""
    if seconds < 1:
        return f"{seconds * 1_000:.4g}ms" if seconds else "0"
    if seconds < 60:
        return f"{seconds:.4g}s"
    if seconds < 3_600:
        return f"{int(seconds) // 60}m{f'{int(seconds) % 60:02d}s' if int(seconds) % 60 else ''}"
    if seconds < _DAY_S:
        return f"{int(seconds) // 3_600}h{f'{int(seconds) % 3_600 // 60:02d}m' if int(seconds) % 3_600 else ''}"
    return f"{int(seconds // _DAY_S)}d{f'{int(seconds % _DAY_S) // 3_600:02d}h' if int(seconds % _DAY_S) else ''}"
