"""A signer to read about: the key first, then where and how often it was seen."""

from mcpwatch.model.identity import Word
from mcpwatch.ui.lines import BLANK, Line, Tone, field, line, span, title
from mcpwatch.ui.looks import KEYS, verdict_cell
from mcpwatch.ui.times import ago, count, full
from mcpwatch.watch.identities import Identity

_SHOWN = 12


def identity_page(identity: Identity, now: float) -> list[Line]:
    """The whole identity."""
    lines = [
        title("Key"),
        field("fingerprint", span(identity.fingerprint or "none known", Tone.STRONG)),
        field("identity", identity.id),
        field("resolved by", identity.resolution.value),
        field("key is", span(identity.key_state.value, KEYS[identity.key_state])),
    ]
    if len(identity.fingerprints) > 1:
        lines.append(field("keys before", *[span(f"{each} ") for each in identity.fingerprints[:-1]]))
    lines += [BLANK, title("Requests in its name, by verdict"), *_words(identity)]
    lines += [
        BLANK,
        title("Seen"),
        field("proven", f"{count(identity.proven, 'request')} that it provably sent"),
        field("first", full(identity.first_time), span(f"  entry {identity.first_index}", Tone.DIM)),
        field("last", ago(now, identity.last_time), span(f"  entry {identity.last_index}", Tone.DIM)),
        field("sessions", f"{len(identity.sessions):,}"),
        field("servers", _some(sorted(identity.upstreams))),
        field("tools", _some([f"{name} ×{count}" for name, count in identity.tools.most_common(_SHOWN)])),
        field("peers", _some(sorted(identity.peers))),
        field("calls itself", span(_some(sorted(identity.claimed_names)), Tone.DIM), span("  claimed", Tone.DIM)),
    ]
    return lines


def identity_facts(identity: Identity) -> dict[str, object]:
    """The identity as JSON."""
    return {
        "id": identity.id,
        "fingerprint": identity.fingerprint,
        "resolution": identity.resolution.value,
        "key_state": identity.key_state.value,
        "proven": identity.proven,
        "words": {word.value: count for word, count in identity.words.items() if count},
    }


def _words(identity: Identity) -> list[Line]:
    return [
        line(span(f"{identity.words[word]:>9,}  "), verdict_cell(word))
        for word in Word
        if identity.words.get(word, 0) > 0
    ]


def _some(values: list[str]) -> str:
    more = f" … {len(values) - _SHOWN:,} more" if len(values) > _SHOWN else ""
    return ", ".join(values[:_SHOWN]) + more if values else "–"
