"""Screens with a page about a tool: the texts that changed in it can be read whole."""

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.pages.definition import Diff
from mcpwatch.ui.widgets.page import Page


class Differing(WatchScreen, inherit_bindings=False):
    """Lays out what changed for the width of its page."""

    _is_whole = False

    @property
    def diff(self) -> Diff:
        """How it is laid out now; room is left for the bar that scrolls it."""
        page = self.query_one("#about", Page)
        return Diff(page.content_region.width - page.scrollbar_size_vertical, self._is_whole)

    def action_whole(self) -> None:
        """All of the texts that changed, or what changed in them."""
        self._is_whole = not self._is_whole
        self.look()
