"""One tool on a screen of its own: its use, what changed, its definition."""

from typing import ClassVar

from textual.binding import BindingType

from mcpwatch.model.tools import Tool
from mcpwatch.ui.accepting import about, accept
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.differing import Differing
from mcpwatch.ui.screens.about import AboutScreen
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch.facts import tool_facts
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.watcher import Watcher


class ToolScreen(Differing, AboutScreen):
    """A page about one tool."""

    scope = Scope.TOOL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TOOL)]

    def __init__(self, watcher: Watcher, tool: Tool) -> None:
        super().__init__(watcher)
        self.tool = tool

    def crumbs(self) -> list[str]:
        """From the list down to the tool."""
        return ["Tools", self.tool.upstream, self.tool.name]

    def lines(self) -> list[Line]:
        """Trust, reach, exposure, use, change, definition."""
        return about(self.newest, self.watcher, self.diff)

    @property
    def newest(self) -> Tool:
        """The tool as it is listed now, which another object may stand for than when the page was opened."""
        return self.state.tools.get(self.tool.key, self.tool)

    def its_filter(self) -> str:
        """Its calls."""
        return f"tool={quote(self.tool.name)}{self.within_feed(self.tool.source)}"

    def action_copy(self) -> None:
        """Copy the tool's definition."""
        self.host.copy_json(tool_facts(self.newest))

    def action_accept(self) -> None:
        """Ask whether the definition that it has now is to be trusted."""
        accept(self, self.host, self.watcher, self.newest)
