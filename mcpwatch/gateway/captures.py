"""How much of each exchange enters the log: what its tool's settings say, and the strictest of them in doubt."""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct

from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.bodies import MAX_CONTENT
from mcpwatch.gateway.calls import Call, Unreadable, read_calls
from mcpwatch.gateway.options import CAPTURE, MODES
from mcpwatch.gateway.tables import RESULTLESS_METHODS
from mcpwatch.model.entries import Capture, ToolCapture
from mcpwatch.policy.ruling import TOOL_CALL


class Captures(Struct, frozen=True):
    """What a gateway is told of capture."""

    mode: Capture = CAPTURE
    """For what no rule is about."""
    tools: tuple[ToolCapture, ...] = ()

    def of(self, upstream: str, arrival: Arrival) -> Capture:
        """The mode for a request and its answer."""
        rules = [rule for rule in self.tools if fnmatchcase(upstream, rule.server or "*")]
        if not rules:
            return self.mode
        doubt = strictest((self.mode, *(rule.capture for rule in rules)))
        # Without a body it is a stream, which brings the answers to any call.
        if not arrival.body or len(arrival.body) > MAX_CONTENT:
            return doubt
        try:
            calls = read_calls(arrival.headers, arrival.body).calls
        except Unreadable:
            return doubt
        return strictest(self._of_call(rules, call, doubt) for call in calls)

    def _of_call(self, rules: Sequence[ToolCapture], call: Call, doubt: Capture) -> Capture:
        if call.method == TOOL_CALL:
            return strictest([rule.capture for rule in rules if self._is_for(rule, call.tool)] or [self.mode])
        return self.mode if call.method in RESULTLESS_METHODS else doubt

    def _is_for(self, rule: ToolCapture, tool: str) -> bool:
        """Whether a rule is for a tool; servers may find one in another spelling, so a stricter rule takes any case."""
        if MODES.index(rule.capture) > MODES.index(self.mode):
            return fnmatchcase(tool.casefold(), rule.tool.casefold())
        return fnmatchcase(tool, rule.tool)

    def __str__(self) -> str:
        return ", ".join((self.mode, *(f"{rule.tool}@{rule.server or '*'}: {rule.capture}" for rule in self.tools)))


def strictest(modes: Iterable[Capture]) -> Capture:
    """The one that keeps least."""
    return max(modes, key=MODES.index)
