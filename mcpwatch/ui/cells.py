"""What a grid is made of: columns, the cells in them, and how columns share a width."""

from collections.abc import Hashable, Sequence
from typing import NamedTuple, Protocol

from mcpwatch.text import Shown
from mcpwatch.ui.lines import Span, Tone

ROOMY = 100
"""From this width on, columns stand two cells apart instead of one."""


class Column(NamedTuple):
    """A column of a grid."""

    id: str
    title: Shown
    cells: int
    """Its width, or its least width where it grows."""
    grow: int = 0
    """Its share of the room that is left."""
    right: bool = False
    """Numbers stand to the right."""
    rank: int = 0
    """The highest rank leaves first when there is too little room; rank 0 stays."""


class Bar(NamedTuple):
    """A stretch of a time axis, as fractions of the column's width."""

    start: float
    end: float
    tone: Tone = Tone.PLAIN
    open: bool = False
    """It has not ended yet."""


Cell = Span | Bar


class Rows(Protocol):
    """What a grid shows: positions from 0, each with a key that stays with it."""

    def __len__(self) -> int: ...

    def key(self, position: int) -> Hashable:
        """Names the row wherever it moves."""
        ...

    def cells(self, position: int, columns: Sequence[str]) -> Sequence[Cell]:
        """The row's cells for these column ids."""
        ...


class NoRows:
    """A grid's rows before it has any."""

    def __len__(self) -> int:
        return 0

    def key(self, position: int) -> Hashable:
        """Never asked for."""
        raise IndexError(position)

    def cells(self, position: int, columns: Sequence[str]) -> Sequence[Cell]:
        """Never asked for."""
        raise IndexError(position)


class Fitted(NamedTuple):
    """Columns with the widths they were given; `gap` cells lie between them."""

    columns: tuple[Column, ...]
    widths: tuple[int, ...]
    gap: int


def fit(columns: Sequence[Column], cells: int) -> Fitted:
    """Give `cells` cells to the columns; those of the highest rank leave while the rest does not fit."""
    gap = 2 if cells >= ROOMY else 1
    kept = list(columns)
    while len(kept) > 1 and _least(kept, gap) > cells:
        worst = max(kept, key=lambda column: column.rank)
        if worst.rank == 0:
            break
        kept.remove(worst)
    spare = max(0, cells - _least(kept, gap))
    shares = sum(column.grow for column in kept)
    widths = []
    for column in kept:
        extra = spare * column.grow // shares if shares else 0
        spare -= extra
        shares -= column.grow
        widths.append(column.cells + extra)
    return Fitted(tuple(kept), tuple(widths), gap)


def _least(columns: Sequence[Column], gap: int) -> int:
    return sum(column.cells for column in columns) + gap * (len(columns) - 1)
