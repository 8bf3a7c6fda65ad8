"""Several signatures on one request: which one speaks for it.

The strongest valid one does: covering the body before not, the session id before not, then the better word. Where none
is valid, the worst does.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from mcpwatch.identity.words import RANK
from mcpwatch.model.identity import Covered, OtherSignature, Receipt, SignatureState, Verdict, Word

_PROVEN = (Word.VERIFIED, Word.PARTIAL)


def strongest(weighed: Sequence[tuple[Verdict, str]]) -> Verdict:
    """The verdict that speaks for the request, with the others beside it; each comes with its signature's label."""
    verdicts = [verdict for verdict, _ in weighed]
    valid = [verdict for verdict in verdicts if verdict.signature is SignatureState.VALID]
    best = max(valid, key=_strength) if valid else min(verdicts, key=lambda verdict: RANK[verdict.word])
    others = tuple(_other(verdict, label) for verdict, label in weighed if verdict is not best)
    waiting = any(verdict.waiting for verdict in verdicts)
    return replace(best, others=others, waiting=waiting, receipt=_receipt(best, valid))


def _receipt(best: Verdict, valid: Sequence[Verdict]) -> Receipt | None:
    """The receipt of the request, where the key that speaks for it signed one, and it is as good."""
    for verdict in (best, *valid):
        if verdict.receipt is not None and verdict.word in _PROVEN and _fingerprint(verdict) == _fingerprint(best):
            return verdict.receipt
    return best.receipt


def _fingerprint(verdict: Verdict) -> str:
    return verdict.signer.fingerprint if verdict.signer is not None else ""


def _strength(verdict: Verdict) -> tuple[bool, bool, int]:
    return Covered.BODY in verdict.coverage, Covered.SESSION in verdict.coverage, RANK[verdict.word]


def _other(verdict: Verdict, label: str) -> OtherSignature:
    reason = verdict.reasons[0] if verdict.reasons else ""
    return OtherSignature(verdict.word, verdict.scheme, label, verdict.signer, reason)
