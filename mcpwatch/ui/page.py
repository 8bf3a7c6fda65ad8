"""A text to read: toned lines, wrapped to the pane, of which only those in view are drawn."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.lines import Line, Tone, plain
from mcpwatch.ui.toned import Toned
from mcpwatch.ui.wrap import wrap


class Page(Toned, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines; stays where the reader is when the text changes under the same subject."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TEXT)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lines: tuple[Line, ...] = ()
        self._subject: object = None
        self._wrapped: list[Line] = []
        self._width = -1

    def show_lines(self, lines: Sequence[Line], subject: object = None) -> None:
        """Show these lines; a new subject begins at the top."""
        if tuple(lines) != self._lines:
            self._lines = tuple(lines)
            self._flow()
        if subject != self._subject:
            self._subject = subject
            self.scroll_to(y=0, animate=False, force=True)

    @property
    def text(self) -> str:
        """What is shown, unwrapped."""
        return "\n".join(plain(line) for line in self._lines)

    def on_resize(self) -> None:
        """Wrap to the width that the pane has."""
        if self.scrollable_content_region.width != self._width:
            self._flow()

    def render_line(self, y: int) -> Strip:
        """The wrapped line that stands `y` lines down."""
        at = self.scroll_offset.y + y
        cells = self.scrollable_content_region.width
        if at >= len(self._wrapped):
            return Strip.blank(cells, self.tone_style(Tone.PLAIN))
        return self.strip(self._wrapped[at], cells)

    def _flow(self) -> None:
        self._width = self.scrollable_content_region.width
        self._wrapped = wrap(self._lines, self._width)
        self.virtual_size = Size(self._width, len(self._wrapped))
        self.refresh()

    def action_up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False, force=True)

    def action_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False, force=True)

    def action_page_up(self) -> None:
        """One page up."""
        self.scroll_relative(y=-max(self.size.height - 1, 1), animate=False, force=True)

    def action_page_down(self) -> None:
        """One page down."""
        self.scroll_relative(y=max(self.size.height - 1, 1), animate=False, force=True)

    def action_top(self) -> None:
        """To the first line."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        """To the last line."""
        self.scroll_to(y=len(self._wrapped), animate=False, force=True)
