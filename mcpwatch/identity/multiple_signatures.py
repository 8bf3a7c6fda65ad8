"""Several signatures on one request: which one speaks for it.

The strongest valid one does: covering the body before not, with a key that others know to be somebody's before one
that the agent only brings along, covering the session id before not, then the better word. So nobody takes a signer's
place by adding a signature with a key of his own. Where none is valid, the worst does.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from mcpwatch.identity.verdict_words import RANK
from mcpwatch.model.identity import PROVEN, Covered, OtherSignature, Receipt, Resolution, SignatureState, Verdict

_KNOWN_TO = {
    Resolution.PINNED: 2,
    Resolution.JWKS: 2,
    Resolution.REGISTRY: 1,
    Resolution.DID_WEB: 1,
    Resolution.DIRECTORY: 1,
}
"""Who knows whose key it is: the operator before others; nobody where there is no row. A key counts by any name."""


def strongest(weighed: Sequence[tuple[Verdict, str]]) -> Verdict:
    """The verdict that speaks for the request, with the others beside it; each comes with its signature's label."""
    verdicts = [verdict for verdict, _ in weighed]
    valid = [verdict for verdict in verdicts if verdict.signature is SignatureState.VALID]
    best = _strongest(valid) if valid else min(verdicts, key=lambda verdict: RANK[verdict.word])
    others = tuple(_other(verdict, label) for verdict, label in weighed if verdict is not best)
    waiting = any(verdict.waiting for verdict in verdicts)
    return replace(best, others=others, waiting=waiting, receipt=_receipt(best, valid))


def _receipt(best: Verdict, valid: Sequence[Verdict]) -> Receipt | None:
    """The receipt of the request, where the key that speaks for it signed one, and it is as good."""
    for verdict in (best, *valid):
        if verdict.receipt is not None and verdict.word in PROVEN and _fingerprint(verdict) == _fingerprint(best):
            return verdict.receipt
    return best.receipt


def _fingerprint(verdict: Verdict) -> str:
    return verdict.signer.fingerprint if verdict.signer is not None else ""


def _strongest(valid: Sequence[Verdict]) -> Verdict:
    known: dict[str, int] = {}
    for verdict in valid:
        if verdict.signer is not None:
            by = _KNOWN_TO.get(verdict.signer.resolution, 0)
            known[verdict.signer.fingerprint] = max(by, known.get(verdict.signer.fingerprint, 0))

    def strength(verdict: Verdict) -> tuple[bool, int, bool, int]:
        coverage = verdict.coverage
        by = known.get(_fingerprint(verdict), 0)
        return Covered.BODY in coverage, by, Covered.SESSION in coverage, RANK[verdict.word]

    return max(valid, key=strength)


def _other(verdict: Verdict, label: str) -> OtherSignature:
    reason = verdict.reasons[0] if verdict.reasons else ""
    return OtherSignature(verdict.word, verdict.scheme, label, verdict.signer, reason)
