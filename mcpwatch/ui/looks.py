"""How each state looks and what it means: one table each. Words carry it, glyphs help, colour comes last."""

from typing import NamedTuple

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.model.feed import FeedState
from mcpwatch.model.identity import Evidence, Freshness, KeyState, Resolution, SignatureState, Strength, Word
from mcpwatch.model.traffic import CallState, EdgeKind, SessionState
from mcpwatch.ui.widgets.lines import Span, Tone, span


class Look(NamedTuple):
    """A glyph of one cell, a tone, and a sentence."""

    glyph: str
    tone: Tone
    means: str = ""


VERDICTS = {
    Word.VERIFIED: Look("✓", Tone.GOOD, "Valid, fresh, from a known key, and the body is covered."),
    Word.PARTIAL: Look(
        "◐", Tone.WARN, "Valid, but the body is not covered: who asked is proven, what was asked is not."
    ),
    Word.UNSIGNED: Look("○", Tone.DIM, "Nobody signed this; nothing proves who sent it."),
    Word.BAD_SIG: Look(
        "✗", Tone.WORST, "The signature does not fit this request: it was changed, forged, or made for another."
    ),
    Word.WRONG_KEY: Look("≠", Tone.WORST, "Validly signed, but not by the signer this session belongs to."),
    Word.REPLAY: Look("↻", Tone.WORST, "These signed bytes were seen before: somebody sends them again."),
    Word.STALE: Look("◔", Tone.WARN, "Signed too long ago, or in the future: it proves nothing about the present."),
    Word.UNKNOWN_KEY: Look("?", Tone.WARN, "The signer names a key that cannot be found."),
    Word.OLD_KEY: Look("◌", Tone.WARN, "Signed with a key that is no longer in force."),
    Word.NO_CHECK: Look("–", Tone.WARN, "Signed in a way that cannot be checked here."),
}

SEVERITIES = {
    Severity.CRITICAL: Look("‼", Tone.WORST, "Look at it at once. The sign is filled where it stands alone."),
    Severity.HIGH: Look("!", Tone.BAD, "Look at it soon. From here on alerts are announced, and quitting asks first."),
    Severity.MEDIUM: Look("▪", Tone.WARN, "A weakness, or a first sign of something worse."),
    Severity.LOW: Look("·", Tone.DIM, "Good to know."),
}

FEEDS = {
    FeedState.CONNECTING: Look("◌", Tone.WARN, "Reaching the gateway."),
    FeedState.LIVE: Look("●", Tone.GOOD, "Entries arrive, and checkpoints prove them."),
    FeedState.STALE: Look(
        "◔", Tone.WARN, "No fresh checkpoint for 15 seconds: what came since is not proven, and more may be withheld."
    ),
    FeedState.GAP: Look("◐", Tone.WARN, "Some entries were passed over; this is not everything that happened."),
    FeedState.BROKEN: Look(
        "✗", Tone.ALARM, "The log contradicts itself or its key. Do not trust what came from it; keep the evidence."
    ),
    FeedState.ROLLBACK: Look(
        "✗", Tone.ALARM, "The log is shorter than what was already proven: somebody took entries back."
    ),
    FeedState.UNPROVEN: Look("○", Tone.WARN, "This feed has no log: nothing proves that it is whole."),
    FeedState.DISCONNECTED: Look("◌", Tone.BAD, "The connection is gone; trying again. What was received stays."),
    FeedState.REFUSED: Look("⊘", Tone.BAD, "The gateway will not have us; not tried again."),
    FeedState.ENDED: Look("■", Tone.DIM, "The source has come to its end."),
}

CALLS = {
    CallState.RUNNING: Look("▸", Tone.ACCENT),
    CallState.DONE: Look("✓", Tone.PLAIN),
    CallState.RPC_ERROR: Look("✗", Tone.BAD),
    CallState.TOOL_ERROR: Look("✗", Tone.BAD),
    CallState.HTTP_ERROR: Look("✗", Tone.BAD),
    CallState.DENIED: Look("⊘", Tone.WARN),
    CallState.INPUT_REQUIRED: Look("?", Tone.ACCENT),
    CallState.CANCELLED: Look("–", Tone.DIM),
    CallState.TRUNCATED: Look("✂", Tone.WARN),
}

SILENT = Look("▹", Tone.WARN, "It runs, and nothing came of it for a minute.")
DOUBTFUL = Look("?", Tone.WARN, "It is not known to have ended, and its end may be among entries that were not seen.")

SIGNATURES = {
    SignatureState.VALID: Look("✓", Tone.GOOD),
    SignatureState.INVALID: Look("✗", Tone.BAD),
    SignatureState.ABSENT: Look("○", Tone.DIM),
    SignatureState.UNSUPPORTED: Look("–", Tone.WARN),
    SignatureState.UNRESOLVABLE: Look("?", Tone.WARN),
}

