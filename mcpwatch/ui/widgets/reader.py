"""A page with a cursor, on which what holds other lines can be folded."""

from bisect import bisect_right
from typing import ClassVar

from rich.segment import Segment
from textual import events
from textual.binding import BindingType
from textual.strip import Strip

from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.widgets.lines import Tone, plain
from mcpwatch.ui.widgets.outline import Outline
from mcpwatch.ui.widgets.page import Page, Ref


class Reader(Page, inherit_bindings=False):
    """The cursor goes line by line; the view follows it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PAGE, Scope.READER)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._cursor: Ref = Ref(0)

    @property
    def line_cells(self) -> int:
        """One cell is the cursor's."""
        return max(super().line_cells - 1, 1)

    @property
    def reading_at(self) -> int:
        """The line under the cursor."""
        return self._at(self._cursor)

    @property
    def selected(self) -> str:
        """The text of the line under the cursor."""
        return plain(self.line_at(self._refs[self.reading_at])).strip() if self._refs else ""

    def _at(self, ref: Ref) -> int:
        """Where a line is drawn; for one that is folded away, where its fold is."""
        return max(bisect_right(self._refs, ref) - 1, 0)

    def begin(self) -> None:
        """The cursor begins at the top too."""
        self._cursor = Ref(0)
        super().begin()

    def flow(self) -> None:
        """The cursor stays with its line."""
        super().flow()
        if self._refs:
            self._cursor = self._refs[self._at(self._cursor)]

    def draw(self, at: int, row: int, cells: int, over: str = "") -> Strip:
        """A row, with the cursor before it."""
        here = at == self.reading_at
        over = ("tone--cursor" if self.has_focus else "") if here else over
        sign = "▌" if here and self.has_focus else " "
        return Strip(
            [Segment(sign, self.tone_style(Tone.ACCENT, over)), *super().draw(at, row, cells - 1, over)], cells
        )

    # -- moving

    def come_to(self, at: int) -> None:
        """The cursor goes there, and the view with it."""
        self._cursor = self._refs[at]
        super().come_to(at)
        self.refresh()

    def _move(self, at: int) -> None:
        if not self._refs:
            return
        at = min(max(at, 0), len(self._refs) - 1)
        self._cursor = self._refs[at]
        top, stop, height = self._tops[at], self._tops[at + 1], self.size.height
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False, force=True)
        elif stop > self.scroll_offset.y + height:
            self.scroll_to(y=max(min(stop - height, top), 0), animate=False, force=True)
        self.refresh()

    def action_up(self) -> None:
        """One line up."""
        self._move(self.reading_at - 1)

    def action_down(self) -> None:
        """One line down, through a line that is higher than the page row by row."""
        at, bottom = self.reading_at, self.scroll_offset.y + self.size.height
        if self._refs and self._tops[at + 1] > bottom:
            self.scroll_relative(y=1, animate=False, force=True)
        else:
            self._move(at + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._by_page(-1)

    def action_page_down(self) -> None:
        """One page down."""
        self._by_page(1)

    def _by_page(self, step: int) -> None:
        row = self._tops[self.reading_at] + step * max(self.size.height - 1, 1)
        row = min(max(row, 0), max(self._tops[-1] - 1, 0))
        self.scroll_relative(y=step * max(self.size.height - 1, 1), animate=False, force=True)
        self._move(self.line_of(row) or 0)

    def action_top(self) -> None:
        """To the first line."""
        self._move(0)

    def action_bottom(self) -> None:
        """To the last line."""
        self._move(len(self._refs) - 1)

    # -- folding

    def action_fold(self) -> None:
        """Fold or open what begins on this line, or what it is in."""
        if self._refs:
            self._toggle(self._refs[self.reading_at])

    def _toggle(self, ref: Ref) -> None:
        part = self._parts[ref.part]
        if isinstance(part, Outline):
            part.toggle(ref.at)
            self._cursor = ref
            self._changed()

    def action_fold_up(self) -> None:
        """Fold what the line is in."""
        ref = self._refs[self.reading_at] if self._refs else None
        part = self._parts[ref.part] if ref is not None else None
        if ref is None or not isinstance(part, Outline):
            return
        holder = ref.at if part.folds(ref.at) and ref.at not in part.folded else part.items[ref.at].parent
        if holder >= 0:
            self._toggle(Ref(ref.part, holder))

    def action_fold_all(self) -> None:
        """Fold everything but the outermost."""
        for part in self._outlines(self._parts):
            part.fold_all()
        self._changed()

    def action_open_all(self) -> None:
        """Open everything."""
        for part in self._outlines(self._parts):
            part.open_all()
        self._changed()

    def _changed(self) -> None:
        self.flow()
        self._move(self.reading_at)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor there, and folds or opens what begins there."""
        offset = event.get_content_offset(self)
        at = self.line_of(self.scroll_offset.y + offset.y) if offset is not None else None
        if at is not None:
            self._cursor = self._refs[at]
            self.refresh()
            self.action_fold()
