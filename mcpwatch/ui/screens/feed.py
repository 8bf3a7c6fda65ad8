"""Feed: whether what is shown is everything that happened."""

from collections.abc import Hashable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.feed import FeedStatus
from mcpwatch.ui.bars import badness
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.looks import FEEDS
from mcpwatch.ui.pages.feed import feed_page
from mcpwatch.ui.rows.table import Order, Paint, grid_columns
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.widgets.cells import Cell, text_cell
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher


def _state(status: FeedStatus, state: State) -> Cell:
    look = FEEDS[status.state]
    return span(f"{look.glyph} {status.state.value}", look.tone)


def _name(status: FeedStatus, state: State) -> Cell:
    return text_cell(status.name, Tone.STRONG)


def _why(status: FeedStatus, state: State) -> Cell:
    return text_cell(status.detail, Tone.DIM)


_PAINTS: dict[str, Paint[FeedStatus]] = {"state": _state, "name": _name, "why": _why}
_ORDERS: tuple[Order[FeedStatus], ...] = (
    Order("state", badness, down=False),
    Order("name", lambda status: status.name, down=False),
    Order("entry", lambda status: status.last_entry_at or 0.0),
    Order("proven", lambda status: status.verified_size),
)


class FeedScreen(ListScreen[FeedStatus]):
    """A page about the feed and about this watcher; above it the list of feeds where there are several."""

    scope = Scope.FEED
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.FEED)]
    columns = grid_columns(watch_columns.FEEDS, {"name": 10, "why": 12}, {"state": 14})

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.FEEDS, _PAINTS, _ORDERS)

    @property
    def is_list(self) -> bool:
        """Whether there are several feeds."""
        return len(self.state.feeds) > 1

    def items(self) -> Iterable[FeedStatus]:
        """All feeds."""
        return self.state.feeds.values()

    def key_of(self, item: FeedStatus) -> Hashable:
        """Its name."""
        return item.name

    def page_of(self, item: FeedStatus) -> list[Line]:
        """How it stands, and this watcher."""
        return feed_page(self.state, self.watcher.files, self.watcher.troubles.items(), item)

    def sync(self) -> None:
        """Bring list and page up to the state."""
        self.set_class(self.is_list, "-several")
        if self.is_list:
            super().sync()
        else:
            self.set_class(False, "-empty")
            missing = [] if self.state.feeds else [*why_empty(self), BLANK]
            lines = feed_page(self.state, self.watcher.files, self.watcher.troubles.items())
            self.query_one("#about", Page).show_lines([*missing, *lines])

    def its_filter(self) -> str:
        """Its entries."""
        return f"gw={quote(self.selected.name)}" if self.selected is not None else ""

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        self.action_traffic()
