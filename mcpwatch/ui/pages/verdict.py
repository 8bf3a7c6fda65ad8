"""A verdict in plain words: the word, its four axes, why, and what the signature does not cover."""

from mcpwatch.model.identity import Covered, SignatureState, Signer, Verdict, uncovered
from mcpwatch.ui.lines import BLANK, Line, Span, Tone, bullet, field, line, pair, span, title
from mcpwatch.ui.looks import FRESHNESS, KEYS, SIGNATURES, VERDICTS, verdict_cell

_COVERAGE_CELLS = 24
_COVERED = span("✓", Tone.GOOD)
_NOT_COVERED = span("✗", Tone.WARN)


def verdict_lines(verdict: Verdict) -> list[Line]:
    """Word, meaning, axes, reasons."""
    look = VERDICTS[verdict.word]
    word = verdict_cell(verdict.word)
    lines = [line(Span(word.text, look.tone), "  ", span(look.means, Tone.DIM), hang=2)]
    if verdict.waiting:
        lines.append(bullet(span("…", Tone.ACCENT), "its key is being fetched; it will be judged again"))
    lines.extend(bullet(span("•", look.tone), reason) for reason in verdict.reasons)
    return [*lines, BLANK, *_axes(verdict), BLANK, *coverage_lines(verdict)]


def signer_lines(signer: Signer) -> list[Line]:
    """The identity a signature names: the key's fingerprint comes first."""
    return [
        field("key", span(signer.fingerprint or "none known", Tone.STRONG if signer.fingerprint else Tone.DIM)),
        field("identity", signer.id),
        field(
            "resolved by", signer.resolution.value, "   key is ", span(signer.key_state.value, KEYS[signer.key_state])
        ),
    ]


def coverage_lines(verdict: Verdict) -> list[Line]:
    """Two columns, what is covered and what is not; nothing for what was not signed."""
    if verdict.signature in (SignatureState.ABSENT, SignatureState.UNSUPPORTED):
        return []
    covered = [part for part in Covered if part in verdict.coverage]
    missing = uncovered(verdict)
    heads = line(span("covered", Tone.TITLE)), line(span("not covered", Tone.TITLE))
    left = [bullet(_COVERED, _name(part, verdict)) for part in covered] or [line(span("nothing", Tone.DIM))]
    right = [bullet(_NOT_COVERED, span(part.value, Tone.DIM)) for part in missing] or [line(span("nothing", Tone.DIM))]
    height = max(len(left), len(right))
    left += [BLANK] * (height - len(left))
    right += [BLANK] * (height - len(right))
    rows = [pair(one, other, _COVERAGE_CELLS) for one, other in zip(left, right, strict=True)]
    return [title("What the signature covers"), pair(*heads, _COVERAGE_CELLS), *rows]


def _axes(verdict: Verdict) -> list[Line]:
    signature, freshness = SIGNATURES[verdict.signature], FRESHNESS[verdict.freshness]
    scheme = f"  {verdict.scheme}" if verdict.scheme else ""
    fresh = [span(f"{freshness.glyph} {verdict.freshness.value}", freshness.tone)]
    if verdict.first_seen is not None:
        fresh.append(span(f"  first seen as entry {verdict.first_seen}", Tone.STRONG))
    lines = [field("signature", span(f"{signature.glyph} {verdict.signature.value}", signature.tone), scheme)]
    lines += signer_lines(verdict.signer) if verdict.signer else [field("identity", span("none", Tone.DIM))]
    return [*lines, field("freshness", *fresh), field("how we know", verdict.evidence.value)]


def _name(part: Covered, verdict: Verdict) -> str:
    by_digest = part is Covered.BODY and verdict.body_by_digest
    return f"{part.value}, by digest" if by_digest else part.value
