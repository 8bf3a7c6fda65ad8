"""From four axes to one word: the table of precedence."""

from collections.abc import Callable

from msgspec import Struct

from mcpwatch.model.identity import Covered, Freshness, KeyState, SignatureState, Word


class Axes(Struct, frozen=True, gc=False):
    """What the word is made from."""

    signature: SignatureState
    freshness: Freshness
    key_state: KeyState
    coverage: tuple[Covered, ...]
    no_such_identity: bool = False


_VALID, _INVALID, _ABSENT = SignatureState.VALID, SignatureState.INVALID, SignatureState.ABSENT
_UNCHECKED = (SignatureState.UNSUPPORTED, SignatureState.UNRESOLVABLE)
_REPLAYED, _FRESH = Freshness.REPLAYED, Freshness.FRESH
_OFF_TIME = (Freshness.STALE, Freshness.FUTURE)
_USABLE = (KeyState.CURRENT, KeyState.GRACE)
_BODY = Covered.BODY

WORDS: tuple[tuple[Word, str, Callable[[Axes], bool]], ...] = (
    (
        Word.BAD_SIG,
        "the signature, or the body under it, does not hold",
        lambda axes: axes.signature is _INVALID,
    ),
    (
        Word.REPLAY,
        "it holds, and the same signed octets came before",
        lambda axes: axes.freshness is _REPLAYED,
    ),
    (
        Word.UNKNOWN_KEY,
        "whoever must know says that there is no such identity",
        lambda axes: axes.no_such_identity,
    ),
    (
        Word.OLD_KEY,
        "it holds with a key that its owner had given up by then",
        lambda axes: axes.signature is _VALID and axes.key_state not in _USABLE,
    ),
    (
        Word.STALE,
        "it holds, and was made too long before the request, or after it",
        lambda axes: axes.freshness in _OFF_TIME,
    ),
    (
        Word.NO_CHECK,
        "there is a signature and it could not be checked",
        lambda axes: axes.signature in _UNCHECKED,
    ),
    (
        Word.UNSIGNED,
        "there is no signature",
        lambda axes: axes.signature is _ABSENT,
    ),
    (
        Word.PARTIAL,
        "it holds, and does not cover the body or does not say when it was made",
        lambda axes: _BODY not in axes.coverage or axes.freshness is not _FRESH,
    ),
    (Word.VERIFIED, "it holds, is fresh, covers the body, and its signer is known", lambda axes: True),
)
"""Worst first: the first row that holds gives the word. WRONG KEY is given later, by who knows the session."""

RANK = {word: rank for rank, (word, _, _) in enumerate(WORDS)}


def word(axes: Axes) -> Word:
    """The word for the row."""
    if (
        axes.signature is _VALID
        and axes.freshness is _FRESH
        and axes.key_state in _USABLE
        and _BODY in axes.coverage
        and not axes.no_such_identity
    ):
        return Word.VERIFIED  # what the table comes to, sooner
    for name, _, holds in WORDS:
        if holds(axes):
            return name
    raise AssertionError("the last row always holds")
