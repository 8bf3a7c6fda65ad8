"""The shapes of what signatures prove, as `mcpwatch tail --json` prints them within its lines."""

from msgspec import Struct

from mcpwatch.model.identity import Receipt, ServerProof, Signer
from mcpwatch.watch.row import Row, is_as_checked


class SignerLine(Struct, frozen=True):
    """The identity axis."""

    id: str
    """DID, or `key:FINGERPRINT`."""
    fingerprint: str
    """RFC 7638 thumbprint; empty when no key is known."""
    resolution: str
    key_state: str
    name: str
    """What the operator calls it; empty for no name."""


class OtherLine(Struct, frozen=True):
    """A signature beside the one that counts."""

    word: str
    scheme: str
    label: str
    """Which of several, in the scheme's own words."""
    identity: SignerLine | None
    reason: str
    """Why the word is what it is; empty where nothing is wrong."""


class ReceiptLine(Struct, frozen=True):
    """What a signed receipt says of the chain it stands in."""

    id: str
    trace_id: str
    parent_id: str
    """The receipt of the call that led to this one; empty where it begins here."""


class ServerProofLine(Struct, frozen=True):
    """What the server signed of its answer: who answered, not who asked."""

    word: str
    scheme: str
    identity: SignerLine | None
    reason: str
    waiting: bool
    """Its key is being fetched."""


class VerdictLine(Struct, frozen=True):
    """What the request's signature proves: one word, four axes, and why."""

    word: str
    signature: str
    freshness: str
    coverage: tuple[str, ...]
    identity: SignerLine | None
    """None when no identity is named."""
    evidence: str
    scheme: str
    reasons: tuple[str, ...]
    body_by_digest: bool
    waiting: bool
    """A key is being fetched; a `verdict` line follows."""
    first_seen: int | None
    """For a replay: the index at which the signed bytes came first."""
    first_source: str | None
    """The feed that `first_seen` is an entry of; null where it is the request's own."""
    profile: str
    """The named use of the scheme, such as `web-bot-auth`; empty where there is none."""
    uncovered: tuple[str, ...]
    """What of the request the signature does not cover."""
    body_as_checked: bool
    """False where the log carries the signed body masked, cut or not at all: what it shows is not what was checked."""
    others: tuple[OtherLine, ...]
    """The request's other signatures; this one is the one that binds."""
    receipt: ReceiptLine | None


def _signer(signer: Signer | None) -> SignerLine | None:
    if signer is None:
        return None
    return SignerLine(signer.id, signer.fingerprint, signer.resolution.value, signer.key_state.value, signer.name)


def line_of_verdict(row: Row) -> VerdictLine | None:
    """The verdict on a request; None on everything else."""
    verdict = row.verdict
    if verdict is None:
        return None
    request = row.http_request
    return VerdictLine(
        word=verdict.word.value,
        signature=verdict.signature.value,
        freshness=verdict.freshness.value,
        coverage=tuple(part.value for part in verdict.coverage),
        identity=_signer(verdict.signer),
        evidence=verdict.evidence.value,
        scheme=verdict.scheme,
        reasons=verdict.reasons,
        body_by_digest=verdict.body_by_digest,
        waiting=verdict.waiting,
        first_seen=verdict.first_seen,
        first_source=verdict.first_source,
        profile=verdict.profile,
        uncovered=tuple(part.value for part in row.uncovered),
        body_as_checked=is_as_checked(request.body if request is not None else None, verdict),
        others=tuple(
            OtherLine(other.word.value, other.scheme, other.label, _signer(other.signer), other.reason)
            for other in verdict.others
        ),
        receipt=_receipt(verdict.receipt),
    )


def _receipt(receipt: Receipt | None) -> ReceiptLine | None:
    return None if receipt is None else ReceiptLine(receipt.id, receipt.trace_id, receipt.parent_id)


def line_of_proof(proof: ServerProof | None) -> ServerProofLine | None:
    """What a server proves of its answer; None where it signed nothing."""
    if proof is None:
        return None
    return ServerProofLine(proof.word.value, proof.scheme, _signer(proof.signer), proof.reason, proof.waiting)
