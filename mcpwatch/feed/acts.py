"""Logs that take acts (SPEC.md, section 8)."""

from typing import Protocol, runtime_checkable

from msgspec import Struct

from mcpwatch.errors import McpwatchError
from mcpwatch.model.entries import AlertActed, Count


@runtime_checkable
class ActLog(Protocol):
    """A feed whose log takes acts."""

    async def post(self, acted: AlertActed) -> int:
        """Write an act and return its index; raises ConnectError, RefusedError, and ActConflict."""
        ...


class ActConflict(McpwatchError):
    """Somebody acted on the same alert, and the author did not know."""


class Accepted(Struct, frozen=True):
    """What a gateway answers when the act is in its log."""

    index: Count
