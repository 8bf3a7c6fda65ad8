"""Which tools are for few."""

from typing import Final

from mcpwatch.detect.recent import Recent
from mcpwatch.model.traffic import Observation
from mcpwatch.traffic.tool_class import DESTRUCTIVE

_SERVERS = 1_000
_TOOLS = 1_000
"""Remembered of one server."""
_GUESSED: Final = ("its name says", "its description says")


class Privileges:
    """What the definitions that servers list say of who a tool is for; as last listed."""

    def __init__(self) -> None:
        self._tools: Recent[tuple[str, str], dict[str, str]] = Recent(_SERVERS)

    def __bool__(self) -> bool:
        return len(self._tools) > 0

    def learn(self, seen: Observation) -> None:
        """Take in a list of tools."""
        for change in seen.tools:
            tool = change.tool
            place = (seen.source, tool.upstream)
            known = self._tools.get(place)
            if tool.privileged and known is None:
                known = self._tools.put(place, {})
            if known is None:
                continue
            known.pop(tool.name, None)
            if tool.privileged and len(known) < _TOOLS:
                known[tool.name] = tool.privileged

    def why(self, source: str, upstream: str, tool: str) -> str:
        """What says that a tool is for few; empty where nothing does."""
        known = self._tools.get((source, upstream))
        return known.get(tool, "") if known is not None else ""


def names_role(why: str) -> bool:
    """Whether that says for whom a tool is; that it destroys does not."""
    return bool(why) and why != DESTRUCTIVE


def is_guess(why: str) -> bool:
    """Whether that is read from words and not declared."""
    return why.startswith(_GUESSED)
