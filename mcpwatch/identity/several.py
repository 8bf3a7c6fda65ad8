"""Several signatures on one request: which one speaks for it.

The strongest valid one does: covering the body before not, the session id before not, then the better word. Where none
is valid, the worst does.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from mcpwatch.identity.words import RANK
from mcpwatch.model.identity import Covered, OtherSignature, SignatureState, Verdict


def strongest(weighed: Sequence[tuple[Verdict, str]]) -> Verdict:
    """The verdict that speaks for the request, with the others beside it; each comes with its signature's label."""
    verdicts = [verdict for verdict, _ in weighed]
    valid = [verdict for verdict in verdicts if verdict.signature is SignatureState.VALID]
    best = max(valid, key=_strength) if valid else min(verdicts, key=lambda verdict: RANK[verdict.word])
    others = tuple(_other(verdict, label) for verdict, label in weighed if verdict is not best)
    return replace(best, others=others, waiting=any(verdict.waiting for verdict in verdicts))


def _strength(verdict: Verdict) -> tuple[bool, bool, int]:
    return Covered.BODY in verdict.coverage, Covered.SESSION in verdict.coverage, RANK[verdict.word]


def _other(verdict: Verdict, label: str) -> OtherSignature:
    reason = verdict.reasons[0] if verdict.reasons else ""
    return OtherSignature(verdict.word, verdict.scheme, label, verdict.signer, reason)
