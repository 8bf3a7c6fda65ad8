"""Text that speaks to the model that reads it: what gives it away, and how much each sign is worth.

Tools are described in orders ("always pass the id"), so an order alone says nothing. Two points are enough.
Every pattern takes time linear in the text, whoever wrote that.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from mcpwatch.detect.phrases import cut

ENOUGH: Final = 2
"""Points at which text is held to be planted."""
MAX_TEXT: Final = 100_000
"""Characters read of one string: more than anybody could hide an order behind and still have it read."""

_QUOTED = 80
_MARKS = frozenset("\"'`“”„‟‘’‚«»‹›")
_RUN = 19
"""Blanks that are lost, at least, where a run is long enough to hide text behind."""

Needs = tuple[tuple[str, ...], ...]


class Sign(NamedTuple):
    """What planted text does, in words that follow its place."""

    does: str
    points: int
    pattern: str
    needs: Needs = ()
    """Words, in lower case and without blanks, of which some from each group are in every text that has the sign;
    nearly no text has them all, so that nearly none is searched any further."""
    in_results: tuple[str, ...] = ()
    """Of these a result has some that is searched too; none where data often has the sign by itself."""
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
        needs=(
            ("ignor", "disregard", "forget", "overrid", "bypass"),
            ("instruction", "prompt", "rules", "guideline", "directive", "message"),
        ),
        in_results=("instruction", "prompt"),
    ),
    Sign(
        "asks to keep something from the user",
        2,
        rf"\b(?:{_NOT}|without) (?:ever )?(?:tell|inform|alert|notify|warn)(?:ing)? {_USER}"
        r"(?! (?:the|a|an|to|which|how|whether|if|why|when|their)\b| that (?!you\b|this\b|it\b|i\b|we\b))"
        rf"|\b{_NOT} (?:mention|reveal|disclose|report) (?:this|that|it|these|any of this|the (?:above|call))"
        rf"(?: \w+){{0,3}} to {_USER}|\bkeep (?:this|it) (?:a )?(?:secret|hidden) from {_USER}",
        needs=(
            ("not", "n't", "n’t", "never", "without", "keep"),
            ("tell", "inform", "alert", "notif", "warn", "mention", "reveal", "disclos", "report", "secret", "hid"),
            ("user", "human", "person", "operator", "any"),
        ),
        in_results=("user",),
    ),
    Sign(
        "poses as a message of the system",
        2,
        r"</?important>|<\|im_start\|>|\[/?inst\]",
        needs=(("important>", "im_start", "inst]"),),
        in_results=("<", "["),
    ),
    Sign(
        "poses as a message of the system",
        2,
        r"</?(?:system|secret|hidden|admin)>|\[system\]",
        needs=(("system>", "secret>", "hidden>", "admin>", "system]"),),
    ),
    Sign("hides text in a comment or behind blanks", 1, r"<!--|(?<!\s)\s{80,}+\S|(?<!\n)\n{20,}+\S", spaced=True),
    Sign(
        "names keys, settings or talk that are not its own",
        1,
        r"~/\.\w[\w./-]{0,60}|\.ssh\b|\bid[_ ](?:rsa|ed25519|ecdsa)\b|\.aws\b|\.env\b|/etc/(?:passwd|shadow)\b"
        r"|\bmcp\.json\b|\bprivate keys?\b|\bsystem prompt\b|\b(?:conversation|chat) history\b"
        r"|\b(?:full|whole|entire) conversation\b|\bprevious (?:user )?messages\b",
        needs=(
            (
                *("~/.", ".ssh", "rsa", "ed25519", "ecdsa", ".aws", ".env", "/etc/", "mcp.json"),
                *("private", "prompt", "history", "conversation", "messages"),
            ),
        ),
    ),
    Sign(
        "gives orders beyond its own use",
        1,
        r"\b(?:before|prior to|after|when|whenever) (?:you )?(?:us(?:e|ing)|call(?:ing)?|invok(?:e|ing)|run(?:ning)?) "
        r"(?:this|it|any|other|another|the other)\b"
        r"|\b(?:must|always) (?:first |also |then )?(?:read|send|include|copy|forward|append|attach|bcc)\b",
        needs=(("before", "prior", "after", "when", "must", "always"),),
    ),
)


class Search(NamedTuple):
    """A sign and how it is looked for."""

    sign: Sign
    pattern: re.Pattern[str]


_ALL: Final = tuple(Search(sign, re.compile(sign.pattern, re.DOTALL)) for sign in SIGNS)
_OF_RESULTS = tuple((each, (each.sign.in_results, *each.sign.needs)) for each in _ALL if each.sign.in_results)


class Hit(NamedTuple):
    """A sign and the words that show it."""

    sign: Sign
    words: str
    is_quoted: bool = False
    """Whether quotation marks enclose just these words: they are spoken of, as in a page about such attacks."""


def due(text: str) -> list[Search]:
    """The signs that may be in text that describes something; none where all together are not worth ENOUGH."""
    lower = text.lower()
    found = [search for search in _ALL if _has(lower, search.sign.needs)]
    if sum({search.sign.does: search.sign.points for search in found}.values()) < ENOUGH:
        return []
    has_runs = "<!--" in text or len(text) - len(_plain(text)) >= _RUN
    return found if has_runs else [search for search in found if not search.sign.spaced]


def hits(text: str, searches: Iterable[Search] = _ALL) -> Iterator[Hit]:
    """Every sign in text that describes something."""
    text = text[:MAX_TEXT]
    plain = _plain(text)
    for sign, pattern in searches:
        found: re.Match[str] | None = None
        for found in pattern.finditer(text if sign.spaced else plain):
            if not _is_quoted(found):
                break
        if found is not None:
            yield Hit(sign, cut(" ".join(found.group().split()), _QUOTED), _is_quoted(found))


def hits_of_result(text: str) -> list[Hit]:
    """The signs in text that a tool gave back, where words about instructions may be what was asked for."""
    lower = text[:MAX_TEXT].lower()
    searches = [search for search, needs in _OF_RESULTS if _has(lower, needs)]
    return list(hits(lower, searches)) if searches else []


def may_be_in_result(text: str) -> bool:
    """Whether any sign may be in text that a tool gave back, or in a part of it."""
    lower = text.lower()
    return any(_has(lower, needs) for _, needs in _OF_RESULTS)


def points(found: Iterable[Hit]) -> Mapping[str, Hit]:
    """The hits by what they do, one each; empty where all together are not worth ENOUGH."""
    kinds: dict[str, Hit] = {}
    for hit in found:
        known = kinds.get(hit.sign.does)
        if known is None or (known.is_quoted and not hit.is_quoted):
            kinds[hit.sign.does] = hit
    return kinds if sum(hit.sign.points for hit in kinds.values()) >= ENOUGH else {}


def _has(text: str, needs: Needs) -> bool:
    for group in needs:
        for word in group:
            if word in text:
                break
        else:
            return False
    return True


def _is_quoted(found: re.Match[str]) -> bool:
    text, start, end = found.string, found.start(), found.end()
    return text[max(start - 1, 0) : start] in _MARKS and text[end : end + 2].lstrip(".!")[:1] in _MARKS


def _plain(text: str) -> str:
    return " ".join(text.lower().split())
