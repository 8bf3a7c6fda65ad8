"""Who signed and how we know: the key first, then whose it is, who says so, and since when."""

from mcpwatch.model.identity import KeyState, Resolution, Signer
from mcpwatch.ui.looks import ASSERTERS, KEYS, RESOLUTIONS
from mcpwatch.ui.times import full
from mcpwatch.ui.widgets.lines import Line, Span, Tone, field, span
from mcpwatch.watch.key_history import Known

UNKNOWN = Known()


def signer_lines(signer: Signer, known: Known = UNKNOWN, *, proven: bool = True, label: str = "identity") -> list[Line]:
    """The identity that a signature names; where it proves nothing, the name is a claim and says so."""
    key = signer.fingerprint
    state = span(f"   {signer.key_state.value}", KEYS[signer.key_state]) if key or _is_told(signer) else ""
    return [
        field("key", span(key or "none known", Tone.STRONG if key else Tone.DIM), state),
        field(label, *called(signer, proven=proven)),
        field("resolved", resolved_by(signer.resolution, known.place)),
        *(since_lines(known, signer.resolution) if key else []),
    ]


def called(signer: Signer, *, proven: bool = True) -> tuple[Span, ...]:
    """The operator's name for the identity, then the identity."""
    name = span(f"{signer.name}  ", Tone.STRONG) if signer.name else span("")
    return (name, span(signer.id)) if proven else (name, span(signer.id, Tone.DIM), span("  claimed", Tone.DIM))


def resolved_by(resolution: Resolution, place: str = "") -> str:
    """How the identity became a key."""
    return f"{RESOLUTIONS[resolution]}{f' at {place}' if place else ''}"


def since_lines(known: Known, resolution: Resolution) -> list[Line]:
    """Since when the key is in use: as seen here, and as whoever was asked asserts."""
    key = known.key
    lines = []
    if key is None or key.seen is None:
        lines.append(field("in use since", span("never seen to sign validly here", Tone.DIM)))
    else:
        seen = span(f"  first seen here, entry {key.seen.first_index}", Tone.DIM)
        lines.append(field("in use since", full(key.seen.first_time), seen))
    asserted = f"  asserted by {ASSERTERS.get(resolution, 'whoever was asked')}"
    if key is not None and key.since is not None:
        lines.append(field("valid from", full(key.since), span(asserted, Tone.DIM)))
    if key is not None and key.until is not None:
        lines.append(field("valid until", full(key.until), span(asserted, Tone.DIM)))
    return lines


def _is_told(signer: Signer) -> bool:
    return signer.key_state is not KeyState.UNKNOWN
