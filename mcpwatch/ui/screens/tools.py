"""Tools: what the servers offer, and what changed."""

from collections.abc import Hashable, Iterable
from typing import ClassVar

from textual import on
from textual.binding import BindingType

from mcpwatch.model.tools import Tool
from mcpwatch.text import show
from mcpwatch.ui.accepting import about, accept
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.differing import Differing
from mcpwatch.ui.pages.tool import description
from mcpwatch.ui.rows.table import Order, Paint, grid_columns
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.screens.tool import ToolScreen
from mcpwatch.ui.widgets.cells import Cell, Column, text_cell
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line, Tone, span
from mcpwatch.watch import columns as watch_columns
from mcpwatch.watch.columns import percentile
from mcpwatch.watch.facts import tool_facts
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher


def _changed(tool: Tool, state: State) -> Cell:
    if not tool.changed:
        return span("")
    return span(f"≠ {tool.changed}×", Tone.BAD) if tool.is_untrusted else span(f"✓ {tool.changed}×", Tone.DIM)


def _reaches(tool: Tool, state: State) -> Cell:
    text = watch_columns.reaches(tool)
    return span(text, Tone.WARN if tool.privileged else Tone.PLAIN)


def _name(tool: Tool, state: State) -> Cell:
    return text_cell(tool.name, Tone.STRONG)


def _errors(tool: Tool, state: State) -> Cell:
    return span(str(tool.errors), Tone.WARN if tool.errors else Tone.DIM)


def _failed(tool: Tool, state: State) -> Cell:
    return span(watch_columns.failed(tool), Tone.WARN if tool.errors else Tone.DIM)


def _description(tool: Tool, state: State) -> Cell:
    return text_cell(description(tool), Tone.DIM)


_PAINTS: dict[str, Paint[Tool]] = {
    "changed": _changed,
    "tool": _name,
    "reaches": _reaches,
    "errors": _errors,
    "failed": _failed,
    "description": _description,
}
_ORDERS: tuple[Order[Tool], ...] = (
    Order("changed", lambda tool: (tool.is_untrusted, tool.changed, tool.calls)),
    Order("calls", lambda tool: tool.calls),
    Order("errors", lambda tool: tool.errors),
    Order("failed", lambda tool: tool.errors / max(tool.calls, 1)),
    Order("p95", lambda tool: percentile(tool.durations, 95) or 0.0),
    Order("p99", lambda tool: percentile(tool.durations, 99) or 0.0),
    Order("tool", lambda tool: tool.name, down=False),
)


class ToolsScreen(Differing, ListScreen[Tool]):
    """All tools of all servers; those whose definition changed and is not accepted come first."""

    scope = Scope.TOOLS
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.TOOLS)]
    columns = (
        *grid_columns(watch_columns.TOOLS, {"server": 8, "tool": 14, "reaches": 8}, {"changed": 8}),
        Column("description", show("DESCRIPTION"), 30, 20, priority=2, grow=True),
    )

    def __init__(self, watcher: Watcher) -> None:
        super().__init__(watcher, watch_columns.TOOLS, _PAINTS, _ORDERS)

    def items(self) -> Iterable[Tool]:
        """All tools."""
        return self.state.tools.values()

    def key_of(self, item: Tool) -> Hashable:
        """Feed, server and name."""
        return item.source, item.upstream, item.name

    def page_of(self, item: Tool) -> list[Line]:
        """Whether it is trusted, its use and its definition."""
        return about(item, self.watcher, self.diff)

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        if (tool := self.selected) is not None:
            self.app.push_screen(ToolScreen(self.watcher, tool))

    def its_filter(self) -> str:
        """Its calls."""
        tool = self.selected
        return f"tool={quote(tool.name)}{self.within_feed(tool.source)}" if tool is not None else ""

    def action_accept(self) -> None:
        """Ask whether the definition that it has now is to be trusted."""
        if (tool := self.selected) is not None:
            accept(self, self.host, self.watcher, tool)

    def action_copy(self) -> None:
        """Copy the tool's definition."""
        if (tool := self.selected) is not None:
            self.host.copy_json(tool_facts(tool))
