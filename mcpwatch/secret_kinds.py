"""What secrets look like by themselves, wherever they stand: one row a kind.

Only shapes that hardly anything else has: a prefix that an issuer gives its keys, a key's armour, an address with a
password in it, a card number whose check digit is right. What plainly stands for a secret in a text about secrets does
not count.
"""

import re
from itertools import islice
from typing import Final, NamedTuple

from mcpwatch.model.entries import MASK

MAX_TEXT: Final = 65_536
"""Characters of one text that are looked at."""
_MAX_NUMBERS = 1_000

CARD: Final = "card number"
ADDRESS: Final = "address with a password"

_FILLER = re.compile(r"example|placeholder|your|xxxx|\.\.\.|0000000|1234567890", re.IGNORECASE)
_NO_PASSWORDS = frozenset({"", MASK, "password", "passwd", "pass", "pwd", "secret", "changeme", "user", "username"})
_MIN_DISTINCT = 6
_JOINTS = frozenset("_-")


class SecretKind(NamedTuple):
    """A kind of secret; a text that has none of `marks` has none of it. The last group is what must be no filler."""

    name: str
    hint: str
    """A character that each has: to look for one takes next to nothing, and prose lacks most of them."""
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    is_word: bool = False
    """It begins where a word does."""

    def is_real(self, hit: re.Match[str]) -> bool:
        """Whether what was found stands alone and stands for nothing else."""
        before = hit.string[hit.start() - 1 : hit.start()]
        if self.is_word and (before.isalnum() or before in _JOINTS):
            return False
        if not hit.re.groups:
            return True
        value = hit.group(1)
        if self.name == ADDRESS:
            return value.lower() not in _NO_PASSWORDS and value[0] not in "<${["
        return len(set(value)) >= _MIN_DISTINCT and not _FILLER.search(value)


def _key(name: str, hint: str, marks: str, pattern: str) -> SecretKind:
    return SecretKind(name, hint, tuple(marks.split()), re.compile(f"({pattern})"), is_word=True)


SECRETS: Final = (
    _key("AWS access key", "I", "AKIA ASIA", r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    _key(
        "GitHub token",
        "_",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    ),
    _key("GitLab token", "-", "glpat-", r"glpat-[A-Za-z0-9_-]{20,64}"),
    _key("Slack token", "-", "xox", r"xox[abeprs]-[A-Za-z0-9-]{10,255}"),
    _key("Stripe key", "_", "_live_ _test_", r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _key("API key", "-", "sk-", r"sk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,255}"),
    _key("Google API key", "I", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _key(
        "JWT",
        "J",
        "eyJ",
        r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,2048}",
    ),
    SecretKind(
        "private key", "I", ("PRIVATE KEY-----",), re.compile(r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY-----")
    ),
    SecretKind(ADDRESS, "@", ("://",), re.compile(r"""://[^\s:/@"'<>]{0,128}:([^\s/@"'<>]{1,256})@[^\s@"'<>/]""")),
)

_CARD = re.compile(
    r"(?<![0-9A-Za-z.,_-])(?:"
    r"(?:4[0-9]{3}|5[1-5][0-9]{2}|6011|65[0-9]{2})([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}"
    r"|3[47][0-9]{2}([ -]?)[0-9]{6}\2[0-9]{5}"
    r")(?![0-9A-Za-z_-])"
)
_HINTS = sorted({kind.hint for kind in SECRETS})
_MARKS = tuple(
    (hint, tuple((mark, kind) for kind in SECRETS for mark in kind.marks if kind.hint == hint)) for hint in _HINTS
)
_DIGITS = re.compile(r"[3-6](?=[0-9]{3}[ -]?[0-9]{4})")
_SORTS = bytes(ord("n" if chr(octet).isdecimal() else "s" if octet in b" -" else ".") for octet in range(256))
_GROUPS = (b"n" * 15, b"nnnnsnnnn")
"""Digits of a card, whatever they are; nearly no text has as many."""


def secrets_in(text: str) -> list[str]:
    """The kinds of secrets in a text, each once; the values are not for telling."""
    if len(text) < 12:
        return []
    text = text[:MAX_TEXT]
    found: list[str] = []
    for hint, marks in _MARKS:
        if hint in text:
            for mark, kind in marks:
                if mark in text and kind.name not in found and any(map(kind.is_real, kind.pattern.finditer(text))):
                    found.append(kind.name)
    if _may_hold_card(text):
        for digits in islice(_DIGITS.finditer(text), _MAX_NUMBERS):
            card = _CARD.match(text, digits.start())
            if card is not None and _luhn(card.group()):
                found.append(CARD)
                break
    return found


def may_hold_secret(text: str) -> bool:
    """Whether a closer look is worth it: there is no secret in any part of a text of which this is false."""
    for hint, marks in _MARKS:
        if hint in text:
            for mark, _ in marks:
                if mark in text:
                    return True
    return _may_hold_card(text)


def _may_hold_card(text: str) -> bool:
    if not ("4" in text or "5" in text or "3" in text or "6" in text):
        return False
    sorts = text.encode("utf-8", "surrogatepass").translate(_SORTS)
    return any(group in sorts for group in _GROUPS)


def _luhn(card: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B) and the digits are no mere repetition."""
    digits = [int(char) for char in card if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0 and len(set(digits)) > 2
