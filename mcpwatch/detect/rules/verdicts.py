"""What the word on the row says of a signature, and one rule for each that is not good."""

from collections.abc import Iterable
from typing import ClassVar

from mcpwatch.detect.asked import asked, facts, in_words, strictest
from mcpwatch.detect.phrases import caller_of, cut, named, sentence, signer_subject, together, upstream_of
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules.replay import NSA
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import Covered, Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Observation
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.ruling import is_too_old, not_covered
from mcpwatch.policy.terms import Signatures


class WordRule(Rule):
    """Base of the rules that say what a verdict's word says; one alert for each signer and upstream.

    Where the policy requires signatures, whatever is no good one is at least high.
    """

    kinds = ("request",)
    rejudges = True
    settles = True
    says: ClassVar[str]
    """How the reason begins; `{signer}` is the name the signature goes by."""

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or not self.applies(seen, verdict):
            return
        subject = f"{signer_subject(verdict.signer, verdict.scheme)} at {upstream_of(seen)}"
        what = sentence(self.says.format(signer=named(verdict.signer)), self.why(verdict))
        yield self.finding(seen, subject, what, at_least=self.at_least(seen))

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        """Whether the rule has a say where the word fits."""
        return True

    def at_least(self, seen: Observation) -> Severity:
        """How bad it is by the terms of what is asked for."""
        one = strictest(asked(seen, self.policy))
        required = one is not None and one.terms.signatures is Signatures.REQUIRED
        return Severity.HIGH if required else Severity.LOW

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
    """Also where the signature is good by this watcher's window and too old by the policy's."""

    info = RuleInfo(
        id="identity/stale",
        title="Stale signature",
        severity=Severity.HIGH,
        meaning="The signature's time is outside the window. "
        "A recorded request looks like this, and so does a wrong clock.",
        action="Check the agent's clock. If it is right, somebody sends old requests.",
        references=(NSA,),
    )
    words = frozenset({Word.STALE, Word.VERIFIED, Word.PARTIAL})
    says = "The signature in the name of {signer} is not of this time"
    _has_ages = False

    def follow(self, policy: Policy) -> None:
        super().follow(policy)
        self._has_ages = any(terms.max_age is not None for terms in policy.every)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or verdict.word is Word.STALE:
            return super().observe(seen)
        return self._by_policy(seen, verdict) if self._has_ages else ()

    def applies(self, seen: Observation, verdict: Verdict) -> bool:
        return verdict.freshness is not Freshness.FUTURE

    def _by_policy(self, seen: Observation, verdict: Verdict) -> Iterable[Finding]:
        known = facts(seen, verdict)
        one = next((one for one in asked(seen, self.policy) if is_too_old(one.terms, known)), None)
        if one is None or one.terms.max_age is None:
            return
        age = "does not say when it was made" if known.age is None else f"is {known.age:.0f} s old"
        reason = f"The signature by {named(verdict.signer)} {age}; the policy allows {one.terms.max_age:g} s."
        subject = f"{signer_subject(verdict.signer, verdict.scheme)} at {upstream_of(seen)}"
        yield self.finding(seen, subject, reason)


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
            one = strictest(asked(seen, self.policy))
            if one is None:
                return
            who = f"{signer_subject(bound)}, unchecked," if bound else caller_of(seen)
            subject = f"{who} with {verdict.scheme}"
            scheme = cut(verdict.scheme)
            what = f"{in_words(one, seen)} came with {scheme} and without a signature that can be checked"
        else:
            subject = signer_subject(signer, verdict.scheme)
            what = f"The signature in the name of {named(signer)} could not be checked"
        if bound is not None and (signer is None or signer.id != bound.id):
            what += f", though the session is bound to {named(bound)}"
        reason = sentence(what, self.why(verdict))
        yield self.finding(seen, f"{subject} at {upstream_of(seen)}", reason, at_least=self.at_least(seen))


class BodyNotCovered(WordRule):
    """What has to be covered is the body, unless the policy says otherwise."""

    info = RuleInfo(
        id="identity/body-not-covered",
        title="Body not covered",
        severity=Severity.MEDIUM,
        meaning="The signature is valid but leaves out the body, or what else the policy wants signed. "
        "Anybody between could have changed the call.",
        action="Let the agent sign a digest of the body too, and what the policy asks for.",
    )
    words = frozenset({Word.VERIFIED, Word.PARTIAL})
    _wants_more = False

    def follow(self, policy: Policy) -> None:
        super().follow(policy)
        self._wants_more = any(set(terms.covers) - {Covered.BODY} for terms in policy.every)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or (verdict.word is Word.VERIFIED and not self._wants_more) or not seen.messages:
            return
        wanted = [one.terms for one in asked(seen, self.policy)] or [self.policy.terms(upstream_of(seen))]
        if all(part in verdict.coverage for terms in wanted for part in terms.covers):
            return
        known = facts(seen, verdict)
        left_out = {part for terms in wanted for part in not_covered(terms, known)}
        missing = [part for part in Covered if part in left_out]
        if not missing:
            return
        parts = together([_NAMES.get(part, f"the {part.value}") for part in missing])
        only_arguments = Covered.BODY in missing and Covered.ARGUMENTS in verdict.coverage
        why = "only the tool and its arguments are signed" if only_arguments else ""
        reason = sentence(f"The valid signature by {named(verdict.signer)} leaves out {parts}", why)
        subject = f"{signer_subject(verdict.signer, verdict.scheme)} at {upstream_of(seen)}"
        yield self.finding(seen, subject, reason, at_least=self.at_least(seen))


_NAMES = {Covered.MCP: "its MCP method and name"}
