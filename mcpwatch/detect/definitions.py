"""Definitions of tools as rules look at them: once, when they are listed for the first time or anew."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from mcpwatch.detect.strings import Found, strings
from mcpwatch.model.entries import Json
from mcpwatch.model.tools import Tool, ToolChange
from mcpwatch.model.traffic import Observation


class Told:
    """A tool that an entry lists for the first time, or with another definition than before."""

    def __init__(self, change: ToolChange) -> None:
        self.tool = change.tool
        self.is_changed = change.is_changed

    @cached_property
    def texts(self) -> Sequence[Found]:
        """Every string of the definition."""
        return list(strings(self.tool.definition))

    @cached_property
    def whole(self) -> str:
        """Every string of the definition, one after the other: what is not in here is in none of them."""
        return " ".join([found.text for found in self.texts])


class _Looked:
    """The entry looked at last and what it tells: several rules look at one entry, one after the other."""

    seen: Observation | None = None
    told: Sequence[Told] = ()


def told(seen: Observation) -> Sequence[Told]:
    """The tools that this entry lists for the first time or anew. Asked again at once, it costs nothing."""
    if not seen.tools:
        return ()
    if seen is not _Looked.seen:
        _Looked.told = [Told(change) for change in seen.tools if change.is_new or change.is_changed]
        _Looked.seen = seen
    return _Looked.told


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
