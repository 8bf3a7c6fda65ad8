"""What a grid is made of: columns, the cells in them, and how columns share a width."""

from collections.abc import Collection, Hashable, Sequence
from typing import NamedTuple, Protocol

from mcpwatch.text import Shown, show
from mcpwatch.ui.widgets.lines import Line, Span, Tone

ROOMY = 120
"""From this width on, columns stand two cells apart instead of one."""
_FROM = {1: 0, 2: 100, 3: 140}
"""From how many cells on a priority is shown; what is not listed is shown only when asked for."""


class Column(NamedTuple):
    """A column of a grid."""

    id: str
    title: Shown
    cells: int
    """The width it likes to have."""
    least: int
    """The width it needs."""
    priority: int = 1
    grow: bool = False
    """Takes the room that is left."""
    right: bool = False
    """Numbers stand to the right."""
    whole: bool = False
    """Has either the width it likes or the one it needs, none between."""
    until: int = 0
    """Shown only below this many cells, in place of wider ones; 0 for no such limit."""
    screen: int = 0
    """Shown from a screen of this width on, however little of it the grid has; 0 where the grid's width decides."""
    ends: bool = False
    """What is too long loses its middle: both ends tell."""


Cell = Span | Line
MAX_CELLS = 300
"""Of a text that a cell may hold: more than any column has, on any screen."""


def text_cell(text: str, tone: Tone = Tone.PLAIN) -> Span:
    """Text from anywhere, made safe, as far as a cell can show it."""
    return Span(show(text, MAX_CELLS), tone)


class Fitted(NamedTuple):
    """Columns with the widths they were given; `gap` cells lie between them."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    gap: int


class Rows(Protocol):
    """What a grid shows: positions from 0, each with a key that stays with it."""

    def __len__(self) -> int: ...

    def key(self, position: int) -> Hashable:
        """Names the row wherever it moves."""
        ...

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The row's cells for these columns."""
        ...


class NoRows:
    """A grid's rows before it has any."""

    def __len__(self) -> int:
        return 0

    def key(self, position: int) -> Hashable:
        """Never asked for."""
        raise IndexError(position)

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """Never asked for."""
        raise IndexError(position)


def fit(columns: Sequence[Column], cells: int, chosen: Collection[str] | None = None, screen: int = 0) -> Fitted:
    """Choose columns by width, or those named, and share `cells` cells between them.

    Where not even the least widths fit, the last of the highest priority leave.
    """
    gap = 2 if cells >= ROOMY else 1
    wanted = [column for column in columns if _is_wanted(column, cells, chosen, screen)]
    while len(wanted) > 1 and _least(wanted, gap) > cells:
        worst = max(column.priority for column in wanted)
        last = max(at for at, column in enumerate(wanted) if column.priority == worst)
        del wanted[last]
    spare = max(cells - _least(wanted, gap), 0)
    widths = [column.least for column in wanted]
    # What lacks little is made whole first.
    for at, column in sorted(enumerate(wanted), key=lambda each: (each[1].whole, each[1].cells - each[1].least)):
        extra = min(max(column.cells - column.least, 0), spare)
        if not column.whole or column.least + extra == column.cells:
            widths[at] += extra
            spare -= extra
    growing = [at for at, column in enumerate(wanted) if column.grow]
    for left, at in zip(range(len(growing), 0, -1), growing, strict=True):
        widths[at] += spare // left
        spare -= spare // left
    return Fitted(tuple(wanted), tuple(widths), gap)


def _is_wanted(column: Column, cells: int, chosen: Collection[str] | None, screen: int) -> bool:
    if chosen is not None:
        return column.id in chosen
    if column.screen:
        return max(screen, cells) >= column.screen
    return cells >= _FROM.get(column.priority, cells + 1) and (not column.until or cells < column.until)


def _least(columns: Sequence[Column], gap: int) -> int:
    return sum(column.least for column in columns) + gap * (len(columns) - 1)