FRESHNESS = {
    Freshness.FRESH: Look("✓", Tone.GOOD),
    Freshness.STALE: Look("◔", Tone.WARN),
    Freshness.FUTURE: Look("◔", Tone.WARN),
    Freshness.REPLAYED: Look("↻", Tone.BAD),
    Freshness.UNDECIDABLE: Look("–", Tone.WARN),
    Freshness.UNCHECKED: Look("–", Tone.DIM),
}

KEYS = {
    KeyState.CURRENT: Tone.GOOD,
    KeyState.GRACE: Tone.WARN,
    KeyState.SUPERSEDED: Tone.BAD,
    KeyState.GONE: Tone.WARN,
    KeyState.UNKNOWN: Tone.DIM,
}

RESOLUTIONS = {
    Resolution.PINNED: "pinned by you",
    Resolution.DID_KEY: "the key is inside the did:key itself; nobody had to be asked",
    Resolution.DID_WEB: "asked the web site that the did:web names",
    Resolution.REGISTRY: "asked the registry",
    Resolution.DIRECTORY: "asked the key directory of the signer's own site",
    Resolution.JWKS: "listed in a JWKS that you configured",
    Resolution.EMBEDDED: "came with a request itself, and nobody vouches for whose it is",
    Resolution.NONE: "not resolved: no key is known for this name",
}
"""How an identity became a key, as a sentence that a place may follow."""

ASSERTERS = {
    Resolution.PINNED: "you",
    Resolution.DID_WEB: "its web site",
    Resolution.REGISTRY: "the registry",
    Resolution.DIRECTORY: "its key directory",
    Resolution.JWKS: "the JWKS",
}
"""Who says since when a key is whose, as far as anybody does."""

EVIDENCE = {
    Evidence.VERIFIED: Look("✓", Tone.GOOD, "verified"),
    Evidence.ASSERTED: Look("≈", Tone.PLAIN, "asserted"),
    Evidence.CLAIMED: Look("“", Tone.DIM, "claimed"),
    Evidence.ABSENT: Look(" ", Tone.DIM, ""),
}

STRENGTHS = {
    Strength.COVERED: Look(
        "●", Tone.GOOD, "Strong: the signature covers the session id, so nobody else can use it unseen."
    ),
    Strength.EACH: Look(
        "◐", Tone.PLAIN, "Fair: each request so far has the same signer, but no signature covers the session id."
    ),
    Strength.FIRST: Look(
        "◔", Tone.WARN, "Weak: only the first request was signed; whoever holds the session id can go on."
    ),
    Strength.NONE: Look("○", Tone.WARN, "None: whoever holds the session id is taken for the agent."),
}

EDGES = {
    EdgeKind.SIGNED: Look("═", Tone.GOOD, "the caller's signature names the earlier call"),
    EdgeKind.TRACED: Look("─", Tone.PLAIN, "the same trace, as the agent tells"),
    EdgeKind.PROTOCOL: Look("─", Tone.PLAIN, "the protocol ties them"),
    EdgeKind.DATA_FLOW: Look("→", Tone.PLAIN, "what one call returned came back in the other's arguments"),
    EdgeKind.INFERRED: Look("┄", Tone.DIM, "a guess from the time between them"),
}

SESSIONS = {
    SessionState.OPEN: Look("●", Tone.PLAIN),
    SessionState.IDLE: Look("◌", Tone.DIM),
    SessionState.ENDED: Look("■", Tone.DIM),
}

ALERT_STATES = {
    AlertState.FIRING: Tone.PLAIN,
    AlertState.ACKNOWLEDGED: Tone.DIM,
    AlertState.SILENCED: Tone.DIM,
    AlertState.RESOLVED: Tone.DIM,
}

SHORT_STATES = {
    AlertState.FIRING: "firing",
    AlertState.ACKNOWLEDGED: "ack'd",
    AlertState.SILENCED: "silent",
    AlertState.RESOLVED: "done",
}
"""Where a word has six cells."""


def verdict_cell(word: Word, waiting: bool = False) -> Span:
    """Glyph and word of a verdict."""
    look = VERDICTS[word]
    return span(f"{look.glyph} {word.value}{'…' if waiting else ''}", look.tone)


def severity_mark(severity: Severity) -> Span:
    """The severity's glyph alone; a critical one is filled."""
    look = SEVERITIES[severity]
    return span(look.glyph, Tone.ALARM if severity is Severity.CRITICAL else look.tone)


def severity_cell(severity: Severity) -> Span:
    """Glyph and word of a severity."""
    look = SEVERITIES[severity]
    return span(f"{look.glyph} {severity.name.lower()}", look.tone)


def state_cell(state: CallState) -> Span:
    """Glyph and word of a call's state."""
    look = CALLS[state]
    return span(f"{look.glyph} {state.value}", look.tone)
