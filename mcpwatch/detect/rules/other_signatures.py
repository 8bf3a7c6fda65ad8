"""Does a signature fail beside the one that counts: another on the request, or the server's on the answer?"""

from collections.abc import Iterable

from mcpwatch.detect.phrases import cut, named, sentence, signer_subject, upstream_of
from mcpwatch.detect.rule import SIGNED, Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.identity import SignatureState, Verdict, Word
from mcpwatch.model.traffic import Observation

_FORGED = frozenset({Word.BAD_SIG, Word.REPLAY, Word.WRONG_KEY})


class BadSignatureBesideGood(Rule):
    info = RuleInfo(
        id="identity/bad-signature-beside-good",
        title="Bad second signature",
        severity=Severity.HIGH,
        meaning="Beside the valid signature the request carries one that does not hold. "
        "A server that looks at that one, or at any of them, takes the call for somebody else's.",
        action="Find out who adds the second signature. Let the server say which one it goes by.",
    )
    kinds = ("request",)
    words = SIGNED
    rejudges = True

    def observe(self, seen: Observation) -> Iterable[Finding]:
        verdict = seen.verdict
        if verdict is None or not verdict.others or verdict.signature is not SignatureState.VALID:
            return ()
        return self._beside(seen, verdict)

    def _beside(self, seen: Observation, verdict: Verdict) -> Iterable[Finding]:
        for other in verdict.others:
            if other.word in _FORGED:
                what = (
                    f"Beside the valid signature by {named(verdict.signer)} there is one in the name of "
                    f"{named(other.signer)} ({cut(other.scheme)}) that does not hold: {other.word}"
                )
                subject = f"{signer_subject(other.signer, other.scheme)} beside {signer_subject(verdict.signer)}"
                yield self.finding(seen, f"{subject} at {upstream_of(seen)}", sentence(what, other.reason))


class BadServerProof(Rule):
    info = RuleInfo(
        id="identity/bad-server-proof",
        title="Bad server proof",
        severity=Severity.HIGH,
        meaning="The server's own signature on its answer does not fit the answer, or was used before. "
        "Somebody between may have changed what the agent read.",
        action="Do not trust the answer. Compare what the server sent with what arrived, and ask who runs it.",
    )
    kinds = ("message",)
    rejudges = True

    def observe(self, seen: Observation) -> Iterable[Finding]:
        proof = seen.proof
        if proof is None or proof.word not in _FORGED:
            return ()
        what = f"The {cut(proof.scheme)} proof in the name of {named(proof.signer)} does not hold: {proof.word}"
        evidence = (seen.exchange.index, seen.index) if seen.exchange else (seen.index,)
        subject = f"{signer_subject(proof.signer, proof.scheme)} at {upstream_of(seen)}"
        return (self.finding(seen, subject, sentence(what, proof.reason), *evidence),)
