"""Runs the rules."""

import logging
from collections.abc import Callable, Iterable

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.detect.enforced import Enforced
from mcpwatch.detect.rule import ANSWERS, ANY_CALL, Operator, Rule
from mcpwatch.detect.rules import RULES
from mcpwatch.model.alerts import Finding
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import ENTRY_KINDS, Observation
from mcpwatch.policy.policy import Policy, is_of_feed
from mcpwatch.text import show

logger = logging.getLogger(__name__)


class Failure(Struct):
    """A rule that raised: what it should have said about those entries is not known."""

    rule: str
    error: str
    """Of the first time; may quote untrusted text."""
    count: int = 0


class Quiet(Struct):
    """Findings of one rule that the policy keeps quiet for one reason."""

    rule: str
    reason: str
    """The operator's own words, or that the rule is off."""
    count: int = 0
    last_index: int = -1
    """The newest entry that would have shown one."""


SWITCHED_OFF = "switched off"
_NOTHING, _ANOTHER = "", "another"
_QUIET = 1_000
"""Reasons that are counted apart."""


Due = tuple[Rule, Callable[[Observation], Iterable[Finding]]]
"""A rule with what it is asked by; looked up once, not for each entry."""


def _is_for(rule: Rule, method: str) -> bool:
    """Whether a rule looks at entries that move on one call of a method."""
    return rule.methods is None or (method != _NOTHING and (rule.methods is ANY_CALL or method in rule.methods))


class Engine:
    """All rules over one run of observations, one after the other and in the order of the feed.

    The policy's off-switches, severities and allowances are applied to what the rules find, here and nowhere else;
    `quiet` counts what they keep quiet. A rule that is off goes on remembering, so that it can be switched on.
    A rule that raises ends neither the pipeline nor its neighbours: `failures` counts it, and the log tells once.
    """

    def __init__(
        self, rules: Iterable[type[Rule]] = RULES, operator: Operator | None = None, policy: Policy | None = None
    ) -> None:
        every = self._every = [rule.build(operator or Operator()) for rule in rules]
        self.failures: dict[str, Failure] = {}
        """Rule id -> how it fails."""
        self.quiet: dict[tuple[str, str], Quiet] = {}
        """By rule and reason."""
        self._of = {
            (kind, word): tuple(
                (rule, rule.observe) for rule in every if kind in rule.kinds and (word is None or word in rule.words)
            )
            for kind in ENTRY_KINDS
            for word in (None, *Word)
        }
        self._rejudging = {
            case: tuple(due for due in every_due if due[0].rejudges) for case, every_due in self._of.items()
        }
        named = {method for rule in every for method in rule.methods or ()}
        self._moving = {
            (kind, method): tuple(due for due in self._of[kind, None] if _is_for(due[0], method))
            for kind in ANSWERS
            for method in (_NOTHING, _ANOTHER, *named)
        }
        """By kind and by the method of the one call that an entry moves on."""
        self._enforced = Enforced(every)
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
        found: list[Finding] = []
        for rule, observe in self._due(seen):
            try:
                told = observe(seen)
                if told:
                    found.extend(told)
            except Exception as error:
                self._failed(rule, error)
        if found:
            self._enforced.note(found)
        if seen.exchange is not None and seen.exchange.rule:
            found.extend(self._enforced.refused(seen))
        return self._told(found, seen.time) if found else found

    def observe_feed(self, before: FeedStatus, after: FeedStatus) -> list[Finding]:
        """What is wrong with the way a feed's standing changed. Never raises."""
        found: list[Finding] = []
        for rule in self._of_feed:
            try:
                found.extend(rule.observe_feed(before, after))
            except Exception as error:
                self._failed(rule, error)
        return self._told(found, 0.0) if found else found

    def mended(self, before: FeedStatus, after: FeedStatus) -> list[tuple[str, str]]:
        """The rules whose alerts about a feed are over, as this change shows, each with the reason. Never raises."""
        over: list[tuple[str, str]] = []
        for rule in self._of_feed:
            try:
                why = rule.mended(before, after)
            except Exception as error:
                self._failed(rule, error)
            else:
                over += [(rule.info.id, why)] if why else []
        return over

    def _due(self, seen: Observation) -> tuple[Due, ...]:
        """The rules that look at this entry."""
        kind, verdict, moved = seen.kind, seen.verdict, seen.updated
        if seen.rejudged or kind not in ANSWERS or len(moved) > 1:
            table = self._rejudging if seen.rejudged else self._of
            return table.get((kind, None if verdict is None else verdict.word), ())
        due = self._moving.get((kind, moved[0].method if moved else _NOTHING))
        return self._moving[kind, _ANOTHER] if due is None else due

    def _told(self, found: list[Finding], time: float) -> list[Finding]:
        """The findings as the policy wants them; nothing keeps quiet what the feed proves of itself."""
        told: list[Finding] = []
        for finding in found:
            own = self.policy.rules.get(finding.rule)
            allowance = self.policy.allowance(finding, time)
            if own is not None and own.off and not is_of_feed(finding.rule):
                self._keep_quiet(finding, SWITCHED_OFF)
            elif allowance is not None:
                self._keep_quiet(finding, allowance.reason)
            else:
                severity = finding.severity if own is None or own.severity is None else own.severity
                told.append(finding if severity is finding.severity else replace(finding, severity=severity))
        return told

    def _keep_quiet(self, finding: Finding, reason: str) -> None:
        if (finding.rule, reason) not in self.quiet and len(self.quiet) >= _QUIET:
            reason = "other reasons"
        quiet = self.quiet.setdefault((finding.rule, reason), Quiet(finding.rule, reason))
        quiet.count += 1
        quiet.last_index = max(quiet.last_index, finding.newest)

    def _failed(self, rule: Rule, error: Exception) -> None:
        failure = self.failures.get(rule.info.id)
        if failure is None:
            failure = self.failures[rule.info.id] = Failure(rule.info.id, f"{type(error).__name__}: {error}")
            logger.error("rule %s failed: %s", failure.rule, show(failure.error, 200))
        failure.count += 1
