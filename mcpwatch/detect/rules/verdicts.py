"""What the word on the row says of a signature, and one rule for each that is not good."""

from collections.abc import Iterable
from typing import ClassVar

from mcpwatch.detect.phrases import caller_of, cut, named, sentence, signer_subject, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.replay import NSA
from mcpwatch.detect.rules.unsigned import asked_for
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Covered, Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Observation


class WordRule(Rule):
    """Base of the rules that say what a verdict's word says; one alert for each signer and upstream."""

    kinds = ("request",)
    rejudges = True
    says: ClassVar[str]
    """How the reason begins; `{signer}` is the name the signature goes by."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or not self.applies(seen, verdict):
            return
        subject = f"{signer_subject(verdict.signer, verdict.scheme)} at {upstream_of(seen)}"
        yield self.finding(seen, subject, sentence(self.says.format(signer=named(verdict.signer)), self.why(verdict)))

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        """Whether the rule has a say where the word fits."""
        return True

    def why(self, verdict: Verdict) -> str:
        """How the reason ends."""
        return verdict.reasons[0] if verdict.reasons else ""


class BadSignature(WordRule):
    info = RuleInfo(
        id="identity/bad-signature",
        title="Bad signature",
        severity=Severity.CRITICAL,
        meaning="The signature does not fit the request. It was changed on the way, or somebody else made it.",
        action="Do not trust the call. Compare what was signed with what arrived, and ask the agent's owner.",
    )
    words = frozenset({Word.BAD_SIG})
    says = "The signature in the name of {signer} does not fit the request"


class Stale(WordRule):
    info = RuleInfo(
        id="identity/stale",
        title="Stale signature",
        severity=Severity.HIGH,
        meaning="The signature's time is outside the window. "
        "A recorded request looks like this, and so does a wrong clock.",
        action="Check the agent's clock. If it is right, somebody sends old requests.",
        references=(NSA,),
    )
    words = frozenset({Word.STALE})
    says = "The signature in the name of {signer} is not of this time"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return verdict.freshness is not Freshness.FUTURE


class FromTheFuture(WordRule):
    info = RuleInfo(
        id="identity/from-the-future",
        title="Signed in the future",
        severity=Severity.MEDIUM,
        meaning="The signature says that it was made after the request came. "
        "It can be sent again once that time comes.",
        action="Check the clocks of the agent and of the gateway. If both are right, ask who signs ahead, and why.",
        references=(NSA,),
    )
    words = frozenset({Word.STALE})
    says = "The signature in the name of {signer} is ahead of its time"

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return verdict.freshness is Freshness.FUTURE


class SupersededKey(WordRule):
    """Within the grace after a rotation the word is another, and the rule has no say."""

    info = RuleInfo(
        id="identity/superseded-key",
        title="Superseded key",
        severity=Severity.HIGH,
        meaning="The signature holds with a key that its owner had replaced or given up. "
        "A stolen old key looks like this, and so does an agent that was not told.",
        action="Give the agent its current key. If nobody runs it with the old one any more, that key was stolen.",
    )
    words = frozenset({Word.OLD_KEY})
    says = "The signature in the name of {signer} was made with a key that no longer stands"

    def why(self, verdict: Verdict) -> str:
        return f"key {verdict.signer.fingerprint} is {verdict.signer.key_state.value}" if verdict.signer else ""


class UnknownIdentity(WordRule):
    info = RuleInfo(
        id="identity/unknown-identity",
        title="Unknown identity",
        severity=Severity.HIGH,
        meaning="The signature names an identity that nobody knows, so it proves nothing.",
        action="If you know the agent, pin its key: mcpwatch keys add DID KEY. If not, ask who runs it.",
    )
    words = frozenset({Word.UNKNOWN_KEY})
    says = "No key is known for {signer}"


class CannotCheck(WordRule):
    """A request that still waits for its key when it is judged again has waited in vain so far.

    What is no signature that anybody could check counts as an unsigned call does, by its caller: anybody can add a
    header, and must not hide with it among those who do.
    """

    info = RuleInfo(
        id="identity/cannot-check",
        title="Unchecked signature",
        severity=Severity.MEDIUM,
        meaning="There is a signature, but it could not be checked here. The call is not verified.",
        action="Read the reason: a registry may be down, or the scheme is not supported. "
        "A pinned key needs none: mcpwatch keys add DID KEY.",
    )
    words = frozenset({Word.NO_CHECK})

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or (verdict.waiting and not seen.rejudged):
            return
        signer, bound = verdict.signer, seen.session.binding.signer if seen.session else None
        if verdict.signature is SignatureState.UNSUPPORTED:
            asked = asked_for(seen)
            if not asked:
                return
            who = f"{signer_subject(bound)}, unchecked," if bound else caller_of(seen)
            subject = f"{who} with {verdict.scheme}"
            what = f"{asked} came with {cut(verdict.scheme)} and without a signature that can be checked"
        else:
            subject = signer_subject(signer, verdict.scheme)
            what = f"The signature in the name of {named(signer)} could not be checked"
        if bound is not None and (signer is None or signer.id != bound.id):
            what += f", though the session is bound to {named(bound)}"
        yield self.finding(seen, f"{subject} at {upstream_of(seen)}", sentence(what, self.why(verdict)))


class BodyNotCovered(WordRule):
    info = RuleInfo(
        id="identity/body-not-covered",
        title="Body not covered",
        severity=Severity.MEDIUM,
        meaning="The signature is valid but leaves out the body. Anybody between could have changed the call.",
        action="Let the agent sign a digest of the body too.",
    )
    words = frozenset({Word.PARTIAL})
    says = "The valid signature by {signer} leaves out the body"

    def why(self, verdict: Verdict) -> str:
        return "only the tool and its arguments are signed" if Covered.ARGUMENTS in verdict.coverage else ""

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return bool(seen.messages)
