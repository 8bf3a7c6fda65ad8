"""Text that speaks to the model that reads it: what gives it away, and how much each sign is worth.

Tools are described in orders ("always pass the id"), so an order alone says nothing. Two points are enough.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mcpwatch.detect.phrases import cut

ENOUGH: Final = 2
"""Points at which text is held to be planted."""
MAX_TEXT: Final = 20_000
"""Characters read of one string."""

_QUOTED = 80


Needs = tuple[tuple[str, ...], ...]


class Sign(NamedTuple):
    """What planted text does, in words that follow its place."""

    does: str
    points: int
    pattern: str
    needs: Needs = ()
    """Where data seldom has it by itself, so that results are searched too: words of which some from each group are
    there; nearly no answer has them, so nearly none is searched any further."""
    spaced: bool = False
    """Whether it is looked for in the text as it is; else in lower case, with a blank between words."""


_NOT = r"(?:do not|don't|don’t|never|must not|should not)"
_USER = r"(?:the |any |your )?(?:user|human|person|operator|anyone|anybody)\b"

SIGNS: Final = (
    Sign(
        "sets other instructions aside",
        2,
        r"\b(?:ignore|disregard|forget|override|bypass) (?:\w+ ){0,3}"
        r"(?:previous|prior|earlier|above|your|system|safety) (?:\w+ ){0,2}"
        r"(?:instructions?|rules|guidelines|prompts?|directives|messages)\b"
        r"|\b(?:ignore|disregard|forget) (?:all |any |of |the |other )*instructions\b",
        needs=(("instruction", "prompt"), ("ignor", "disregard", "forget", "overrid", "bypass")),
    ),
    Sign(
        "asks to keep something from the user",
        2,
        rf"\b(?:{_NOT}|without) (?:ever )?(?:tell|inform|alert|notify|warn)(?:ing)? {_USER}"
        r"(?! (?:the|a|an|to|which|how)\b)"
        rf"|\b{_NOT} (?:mention|reveal|disclose|report) (?:this|that|it|these|any of this|the (?:above|call))"
        rf"(?: \w+){{0,3}} to {_USER}|\bkeep (?:this|it) (?:a )?(?:secret|hidden) from {_USER}",
        needs=(
            ("user",),
            ("not ", "n't", "n’t", "never", "without", "keep"),
            ("tell", "inform", "alert", "notify", "warn", "mention", "reveal", "disclose", "report", "secret", "hid"),
        ),
    ),
    Sign(
        "poses as a message of the system",
        2,
        r"</?important>|<\|im_start\|>|\[/?inst\]",
        needs=(("<", "["), ("important>", "im_start", "inst]")),
    ),
    Sign("poses as a message of the system", 2, r"</?(?:system|secret|hidden|admin)>|\[system\]"),
    Sign("hides text in a comment or behind blanks", 1, r"<!--|\s{80}\s*\S|\n{20}\n*\S", spaced=True),
    Sign(
        "names keys, settings or talk that are not its own",
        1,
        r"~/\.\w[\w./-]{0,60}|\.ssh\b|\bid[_ ](?:rsa|ed25519|ecdsa)\b|\.aws\b|\.env\b|/etc/(?:passwd|shadow)\b"
        r"|\bmcp\.json\b|\bprivate keys?\b|\bsystem prompt\b|\b(?:conversation|chat) history\b"
        r"|\b(?:full|whole|entire) conversation\b|\bprevious (?:user )?messages\b",
    ),
    Sign(
        "gives orders beyond its own use",
        1,
        r"\b(?:before|prior to|after|when|whenever) (?:you )?(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|run(?:ning)?) "
        r"(?:this|it|any|other|another|the other)\b"
        r"|\b(?:must|always) (?:first |also |then )?(?:read|send|include|copy|forward|append|attach|bcc)\b",
    ),
)  # fmt: skip

_COMPILED = tuple((sign, re.compile(sign.pattern, re.DOTALL)) for sign in SIGNS)
_OF_RESULTS = tuple((sign, pattern) for sign, pattern in _COMPILED if sign.needs)


class Hit(NamedTuple):
    """A sign and the words that show it."""

    sign: Sign
    words: str


def hits(text: str) -> Iterator[Hit]:
    """Every sign in text that describes something."""
    text = text[:MAX_TEXT]
    plain = _plain(text)
    for sign, pattern in _COMPILED:
        found = pattern.search(text if sign.spaced else plain)
        if found is not None:
            yield Hit(sign, cut(" ".join(found.group().split()), _QUOTED))


def hits_of_result(text: str) -> list[Hit]:
    """The signs in text that a tool gave back, where words about instructions may be what was asked for."""
    lower = text[:MAX_TEXT].lower()
    due = [(sign, pattern) for sign, pattern in _OF_RESULTS if _has(lower, sign.needs)]
    if not due:
        return []
    plain = _plain(lower)
    return [Hit(sign, cut(found.group(), _QUOTED)) for sign, pattern in due if (found := pattern.search(plain))]


def _has(text: str, needs: Needs) -> bool:
    for group in needs:
        for word in group:
            if word in text:
                break
        else:
            return False
    return True


def points(found: Iterable[Hit]) -> Mapping[str, Hit]:
    """The hits by what they do, one each; empty where all together are not worth ENOUGH."""
    kinds: dict[str, Hit] = {}
    for hit in found:
        kinds.setdefault(hit.sign.does, hit)
    return kinds if sum(hit.sign.points for hit in kinds.values()) >= ENOUGH else {}


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
