"""Definitions of tools as rules look at them: once, when they are listed for the first time or anew."""

from collections.abc import Iterator, Mapping

from mcpwatch.model.entries import Json
from mcpwatch.model.traffic import Observation, Tool, ToolChange


def told(seen: Observation) -> Iterator[ToolChange]:
    """The tools that this entry lists for the first time or with another definition than before."""
    return (change for change in seen.tools if change.is_new or change.is_changed)


def subject(tool: Tool) -> str:
    """What a finding about a tool is about."""
    return f"{tool.name} at {tool.upstream}"


def annotations(definition: Json) -> Mapping[str, Json]:
    """The hints of a definition; none where it has none."""
    said = definition.get("annotations") if isinstance(definition, dict) else None
    return said if isinstance(said, dict) else {}


def description(definition: Json) -> str:
    """What a server says the tool does; empty where it says nothing."""
    said = definition.get("description") if isinstance(definition, dict) else None
    return said if isinstance(said, str) else ""
