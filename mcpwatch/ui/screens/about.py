"""A screen that is one page: for what has no room beside its list."""

from textual.app import ComposeResult

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.ui.widgets.page import Page


class AboutScreen(WatchScreen):
    """Says all there is to say about one thing."""

    def compose_body(self) -> ComposeResult:
        """The page."""
        yield Page(id="about")

    def sync(self) -> None:
        """Bring the page up to the state."""
        self.query_one("#about", Page).show_lines(self.lines())

    def lines(self) -> list[Line]:
        """What there is to say."""
        raise TypeError(f"{type(self).__name__} says nothing")
