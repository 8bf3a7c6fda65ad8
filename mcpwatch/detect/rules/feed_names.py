"""Is this feed of the log that it says it is of?"""

from collections.abc import Iterable

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.feed import FeedRule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.feed import FeedStatus


class SameName(FeedRule):
    """Of two logs under one name the one that was met first is believed; there are as many as the operator watches."""

    info = RuleInfo(
        id="feed/same-name",
        title="Two logs under one name",
        severity=Severity.HIGH,
        meaning="Two feeds say that they are the same log, and have different keys. "
        "One of them is another log, or poses as the one. No act in the one that was met last counts.",
        action="Ask whoever runs the gateway which key is its own, and watch that feed alone.",
        references=("OWASP MCP08",),
    )

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, str]] = {}
        """A log's origin -> its verifier key, and the feed that was met first."""

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        if not after.origin or (before.origin, before.key) == (after.origin, after.key):
            return
        key, first = self._known.setdefault(after.origin, (after.key, after.name))
        if key != after.key:
            yield self.about(after, f"It says that it is {after.origin}, as {first} does with another key.")


FEED_NAMES: tuple[type[Rule], ...] = (SameName,)
