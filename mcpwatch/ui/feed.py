"""Feed: whether what is shown is everything that happened."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.page import Page
from mcpwatch.ui.pages.feed import feed_page


class FeedScreen(WatchScreen):
    """A page about every feed and about this watcher."""

    scope = Scope.FEED
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.FEED)]

    def compose_body(self) -> ComposeResult:
        """The page."""
        yield Page(id="about")

    def sync(self) -> None:
        """Bring the page up to the state."""
        watcher = self.watcher
        self.query_one("#about", Page).show_lines(feed_page(self.state, watcher.files, watcher.troubles.items()))
