"""Is this everything that happened?"""

from collections.abc import Iterable

from mcpwatch.detect.phrases import sentence
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.feed import STALE_AFTER, FeedState, FeedStatus
from mcpwatch.model.traffic import Observation

_MCP08 = ("OWASP MCP08",)


class FeedRule(Rule):
    """Base of the rules on the log's standing; the feed is the subject."""

    def about(self, feed: FeedStatus, reason: str, *evidence: int) -> Finding:
        """A finding on `feed`, which most often no single entry shows."""
        return Finding(
            rule=self.info.id,
            severity=self.info.severity,
            subject=feed.name or feed.address,
            reason=reason,
            evidence=evidence,
            source=feed.name,
            at=feed.next_index - 1,
        )


class Gap(FeedRule):
    info = RuleInfo(
        id="feed/gap",
        title="Gap in the feed",
        severity=Severity.HIGH,
        meaning="Entries of the log did not reach this watcher. What they hold is not shown and not checked.",
        action="Read the missing entries from the gateway's journal, or from another watcher's recording.",
        references=_MCP08,
    )

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        for gap in after.gaps:
            if gap not in before.gaps:
                reason = sentence(f"Entries {gap.first} to {gap.last} are missing", gap.reason)
                edges = [index for index in (gap.first - 1, gap.last + 1) if index >= 0]
                yield self.about(after, reason, *edges)


class StaleFeed(FeedRule):
    info = RuleInfo(
        id="feed/stale",
        title="No sign of the feed",
        severity=Severity.HIGH,
        meaning="No fresh checkpoint came for 15 seconds and the gateway did not say that it stops. "
        "It may be dead or cut off, or somebody holds entries back.",
        action="Check the gateway and the network between. Until a checkpoint comes, quiet does not mean good.",
        references=_MCP08,
    )

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        if after.overdue and not before.overdue:
            what = f"No fresh checkpoint came for {STALE_AFTER:.0f} s; the feed is {after.state.value}"
            yield self.about(after, sentence(what, after.detail))

    def mended(self, before: FeedStatus, after: FeedStatus) -> str:
        is_over = before.overdue and not after.overdue
        return f"a checkpoint is overdue no more; the feed is {after.state.value}" if is_over else ""


class Broken(FeedRule):
    info = RuleInfo(
        id="feed/broken",
        title="Feed is broken",
        severity=Severity.CRITICAL,
        meaning="The log contradicts itself, its key, or what was proven before. Entries were changed or put in.",
        action="Trust nothing from this feed since its last good checkpoint. Keep both checkpoints as evidence.",
        references=_MCP08,
    )

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        if after.state is FeedState.BROKEN and after.state is not before.state:
            yield self.about(after, sentence("The log is BROKEN", after.detail))


class Rollback(FeedRule):
    info = RuleInfo(
        id="feed/rollback",
        title="Log was rolled back",
        severity=Severity.CRITICAL,
        meaning="The log is shorter than what it has signed. Entries that this watcher saw proven are gone from it.",
        action="Keep this watcher's copy: it may be the only one. Ask who restored or cut the gateway's journal.",
        references=_MCP08,
    )

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        if after.state is FeedState.ROLLBACK and after.state is not before.state:
            yield self.about(after, sentence("The log was rolled back", after.detail))


class Unproven(FeedRule):
    info = RuleInfo(
        id="feed/unproven",
        title="Feed without a log",
        severity=Severity.HIGH,
        meaning="This feed publishes no signed log. Nothing proves that its entries are true, in order or complete.",
        action="Put a gateway that keeps a log in front of the servers, or take what this one says for hearsay.",
        references=_MCP08,
    )

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> Iterable[Finding]:
        if after.state is FeedState.UNPROVEN and after.state is not before.state:
            yield self.about(after, "The feed has no log: nothing proves what comes from it.")


class Malformed(Rule):
    """One alert a feed, with a count."""

    info = RuleInfo(
        id="feed/malformed",
        title="Malformed entries",
        severity=Severity.MEDIUM,
        meaning="The gateway logged something that is not an entry. It is kept as it came and not interpreted.",
        action="Check that gateway and watcher speak the same version of the feed.",
        references=_MCP08,
    )
    kinds = ("malformed",)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        yield self.finding(seen, seen.source or "feed", sentence(f"Entry {seen.index} cannot be read", seen.note))


FEED: tuple[type[Rule], ...] = (Gap, StaleFeed, Broken, Rollback, Unproven, Malformed)
