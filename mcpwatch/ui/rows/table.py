"""A list of things as rows of a grid: what a column says comes from `watch.columns`, how it looks from here."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from mcpwatch.text import show
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, text_cell
from mcpwatch.ui.widgets.lines import Line, plain
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.state import State

T = TypeVar("T")
_LEAST_TEXT = 10


class Order(NamedTuple, Generic[T]):
    """One way to order a list, named by the column that shows it."""

    column: str
    key: Callable[[T], object]
    down: bool = True


Paint = Callable[[T, State], Cell]
"""How one column's cell looks."""


def grid_columns(
    columns: Iterable[watch_columns.Column[T]], least: Mapping[str, int], wide: Mapping[str, int] | None = None
) -> tuple[Column, ...]:
    """The grid's columns for a table; `least` says which may shrink and how far, `wide` which need more room."""
    wide = wide or {}
    return tuple(
        Column(
            id=column.id,
            title=show(column.title),
            cells=wide.get(column.id, column.width),
            least=least.get(column.id, wide.get(column.id, column.width) or _LEAST_TEXT),
            priority=column.priority,
            grow=column.width == 0,
            right=column.right,
        )
        for column in columns
    )


_BEFORE = frozenset({"verdict", "server", "title", "resolution"})
"""Columns before which the feed's stands, in one table or another."""
_FEED_CELLS, _LEAST_FEED = 8, 5
"""What a feed's name likes to have, and needs."""


def with_feed(columns: Sequence[Column], several: bool) -> tuple[Column, ...]:
    """The columns with the feed's among them, at any width, where there are several to tell apart."""
    feed = next((column for column in columns if column.id == "feed"), None)
    if feed is None or not several:
        return tuple(columns)
    rest = [column for column in columns if column is not feed]
    at = next(at for at, column in enumerate(rest) if column.id in _BEFORE)
    shown = feed._replace(priority=2, screen=1, cells=_FEED_CELLS, least=_LEAST_FEED, ends=True)
    return (*rest[:at], shown, *rest[at:])


class Table(Generic[T]):
    """Items in an order; cells are made only for what is in view."""

    def __init__(
        self,
        columns: Iterable[watch_columns.Column[T]],
        key: Callable[[T], Hashable],
        state: State,
        paints: Mapping[str, Paint[T]],
    ) -> None:
        self.items: list[T] = []
        columns = list(columns)
        self._text = {column.id: column.text for column in columns}
        self._words = [column.id for column in columns if not column.right]
        self._key = key
        self._state = state
        self._paints = paints

    def __len__(self) -> int:
        return len(self.items)

    def arrange(self, items: Iterable[T], order: Order[T], down: bool) -> None:
        """Put the items in order."""
        self.items = sorted(items, key=order.key, reverse=down)  # type: ignore[arg-type]

    def key(self, position: int) -> Hashable:
        """The item's key."""
        return self._key(self.items[position])

    def find(self, key: Hashable) -> int | None:
        """Where the item with this key stands."""
        return next((at for at, item in enumerate(self.items) if self._key(item) == key), None)

    def text(self, item: T) -> str:
        """What its cells say, in full and as drawn; numbers and ages are left out, which any digit would find."""
        said = [self._text[column](item, self._state) for column in self._words]
        drawn = [paint(item, self._state) for column, paint in self._paints.items() if column in self._words]
        return "\n".join([*said, *(plain(cell) if isinstance(cell, Line) else cell.text for cell in drawn)])

    def cells(self, position: int, fitted: Fitted) -> Sequence[Cell]:
        """The item's cells."""
        item = self.items[position]
        return [self._cell(item, column.id) for column in fitted.columns]

    def _cell(self, item: T, column: str) -> Cell:
        paint = self._paints.get(column)
        if paint is not None:
            return paint(item, self._state)
        return text_cell(self._text[column](item, self._state))
