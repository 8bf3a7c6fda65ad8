"""Accepting a changed definition: what is asked first, and what is said afterwards."""

from textual.screen import Screen

from mcpwatch.model.tools import Tool
from mcpwatch.ui.dialogs.accept import AcceptDialog
from mcpwatch.ui.host import Host
from mcpwatch.ui.lines import Line, Tone, line, span
from mcpwatch.ui.pages.definition import baseline, change_lines
from mcpwatch.ui.pages.tool import is_untrusted, tool_page
from mcpwatch.watch.exposure import alerts_about, exposure
from mcpwatch.watch.watcher import Watcher


def about(tool: Tool, watcher: Watcher) -> list[Line]:
    """The page about a tool."""
    state = watcher.state
    return tool_page(tool, alerts_about(tool, state), exposure(tool, state, watcher.role_of))


def accept(screen: Screen[None], host: Host, watcher: Watcher, tool: Tool) -> None:
    """Ask whether the definition that the tool has now is to be trusted."""
    if not is_untrusted(tool):
        host.tell("This definition is trusted already")
        return
    digest = tool.digest
    since, before = baseline(tool)
    says = [
        line(span(tool.name, Tone.STRONG), span(f"  on {tool.upstream}", Tone.DIM)),
        line(span(f"What changed {since}", Tone.BAD)),
        *change_lines(before, tool.definition),
    ]

    async def act(note: str) -> str:
        return f"{tool.name}: {await watcher.accept(tool, digest, note)}"

    screen.app.push_screen(AcceptDialog(says, act))
