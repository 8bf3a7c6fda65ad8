"""Does it come without a signature?"""

from collections.abc import Iterable

from mcpwatch.detect.asked import asked, in_words, strictest
from mcpwatch.detect.phrases import caller_of, named, signer_subject, upstream_of
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.replay import NSA
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Word
from mcpwatch.model.traffic import Observation
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.terms import Signatures

_ANY = Policy()
_REQUIRED, _LOW = Signatures.REQUIRED, Severity.LOW
_CALLERS = 2_000
_COUNTED = 1_000
"""Sessions counted of one caller."""


class UnsignedCall(Rule):
    """One alert for each caller and server, since a client may open a session for every run.

    What only starts or keeps up the connection, and notifications, do not count; a body that the log does not carry
    does. It is high where the policy requires signatures, and nothing where it wants none.
    """

    info = RuleInfo(
        id="identity/unsigned-call",
        title="Unsigned call",
        severity=Severity.MEDIUM,
        meaning="An agent calls without a signature. Nothing proves which agent it is.",
        action="Let the agent sign its requests, or take note that this caller stays unproven.",
        references=("OWASP MCP07", NSA),
    )
    kinds = ("request",)
    words = frozenset({Word.UNSIGNED})

    def __init__(self) -> None:
        self._sessions: Recent[tuple[str, str], set[str]] = Recent(_CALLERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        one = strictest(asked(seen, self.policy)) if seen.verdict is not None else None
        if one is None:
            return ()
        bound = seen.session.binding.signer if seen.session else None
        but = f", though the session is bound to {named(bound)}" if bound else ""
        caller = f"{signer_subject(bound)}, unsigned," if bound else caller_of(seen)
        subject = f"{caller} at {upstream_of(seen)}"
        required = one.terms.signatures is _REQUIRED
        needs = "; the policy requires one" if required else ""
        reason = f"{in_words(one, seen)} came without a signature{but}{self._spread(seen, subject)}{needs}."
        return (self.finding(seen, subject, reason, at_least=Severity.HIGH if required else _LOW),)

    def _spread(self, seen: Observation, subject: str) -> str:
        """In how many sessions the caller did so, once there are several."""
        if seen.session is None:
            return ""
        place = (seen.source, subject)
        known = self._sessions.get(place) or self._sessions.put(place, set())
        if len(known) < _COUNTED:
            known.add(seen.session.key)
        some = "at least " if len(known) == _COUNTED else ""
        return f"; {some}{len(known)} sessions so far" if len(known) > 1 else ""


def asked_for(seen: Observation) -> str:
    """The first call that counts, with its target, or `A request` where its method did not travel; else empty."""
    first = next(iter(asked(seen, _ANY)), None)
    return in_words(first, seen) if first is not None else ""
