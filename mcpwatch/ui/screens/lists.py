"""A screen that lists things and tells about the one selected."""

from collections.abc import Hashable, Iterable, Mapping
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual import on
from textual.app import ComposeResult

from mcpwatch.ui.asks import Ask
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.pages.reasons import Reason, narrowed
from mcpwatch.ui.rows.table import Order, Paint, Table, with_feed
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.sifting import Sifting
from mcpwatch.ui.widgets.cells import Column
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.ui.widgets.offers import no_offers
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.prompt import Prompt
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.watcher import Watcher

T = TypeVar("T")
_SETTLE = 0.5
"""Seconds for which a list keeps its order, so that it can be read."""
_MORE = 2_000
"""For each so many items that are narrowed down, it is kept as long again."""
_NEXT = 0.005
"""Seconds between two helpings of items that are looked through."""
_FEW = 500
"""Up to this many items, a new one is put in its place at once."""


class ListScreen(WatchScreen, Generic[T]):
    """A grid of items in one of several orders, and a page about the item under the cursor.

    Once a person has moved the cursor it stays with its item when the order changes; before, it stays on top.
    `/` leaves only the rows that have a text, and marks it on their pages.
    """

    columns: ClassVar[tuple[Column, ...]]

    def __init__(
        self,
        watcher: Watcher,
        source: Iterable[watch_columns.Column[T]],
        paints: Mapping[str, Paint[T]],
        orders: tuple[Order[T], ...],
    ) -> None:
        super().__init__(watcher)
        self.table = Table(source, self.key_of, watcher.state, paints)
        self._orders = orders
        self._order = 0
        self._down = orders[0].down
        self._selected: Hashable | None = None
        self._arranged = float("-inf")
        self._lost = False
        self._narrow = ""
        """What the rows have to have; empty for all rows."""
        self._before: tuple[str, Hashable | None] = ("", None)
        """That, and what was selected, before one began to type."""
        self._sifting: Sifting[T] = Sifting((), None)
        self._kept: tuple[Hashable | None] | None = None
        """What was selected when the rows were narrowed, until that is done."""
        self._count = 0
        """How many items there were when they were last put in order, those that are not shown among them."""

    def items(self) -> Iterable[T]:
        """All there is to list."""
        raise TypeError(f"{type(self).__name__} lists nothing")

    def key_of(self, item: T) -> Hashable:
        """What names an item."""
        raise TypeError(f"{type(self).__name__} names nothing")

    def page_of(self, item: T) -> list[Line]:
        """What there is to say about an item."""
        raise TypeError(f"{type(self).__name__} says nothing")

    def found_by(self, item: T) -> Iterable[str]:
        """What `/` looks at besides the cells of an item."""
        return ()

    def reason(self) -> Reason | None:
        """Why it lists nothing, where that is not for the feeds to tell."""
        if not self._narrow or not self._count:
            return None
        return narrowed(self._narrow, self._count, is_done=self._sifting.is_done)

    def crumbs(self) -> list[str]:
        """What the rows were narrowed to."""
        if not self._narrow:
            return []
        found = f"{len(self.table):,} of {self._count:,} have “{self._narrow}”"
        if not self._sifting.is_done:
            found = f"looking through {self._count:,} for “{self._narrow}”"
        return [self.scope.capitalize(), f"{found}; {'enter keeps them, ' if self.prompt.is_open else ''}esc shows all"]

    def compose_body(self) -> ComposeResult:
        """The list, the page, and what is said in place of an empty list."""
        yield Grid(with_feed(self.columns, len(self.watcher.sources) > 1), id="list", moved=self._go_with_cursor)
        yield Page(id="about")
        yield Page(id="empty")

    @property
    def grid(self) -> Grid:
        """The list's grid."""
        return self.query_one("#list", Grid)

    @property
    def selected(self) -> T | None:
        """The item under the cursor."""
        at = self.grid.cursor
        return self.table.items[at] if at < len(self.table) else None

    def sync(self) -> None:
        """Bring list and page up to the state."""
        now, grid = self.state.now, self.grid
        in_view = grid.is_cursor_in_view or self._lost
        items = list(self.items())
        grown = len(items) != self._count and len(items) <= _FEW
        settle = _SETTLE * (1 + len(items) // _MORE) if self._narrow else _SETTLE
        if self._sifting.is_done and (grown or now - self._arranged >= settle):
            self._arrange(items)
            if self._narrow:
                self.look_at_bars()
        self.set_class(not len(self.table), "-empty")
        if not len(self.table):
            self.query_one("#empty", Page).show_lines(why_empty(self, self.reason()))
        grid.show_rows(self.table, self._cursor())
        if in_view:
            grid.reveal()
            self._lost = False
        self._look_at_item()

    def _cursor(self) -> int:
        """Where the selected item is; the place it had when it is not there any more."""
        at, item = self.grid.cursor, self.selected
        if self._selected is None or (item is not None and self.key_of(item) == self._selected):
            return at
        found = self.table.find(self._selected)
        return at if found is None else found

    def on_screen_resume(self) -> None:
        """The order may have changed meanwhile; what is selected is to be seen."""
        self._arranged = float("-inf")
        self._lost = True

    def stay(self) -> None:
        """Let the cursor stay in its place when the item under it moves away."""
        self._selected = None

    def go_with(self, item: T) -> None:
        """Let the cursor go with this item wherever the order puts it, even if no person moved it yet."""
        self._selected = self.key_of(item)

    def _arrange(self, items: Iterable[T]) -> None:
        """Put the items in order; where very many are to be looked through, soon."""
        every = list(items)
        self._count = len(every)
        self._sifting = Sifting(every, self._has_text if self._narrow else None)
        self._sift()

    def _sift(self) -> bool:
        """Look through a helping; whether the rest was in it, and all is in order."""
        sifting, order = self._sifting, self._orders[self._order]
        if not sifting.go():
            self.set_timer(_NEXT, partial(self._sift_on, sifting))
            return False
        self.table.arrange(sifting.found, order, self._down)
        self.grid.order = (order.column, self._down)
        self._arranged = self.state.now
        if self._kept is not None:
            (kept,), self._kept = self._kept, None
            self._come_back_to(kept)
        return True

    def _sift_on(self, sifting: Sifting[T]) -> None:
        if sifting is self._sifting and self._sift() and self.is_current:
            self.look()
            self.look_at_bars()

    def _come_back_to(self, kept: Hashable | None) -> None:
        """After narrowing: to what was selected, or to the top."""
        if kept is not None and self.table.find(kept) is not None:
            self._selected = kept
        else:
            self.stay()
            self.grid.show_rows(self.table, 0)
        self._lost = True

    def _look_at_item(self) -> None:
        item = self.selected
        about = self.query_one("#about", Page)
        if item is not None:
            about.show_lines(self.page_of(item), self.key_of(item))
        else:
            about.show_lines([])

    def _go_with_cursor(self, bottom: bool) -> None:
        if (item := self.selected) is not None:
            self._selected = self.key_of(item)

    @on(Grid.Moved, "#list")
    def _moved(self) -> None:
        self._look_at_item()
        self.look_at_bars()

    @on(Grid.HeaderPressed, "#list")
    def _header_pressed(self, event: Grid.HeaderPressed) -> None:
        wanted = [at for at, order in enumerate(self._orders) if order.column == event.column]
        if wanted and wanted[0] == self._order:
            self.action_reverse()
        elif wanted:
            self._reorder(wanted[0])

    def action_order(self) -> None:
        """Order by the next column that can be ordered by and is shown."""
        following = ((self._order + step) % len(self._orders) for step in range(1, len(self._orders) + 1))
        shown = self.grid.shown_columns
        self._reorder(next((at for at in following if self._orders[at].column in shown), self._order))

    def action_reverse(self) -> None:
        """Turn the order round."""
        self._down = not self._down
        self._arrange(self.items())
        self.look()
        self.grid.reveal()

    def select(self, key: Hashable) -> None:
        """Put the cursor on the item with this key, if it is listed."""
        self._selected = key
        self._kept = None if self._kept is None else (key,)
        self.look()
        self.grid.reveal()

    def _reorder(self, order: int) -> None:
        self._order, self._down = order, self._orders[order].down
        self._arrange(self.items())
        self.look()
        self.grid.reveal()

    # -- only the rows with a text

    def _has_text(self, item: T) -> bool:
        wanted = self._narrow.lower()
        return wanted in self.table.text(item).lower() or any(wanted in text.lower() for text in self.found_by(item))

    def narrow(self, text: str) -> None:
        """List only what has this text, in its cells or in what else it is found by; empty for all there is."""
        if text == self._narrow:
            return
        kept = self.selected
        self._narrow = text
        self._kept = (self.key_of(kept) if kept is not None else None,)
        self._arrange(self.items())
        self.look()
        self.search.mark(text)

    def action_narrow(self, argument: str = "") -> None:
        """List only the rows with a text, or ask for it."""
        if argument:
            self.narrow(argument)
        else:
            self._before = self._narrow, self.key_of(self.selected) if self.selected is not None else None
            self.ask(Ask.NARROW, self._narrow, no_offers)

    @on(Prompt.Typed)
    def _narrow_typed(self, event: Prompt.Typed) -> None:
        if event.kind is self.prompt.kind is Ask.NARROW and event.text == self.prompt.text:
            self.narrow(event.text)

    def entered(self, kind: Ask, text: str) -> None:
        """The rows stay narrowed down."""
        super().entered(kind, text)
        if kind is Ask.NARROW:
            self.narrow(text)
            self.close_prompt()

    def prompt_left(self, kind: Ask) -> None:
        """The prompt was left without entering: the rows are what they were, and the cursor where it was."""
        if kind is Ask.NARROW:
            text, selected = self._before
            self.narrow(text)
            if selected is not None:
                self.select(selected)

    def go_back(self) -> bool:
        """Out of what is open, then back to all rows."""
        if self._narrow and not self.prompt.is_open and self.maximized is None:
            self.narrow("")
            return True
        return super().go_back()
