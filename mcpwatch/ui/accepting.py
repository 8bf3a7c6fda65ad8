"""Accepting a changed definition: what is asked first, and what is said afterwards."""

from textual.screen import Screen

from mcpwatch.model.tools import Tool
from mcpwatch.ui.dialogs.accept import AcceptDialog
from mcpwatch.ui.dialogs.confirm import ConfirmDialog
from mcpwatch.ui.host import Host
from mcpwatch.ui.pages.definition import Diff, baseline, change_lines, meanwhile_lines, pinned
from mcpwatch.ui.pages.tool import tool_page
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, span
from mcpwatch.watch.exposure import alerts_about, exposure
from mcpwatch.watch.watcher import Watcher

_CHANGED = "tool/definition-changed"


def about(tool: Tool, watcher: Watcher, diff: Diff) -> list[Line]:
    """The page about a tool."""
    state = watcher.state
    return tool_page(tool, alerts_about(tool, state), exposure(tool, state, watcher.role_of), diff)


def accept(screen: Screen[None], host: Host, watcher: Watcher, tool: Tool) -> None:
    """Ask whether the definition that the tool has now is to be trusted."""
    if not tool.is_untrusted:
        _trusted(screen, host, watcher, tool)
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


def _trusted(screen: Screen[None], host: Host, watcher: Watcher, tool: Tool) -> None:
    """Say that there is nothing to accept; where the tool came back to what is trusted, show what it was meanwhile."""
    pin = tool.pin
    alert = next((each for each in alerts_about(tool, watcher.state) if each.rule == _CHANGED), None)
    if pin is None or alert is None:
        host.tell("This definition is trusted already")
        return
    says = [
        line(span(tool.name, Tone.STRONG), span(f"  on {tool.upstream}", Tone.DIM)),
        line(f"It is back to what was {pinned(pin)}: there is nothing to accept."),
        line(
            "Its alert stays until somebody resolves it; enter asks for the note, as ", span("r", Tone.ACCENT), " does."
        ),
        BLANK,
        line(span("What it was meanwhile", Tone.BAD)),
        *meanwhile_lines(pin.definition, tool.previous),
    ]

    def resolve() -> None:
        screen.app.call_later(host.resolve, alert)

    screen.app.push_screen(ConfirmDialog("Nothing to accept", says, "resolve its alert", resolve))
