"""Runs the rules."""

import logging
from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.detect.rule import Operator, Rule
from mcpwatch.detect.rules import RULES
from mcpwatch.model.alerts import Finding
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import ENTRY_KINDS, Observation
from mcpwatch.policy.policy import Policy
from mcpwatch.text import show

logger = logging.getLogger(__name__)


class Failure(Struct):
    """A rule that raised: what it should have said about those entries is not known."""

    rule: str
    error: str
    """Of the first time; may quote untrusted text."""
    count: int = 0


class Engine:
    """All rules over one run of observations, one after the other and in the order of the feed.

    The policy's off-switches, severities and allowances are applied to what the rules find, here and nowhere else.
    A rule that raises ends neither the pipeline nor its neighbours: `failures` counts it, and the log tells once.
    """

    def __init__(
        self, rules: Iterable[type[Rule]] = RULES, operator: Operator | None = None, policy: Policy | None = None
    ) -> None:
        every = self._every = [rule.build(operator or Operator()) for rule in rules]
        self.failures: dict[str, Failure] = {}
        """Rule id -> how it fails."""
        self._of = {
            (kind, word): tuple(rule for rule in every if kind in rule.kinds and (word is None or word in rule.words))
            for kind in ENTRY_KINDS
            for word in (None, *Word)
        }
        self._rejudging = {case: tuple(rule for rule in rules if rule.rejudges) for case, rules in self._of.items()}
        self._of_feed = tuple(rule for rule in every if type(rule).observe_feed is not Rule.observe_feed)
        self.policy = Policy()
        if policy is not None:
            self.follow(policy)

    def follow(self, policy: Policy) -> None:
        """Work by this policy from now on; what the rules remember stays."""
        self.policy = policy
        for rule in self._every:
            rule.follow(policy)

    def observe(self, seen: Observation) -> list[Finding]:
        """What is wrong with this entry. Never raises."""
        table = self._rejudging if seen.rejudged else self._of
        verdict = seen.verdict
        found: list[Finding] = []
        for rule in table.get((seen.kind, None if verdict is None else verdict.word), ()):
            try:
                found.extend(rule.observe(seen))
            except Exception as error:
                self._failed(rule, error)
        return self._told(found, seen.time) if found else found

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> list[Finding]:
        """What is wrong with the way a feed's standing changed. Never raises."""
        found: list[Finding] = []
        for rule in self._of_feed:
            try:
                found.extend(rule.observe_feed(before, after))
            except Exception as error:
                self._failed(rule, error)
        return found

    def _told(self, found: list[Finding], time: float) -> list[Finding]:
        """The findings as the policy wants them; what the feed proves of itself is told as it is."""
        told: list[Finding] = []
        for finding in found:
            own = self.policy.rules.get(finding.rule)
            if (own is not None and own.off) or self.policy.allowance(finding, time) is not None:
                continue
            if own is not None and own.severity is not None:
                finding = replace(finding, severity=own.severity)
            told.append(finding)
        return told

    def _failed(self, rule: Rule, error: Exception) -> None:
        failure = self.failures.get(rule.info.id)
        if failure is None:
            failure = self.failures[rule.info.id] = Failure(rule.info.id, f"{type(error).__name__}: {error}")
            logger.error("rule %s failed: %s", failure.rule, show(failure.error, 200))
        failure.count += 1
