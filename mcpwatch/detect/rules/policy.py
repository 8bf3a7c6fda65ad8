"""The policy family: is it allowed here?"""

from collections.abc import Iterable

from mcpwatch.detect.asked import asked, facts, in_words
from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import caller_of, cut, sentence, signer_subject, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import Observation
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.ruling import NOT_PERMITTED, REPLAYABLE, UNREADABLE, refused_caller, refused_signature

_NOT_TOLD = ("", REPLAYABLE)
"""What a ruling on a signature names where no identity rule tells of it: nothing is wrong, or nobody can say so."""


class NotPermitted(Rule):
    """One alert for each caller and server, or tool that has terms of its own.

    A signature that the policy requires and that is not good is told of by the identity rules alone. While a key is
    looked up nobody knows yet who calls.
    """

    info = RuleInfo(
        id=NOT_PERMITTED,
        title="Not permitted",
        severity=Severity.HIGH,
        meaning="The policy does not let this caller do this: its identity, its principal or its role is none of those "
        "that may, or it signs nothing where that has to be.",
        action="If the caller should be able to do it, list it in the policy. If not, let the gateway refuse it.",
        references=("OWASP MCP07",),
    )
    kinds = ("request",)
    rejudges = True
    settles = True
    _is_open = True

    def follow(self, policy: Policy) -> None:
        super().follow(policy)
        self._is_open = all(terms.is_open for terms in policy.every)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if self._is_open or verdict is None or (verdict.waiting and not seen.rejudged):
            return ()
        return self._refused(seen, verdict)

    def _refused(self, seen: Observation, verdict: Verdict) -> Iterable[Finding]:
        who, upstream = caller(seen), upstream_of(seen)
        role, known, at_server = self.policy.role(who), facts(seen, verdict), self.policy.terms(upstream)
        name = signer_subject(who.signer) if who.signer is not None else caller_of(seen)
        told: set[str] = set()
        for one in asked(seen, self.policy):
            refused = refused_caller(one.terms, who, role)
            if refused.allowed or refused_signature(one.terms, known).rule not in _NOT_TOLD:
                continue
            subject = f"{name} at {upstream}" + ("" if one.terms is at_server else f": {one.tool}")
            if subject not in told:
                told.add(subject)
                reason = sentence(f"{in_words(one, seen)} at {cut(upstream)} is not permitted", refused.reason)
                yield self.finding(seen, subject, reason)


class UnreadableCall(Rule):
    """Told by a gateway that enforces the policy, and by nothing else: a watcher reads what any server might read."""

    info = RuleInfo(
        id=UNREADABLE,
        title="Ambiguous call refused",
        severity=Severity.HIGH,
        meaning="The gateway refused a request that servers may read in more than one way. "
        "So a call can be passed off as another.",
        action="Look at the request. No client writes such ones by itself: somebody tries to get around the policy.",
        references=("OWASP MCP07",),
    )


POLICY: tuple[type[Rule], ...] = (NotPermitted, UnreadableCall)
