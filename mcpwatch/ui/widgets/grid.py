"""The list of everything: draws only the rows in view, and holds none of them."""

from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping, Sequence
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mcpwatch.bounded import keep
from mcpwatch.text import Shown
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.widgets.cells import Cell, Column, Fitted, NoRows, Rows, fit
from mcpwatch.ui.widgets.draw import both_ends, draw_line, draw_span, mark
from mcpwatch.ui.widgets.lines import Line, Span, Tone
from mcpwatch.ui.widgets.toned import Toned

_STRIPS = 500
_CURSORS = {
    "": Span(Shown(" ")),
    "tone--cursor": Span(Shown("▌"), Tone.ACCENT),
    "tone--cursor-away": Span(Shown("▏"), Tone.ACCENT),
}
"""A thick mark where the keys go, a thin one where they do not."""
_MARK = Span(Shown("◆"), Tone.ACCENT)
_ORDER = {False: "▲", True: "▼"}


class Grid(Toned, ScrollView, can_focus=True, inherit_bindings=False):
    """Rows under a header, with a cursor; the first line is always the header."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.LIST)]

    cursor: reactive[int] = reactive(0, repaint=False)
    """Position of the row that is selected; 0 when there is none."""
    needle: reactive[str] = reactive("")
    """Text to mark wherever it stands, lower case."""

    class Told(Message):
        """Something a person did here."""

        def __init__(self, grid: "Grid") -> None:
            super().__init__()
            self.grid = grid

        @property
        def control(self) -> "Grid":
            """The grid, by which handlers tell messages apart."""
            return self.grid

    class Moved(Told):
        """A person moved the cursor."""

    class Wheeled(Told):
        """A person turned the mouse wheel."""

        def __init__(self, grid: "Grid", up: bool) -> None:
            super().__init__(grid)
            self.up = up

    class Opened(Told):
        """A person wants to see the row under the cursor."""

    class HeaderPressed(Told):
        """A person clicked a column's title."""

        def __init__(self, grid: "Grid", column: str) -> None:
            super().__init__(grid)
            self.column = column

    def __init__(
        self,
        columns: Sequence[Column] = (),
        *,
        id: str | None = None,
        chosen: Collection[str] | None = None,
        heads: Mapping[str, Callable[[int], Line]] | None = None,
        moved: Callable[[bool], None] = lambda bottom: None,
    ) -> None:
        """`heads` draw titles that have more to say, for a width; `moved` hears at once of each move, if to the end."""
        super().__init__(id=id)
        self.columns = tuple(columns)
        self._heads = {} if heads is None else heads
        self._tell_move = moved
        self.order: tuple[str, bool] | None = None
        """The column that the rows are ordered by, and whether downwards."""
        self.is_marked: Callable[[int], bool] = lambda position: False
        self._rows: Rows = NoRows()
        self._follows = False
        self._strips: OrderedDict[tuple[object, ...], Strip] = OrderedDict()
        self._chosen = None if chosen is None else frozenset(chosen)
        self._fitted: tuple[tuple[int, int], Fitted] | None = None

    # -- what is shown

    @property
    def rows(self) -> Rows:
        """What the grid shows."""
        return self._rows

    @property
    def page_size(self) -> int:
        """How many rows are in view."""
        return max(self.size.height - 1, 1)

    @property
    def top(self) -> int:
        """Position of the first row in view."""
        return int(self.scroll_offset.y)

    @property
    def selected(self) -> Hashable | None:
        """The key of the row under the cursor."""
        return self._rows.key(self.cursor) if len(self._rows) else None

    def show_rows(self, rows: Rows, cursor: int, *, top: int | None = None, follow: bool = False) -> None:
        """Show `rows` with the cursor at a position; follow keeps the last in view, `top` a place."""
        self._rows = rows
        count = len(rows)
        size = Size(self.scrollable_content_region.width, count + 1)
        if size.height != self.virtual_size.height:
            self.virtual_size = size
        self.cursor = min(max(cursor, 0), max(count - 1, 0))
        self._follows = follow
        if follow:
            self._scroll_to_end()
        elif top is not None and top != self.top:
            self.scroll_to(y=top, animate=False, force=True)
        self.refresh()

    @property
    def shown_columns(self) -> tuple[str, ...]:
        """Ids of the columns that are drawn."""
        return tuple(column.id for column in self._fit().columns)

    def choose(self, columns: Collection[str] | None) -> None:
        """Draw these columns whatever the width; None leaves it to the width."""
        self._chosen = None if columns is None else frozenset(columns)
        self._fitted = None
        self.refresh()

    def on_resize(self) -> None:
        """Keep in view what was in view."""
        if self._follows:
            self._scroll_to_end()
        else:
            self.reveal()

    def _scroll_to_end(self) -> None:
        self.scroll_to(y=max(len(self._rows) - self.page_size, 0), animate=False, force=True)

    @property
    def is_cursor_in_view(self) -> bool:
        """Whether the row under the cursor can be seen."""
        return self.top <= self.cursor < self.top + self.page_size

    def reveal(self) -> None:
        """Bring the cursor into view."""
        if self.cursor < self.top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= self.top + self.page_size:
            self.scroll_to(y=self.cursor - self.page_size + 1, animate=False, force=True)

    # -- moving

    def move(self, step: int, bottom: bool = False) -> None:
        """Move the cursor by `step` rows, as a person asked."""
        if not len(self._rows):
            return
        self.cursor = min(max(self.cursor + step, 0), len(self._rows) - 1)
        self._follows = self._follows and self.cursor == len(self._rows) - 1
        self._tell_move(bottom)
        self.reveal()
        self.refresh()
        self.post_message(self.Moved(self))

    def action_up(self) -> None:
        """One row up."""
        self.move(-1)

    def action_down(self) -> None:
        """One row down."""
        self.move(1)

    def action_page_up(self) -> None:
        """One page up."""
        self.move(-self.page_size)

    def action_page_down(self) -> None:
        """One page down."""
        self.move(self.page_size)

    def action_top(self) -> None:
        """To the first row."""
        self.move(-len(self._rows))

    def action_bottom(self) -> None:
        """To the last row."""
        self.move(len(self._rows), bottom=True)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if len(self._rows):
            self.post_message(self.Opened(self))

    def on_mouse_scroll_up(self) -> None:
        """Tell that what is in view is left."""
        self.post_message(self.Wheeled(self, up=True))

    def on_mouse_scroll_down(self) -> None:
        """Tell that the view goes down."""
        self.post_message(self.Wheeled(self, up=False))

    def on_click(self, event: events.Click) -> None:
        """A click selects, a second opens; on the header it orders."""
        if event.y == 0:
            if column := self._column_at(event.x):
                self.post_message(self.HeaderPressed(self, column.id))
            return
        position = self.top + event.y - 1
        if position >= len(self._rows):
            return
        self.move(position - self.cursor)
        if event.chain > 1:
            self.action_open()

    def _column_at(self, x: int) -> Column | None:
        fitted = self._fit()
        at = 1
        for column, wide in zip(fitted.columns, fitted.widths, strict=True):
            if at <= x < at + wide:
                return column
            at += wide + fitted.gap
        return None

    # -- drawing

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours."""
        super().notify_style_update()
        self._strips.clear()

    def render_line(self, y: int) -> Strip:
        """The header, or the row that stands `y` lines down."""
        fitted = self._fit()
        if y == 0:
            return self._header(fitted)
        position = self.top + y - 1
        if position >= len(self._rows):
            return Strip.blank(self.scrollable_content_region.width, self.tone_style(Tone.PLAIN))
        cells = tuple(self._rows.cells(position, fitted))
        over, marked = self._over(position), self.is_marked(position)
        key = (cells, over, marked, fitted, self.needle)
        if (strip := self._strips.get(key)) is None:
            strip = self._draw(cells, fitted, over, _MARK if marked else _CURSORS[over])
            keep(self._strips, key, strip, _STRIPS)
        return strip

    def _over(self, position: int) -> str:
        return "" if position != self.cursor else "tone--cursor" if self.has_focus else "tone--cursor-away"

    def _fit(self) -> Fitted:
        cells = self.scrollable_content_region.width
        place = (cells, self.screen.size.width)
        if self._fitted is None or self._fitted[0] != place:
            self._fitted = (place, fit(self.columns, max(cells - 2, 1), self._chosen, place[1]))
        return self._fitted[1]

    def _draw(self, cells: Sequence[Cell], fitted: Fitted, over: str, sign: Span) -> Strip:
        style = partial(self.tone_style, over=over)
        hit = self.part_style("tone--hit") if self.needle else None
        gap = Segment(" " * fitted.gap, style(Tone.PLAIN))
        segments = [draw_span(sign, 1, style)]
        for column, wide, cell in zip(fitted.columns, fitted.widths, cells, strict=True):
            if isinstance(cell, Line):
                segments.extend(draw_line(cell, wide, style))
            else:
                drawn = draw_span(both_ends(cell, wide) if column.ends else cell, wide, style, column.right)
                segments.extend(mark(drawn, self.needle, hit) if hit else (drawn,))
            segments.append(gap)
        return Strip(segments).adjust_cell_length(self.scrollable_content_region.width, style(Tone.PLAIN))

    def _header(self, fitted: Fitted) -> Strip:
        style = partial(self.tone_style, over="tone--header")
        segments, gap = [Segment(" ", style(Tone.DIM))], Segment(" " * fitted.gap, style(Tone.DIM))
        for column, wide in zip(fitted.columns, fitted.widths, strict=True):
            if (head := self._heads.get(column.id)) is not None:
                segments += [*draw_line(head(wide), wide, style), gap]
                continue
            down = self.order[1] if self.order is not None and self.order[0] == column.id else None
            words = column.title if down is None else column.title[: wide - 1] + _ORDER[down]
            title = Span(Shown(words), Tone.DIM if down is None else Tone.STRONG)
            segments += [draw_span(title, wide, style, column.right), gap]
        return Strip(segments).adjust_cell_length(self.scrollable_content_region.width, style(Tone.DIM))
