"""Does a server offer more than anybody can watch?"""

from collections.abc import Iterable

from mcpwatch.detect.phrases import upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Setting, Severity
from mcpwatch.model.traffic import Observation

_SERVERS = 1_000


class ToolFlood(Rule):
    """Told at the limit and each time the number has doubled."""

    info = RuleInfo(
        id="tool/flood",
        title="Flood of tools",
        severity=Severity.MEDIUM,
        meaning="A server lists so many tools that not all their definitions can be held: what changes among them may "
        "go unseen.",
        action="Take the server out of use, or raise the limit if it really offers that many.",
        settings=(Setting("tools", 1_000, "tools that one server may list"),),
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def __init__(self) -> None:
        self._listed: Recent[tuple[str, str], int] = Recent(_SERVERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        new = sum(change.is_new for change in seen.tools) if seen.tools else 0
        if not new:
            return
        server = (seen.source, upstream_of(seen))
        before = self._listed.get(server) or 0
        listed = self._listed.put(server, before + new)
        limit = self.setting("tools")
        while 0 < limit < before:
            limit *= 2
        if 0 < limit < listed:
            yield self.finding(seen, upstream_of(seen), f"{upstream_of(seen)} has listed {listed:,} tools.")
