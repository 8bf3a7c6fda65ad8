"""What an enforcing gateway refused, whatever the policy is by which this watcher looks."""

from collections.abc import Iterable, Mapping, Sequence

from mcpwatch.detect.callers import caller
from mcpwatch.detect.phrases import caller_of, cut, quote, sentence, signer_subject, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding
from mcpwatch.model.traffic import Exchange, Observation
from mcpwatch.policy.ruling import REFUSALS

_TOLD = 10_000
"""Findings remembered, by entry and rule."""


class Enforced:
    """Tells of each refusal under the rule that the gateway named, unless that rule told of the request itself.

    Where the watcher has another policy than the gateway had, or none, or the gateway a key that is not here, nothing
    but the gateway's word says that something was wrong. Rules that no gateway refuses by are not told on its word.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: Mapping[str, Rule] = {rule.info.id: rule for rule in rules if rule.info.id in REFUSALS}
        self._told: Recent[tuple[str, int, str], bool] = Recent(_TOLD)

    def note(self, found: Sequence[Finding]) -> None:
        """Remember what the rules told of by themselves."""
        for finding in found:
            if finding.rule in self._rules:
                for index in finding.evidence:
                    self._told.put((finding.source, index, finding.rule), True)

    def refused(self, seen: Observation) -> Iterable[Finding]:
        """The refusal that ends here, if there is one to tell of."""
        exchange = seen.exchange
        rule = self._rules.get(exchange.rule) if seen.kind == "end" and exchange is not None else None
        if rule is None or exchange is None or (seen.source, exchange.index, exchange.rule) in self._told:
            return ()
        signer, upstream = caller(seen).signer, upstream_of(seen)
        name = signer_subject(signer, exchange.verdict.scheme) if signer is not None else caller_of(seen)
        reason = sentence(f"The gateway refused {_what(exchange)} at {cut(upstream)}", exchange.reason)
        evidence = (exchange.index, seen.index)
        return (rule.finding(seen, f"{name} at {upstream}", reason, *evidence),)


def _what(exchange: Exchange) -> str:
    """The refused call with its target, and how many came with it; the HTTP method of what is no call."""
    if not exchange.calls:
        return f"a {cut(exchange.method)}"
    call, more = exchange.calls[0], len(exchange.calls) - 1
    named = f"{cut(call.method)} {quote(call.target)}" if call.target else cut(call.method)
    return f"{named} and {more} more" if more else named
