"""A verdict in plain words: the word, who signed and how we know, what is not covered, what else is signed."""

from collections.abc import Sequence

from mcpwatch.model.identity import (
    PROVEN,
    Covered,
    Evidence,
    OtherSignature,
    Receipt,
    Resolution,
    ServerProof,
    SignatureState,
    Verdict,
    Word,
)
from mcpwatch.ui.looks import FRESHNESS, SIGNATURES, VERDICTS, verdict_cell
from mcpwatch.ui.pages.signer import UNKNOWN, called, signer_lines
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, bullet, field, line, span, title
from mcpwatch.watch.key_history import Known
from mcpwatch.watch.schemes import scheme_title

_COVERS_NOTHING = {
    SignatureState.INVALID: "nothing: a signature that does not hold covers nothing",
    SignatureState.UNRESOLVABLE: "nothing, as long as it is not checked",
}
_ARGUMENTS = "Valid for the tool and its arguments: who asked for what is proven, the rest of the body is not."
_CAME_ALONG = "Valid, fresh, and the body is covered, with a key that came with the request and names nobody by itself."


def verdict_lines(verdict: Verdict, known: Known = UNKNOWN, missing: Sequence[Covered] = ()) -> list[Line]:
    """Word, meaning, reasons; then who, how we know, since when, and what is `missing` in the signature's cover."""
    look = VERDICTS[verdict.word]
    word = verdict_cell(verdict.word)
    lines = [line(Span(word.text, look.tone), "  ", span(_meaning(verdict), Tone.DIM), hang=2)]
    if verdict.waiting:
        lines.append(bullet(span("…", Tone.ACCENT), "its key is being fetched; it will be judged again"))
    lines.extend(bullet(span("•", look.tone), reason) for reason in verdict.reasons)
    lines += [BLANK, *_who(verdict, known), *_axes(verdict), *coverage_lines(verdict, missing)]
    if verdict.receipt is not None:
        lines += [BLANK, *_receipt(verdict.receipt, verdict)]
    if verdict.others:
        lines += [BLANK, *_others(verdict)]
    return lines


def _meaning(verdict: Verdict) -> str:
    if verdict.word is Word.PARTIAL and Covered.ARGUMENTS in verdict.coverage:
        return _ARGUMENTS
    signer = verdict.signer
    if verdict.word is Word.VERIFIED and signer is not None and signer.resolution is Resolution.EMBEDDED:
        return _CAME_ALONG
    return VERDICTS[verdict.word].means


def coverage_lines(verdict: Verdict, missing: Sequence[Covered]) -> list[Line]:
    """What is covered and what is not; nothing for what was not signed."""
    if verdict.signature is not SignatureState.VALID:
        why = _COVERS_NOTHING.get(verdict.signature)
        return [field("covers", span(why, Tone.DIM))] if why else []
    covered = [span(f"✓ {_name(part, verdict)}  ", Tone.GOOD) for part in Covered if part in verdict.coverage]
    open_parts = [span(f"✗ {part.value}  ", Tone.WARN) for part in missing]
    nothing = span("nothing", Tone.DIM)
    return [field("covers", *(covered or [nothing])), field("not covered", *(open_parts or [nothing]))]


def proof_of_server_lines(proof: ServerProof, known: Known = UNKNOWN) -> list[Line]:
    """What the server signed of its answer: who answered, which says nothing of who asked."""
    lines = [
        title("Server, another party than the agent"),
        line(verdict_cell(proof.word, proof.waiting), "  ", span(_SERVER_MEANS[proof.word in PROVEN], Tone.DIM)),
    ]
    if proof.reason:
        lines.append(bullet(span("•", VERDICTS[proof.word].tone), proof.reason))
    if proof.signer is not None:
        lines += signer_lines(proof.signer, known, proven=proof.word in PROVEN, label="server")
    return [*lines, field("signature", scheme_title(proof))]


_SERVER_MEANS = {
    True: "This server provably gave this answer.",
    False: "Nothing proves that this server gave this answer.",
}


def _who(verdict: Verdict, known: Known) -> list[Line]:
    if verdict.signer is None:
        return [field("identity", span("none: nothing in the request proves who sent it", Tone.DIM))]
    return signer_lines(verdict.signer, known, proven=verdict.evidence is Evidence.VERIFIED)


def _axes(verdict: Verdict) -> list[Line]:
    signature, freshness = SIGNATURES[verdict.signature], FRESHNESS[verdict.freshness]
    scheme = f"  {scheme_title(verdict)}" if verdict.scheme else ""
    fresh = [span(f"{freshness.glyph} {verdict.freshness.value}", freshness.tone)]
    if verdict.first_seen is not None:
        fresh.append(span(f"  first seen as entry {verdict.first_seen}", Tone.STRONG))
    return [
        field("signature", span(f"{signature.glyph} {verdict.signature.value}", signature.tone), scheme),
        field("freshness", *fresh),
        field("evidence", verdict.evidence.value),
    ]


def _receipt(receipt: Receipt, verdict: Verdict) -> list[Line]:
    holds = verdict.signature is SignatureState.VALID
    says = span("  signed" if holds else "  claimed: its signature does not hold", Tone.DIM)
    lines = [title("Receipt"), field("receipt", receipt.id, says)]
    if receipt.trace_id:
        lines.append(field("trace", receipt.trace_id))
    lines.append(field("led to by", receipt.parent_id or span("no other receipt: it begins here", Tone.DIM)))
    return lines


def _others(verdict: Verdict) -> list[Line]:
    holds = verdict.signature is SignatureState.VALID
    binds = "It is the one above that counts" if holds else "None of them holds; the worst stands above"
    return [
        title("Other signatures on this request"),
        line(span(f"{binds}.", Tone.DIM)),
        *(each for other in verdict.others for each in _other(other)),
    ]


def _other(other: OtherSignature) -> list[Line]:
    label = f"  {other.label}" if other.label else ""
    head = line(verdict_cell(other.word), f"  {scheme_title(other)}", span(label, Tone.DIM), hang=2)
    lines = [head]
    if other.signer is not None:
        key = span(f"{other.signer.fingerprint}  " if other.signer.fingerprint else "", Tone.STRONG)
        lines.append(bullet(span(" "), key, *called(other.signer, proven=other.word in PROVEN)))
    if other.reason:
        lines.append(bullet(span(" "), span(other.reason, Tone.DIM)))
    return lines


def _name(part: Covered, verdict: Verdict) -> str:
    by_digest = part is Covered.BODY and verdict.body_by_digest
    return f"{part.value}, by digest" if by_digest else part.value
