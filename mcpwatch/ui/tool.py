"""One tool on a screen of its own: its use, what changed, its definition."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from mcpwatch.model.traffic import Tool
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.page import Page
from mcpwatch.ui.pages.tool import tool_page
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.watcher import Watcher


class ToolScreen(WatchScreen):
    """A page about one tool."""

    scope = Scope.TOOL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TOOL)]

    def __init__(self, watcher: Watcher, tool: Tool) -> None:
        super().__init__(watcher)
        self.tool = tool

    def compose_body(self) -> ComposeResult:
        """The page."""
        yield Page(id="about")

    def crumbs(self) -> list[str]:
        """From the list down to the tool."""
        return ["Tools", self.tool.upstream, self.tool.name]

    def sync(self) -> None:
        """Bring the page up to the state."""
        self.query_one("#about", Page).show_lines(tool_page(self.tool))

    def action_traffic(self) -> None:
        """Its calls, on Live."""
        self.host.show_traffic(f"tool={quote(self.tool.name)}")

    def action_copy(self) -> None:
        """Copy the tool's definition."""
        tool = self.tool
        self.host.copy_json({"server": tool.upstream, "digest": tool.digest, "definition": tool.definition})
