"""What secrets look like by themselves, wherever they stand: one row a kind.

Only shapes that hardly anything else has: a prefix that an issuer gives its keys, a key's armour, an address with a
password in it, a card number whose check digit is right. What plainly stands for a secret in a text about secrets is
not told of, though a gateway masks it as well. Each pattern is bounded or walks a text once.
"""

import re
from base64 import b64decode
from binascii import Error as BadBase64
from collections.abc import Iterator
from itertools import islice
from string import ascii_letters, digits
from typing import Final, NamedTuple

from mcpwatch.model.entries import MASK

MAX_TEXT: Final = 65_536
"""Characters of one text that are looked at to tell what kinds are in it."""
_MAX_NUMBERS = 1_000
MIN_SECRET: Final = 12
"""Characters that each has at least."""

CARD: Final = "card number"
ADDRESS: Final = "address with a password"
JWT: Final = "JWT"
BASIC: Final = "basic credentials"

_FILLER = re.compile(r"example|placeholder|your|xxxx|\.\.\.|0000000|1234567890", re.IGNORECASE)
_NO_PASSWORDS = frozenset({"", MASK, "password", "passwd", "pass", "pwd", "secret", "changeme", "user", "username"})
_MIN_DISTINCT = 6
_JOINTS = frozenset("_-")
_ESCAPE = re.compile(r"(?:\\[bfnrt]|%[0-9A-Fa-f]{2}|\\u[0-9A-Fa-f]{4})$")
_ESCAPE_SIZE = 6


class SecretKind(NamedTuple):
    """A kind of secret; a text that has none of `marks` has none of it. The last group is what must be no filler."""

    name: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]
    is_word: bool = False
    """It begins where a word does."""
    is_loose: bool = False
    """Its mark may stand elsewhere than in one run of RUN characters of the kind that keys are made of."""

    def is_real(self, hit: re.Match[str]) -> bool:
        """Whether what was found stands alone and stands for nothing else."""
        if self.is_word and not _begins_word(hit.string, hit.start()):
            return False
        if self.name == BASIC:
            return _is_basic(hit.group(1))
        if not hit.re.groups:
            return True
        value = hit.group(1)
        if self.name == ADDRESS:
            return value.lower() not in _NO_PASSWORDS and value[0] not in "<${["
        return len(set(value)) >= _MIN_DISTINCT and not _FILLER.search(value)


class Hit(NamedTuple):
    """A secret in a text, or what only looks like one."""

    start: int
    end: int
    kind: str
    is_real: bool


def _key(name: str, marks: str, pattern: str, *, is_loose: bool = False) -> SecretKind:
    return SecretKind(name, tuple(marks.split()), re.compile(f"({pattern})"), is_word=True, is_loose=is_loose)


SECRETS: Final = (
    _key("AWS access key", "AKIA ASIA", r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])"),
    _key(
        "GitHub token",
        "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_",
        r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})",
    ),
    _key("GitLab token", "glpat- gldt- glrt- glptt- glcbt-", r"gl(?:pat|dt|rt|ptt|cbt)-[A-Za-z0-9_-]{20,64}"),
    _key("Slack token", "xox xapp-", r"(?:xox[abeprs]|xapp)-[A-Za-z0-9-]{10,255}"),
    _key(
        "Slack webhook",
        "hooks.slack.com",
        r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9/]{20,128}",
    ),
    _key("Stripe key", "_live_ _test_", r"(?:[rs]k|whsec)_(?:live|test)_[A-Za-z0-9]{16,255}"),
    _key("Stripe webhook secret", "whsec_", r"whsec_[A-Za-z0-9+/]{32,64}", is_loose=True),
    _key("API key", "sk-", r"sk-(?=[A-Za-z_-]{0,64}[0-9])[A-Za-z0-9_-]{20,255}"),
    _key("API key", "gsk_", r"gsk_[A-Za-z0-9]{40,64}"),
    _key("API key", "xai-", r"xai-[A-Za-z0-9]{40,128}"),
    _key("Google API key", "AIza", r"AIza[A-Za-z0-9_-]{35}"),
    _key("Google client secret", "GOCSPX-", r"GOCSPX-[A-Za-z0-9_-]{28}"),
    _key("Google access token", "ya29.", r"ya29\.[A-Za-z0-9_-]{20,2048}"),
    _key("npm token", "npm_", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    _key("PyPI token", "pypi-AgE", r"pypi-AgE[A-Za-z0-9_-]{50,1024}"),
    _key("SendGrid key", "SG.", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{32,64}"),
    _key("Mailchimp key", "-us", r"(?<![0-9a-f])[0-9a-f]{32}-us[0-9]{1,2}(?![0-9A-Za-z])"),
    _key("Twilio key", "SK", r"SK[0-9a-f]{32}(?![0-9A-Za-z])"),
    _key("Telegram bot token", ":AA", r"(?<![0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{32,34}(?![A-Za-z0-9_-])"),
    SecretKind(
        "Discord bot token",
        # Base64 of the digits that a user's number begins with.
        ("MT", "Mj", "Mz", "ND", "NT", "Nj", "Nz", "OD", "OT"),
        re.compile(
            r"(?:(?<=[MNO][A-Za-z0-9_-]{23})|(?<=[MNO][A-Za-z0-9_-]{25}))"
            r"\.([A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38})(?![A-Za-z0-9_-])"
        ),
    ),
    _key("Square token", "sq0atp- sq0csp-", r"sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})"),
    _key("Shopify token", "shpat_ shpca_ shppa_ shpss_", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _key("DigitalOcean token", "dop_v1_ doo_v1_ dor_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _key("Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-[0-9])?(?![0-9A-Za-z])"),
    _key("Hugging Face token", "hf_", r"hf_[A-Za-z0-9]{34,40}"),
    _key("Vault token", "hvs. hvb.", r"hv[sb]\.[A-Za-z0-9_-]{24,256}"),
    _key("Atlassian token", "ATATT3", r"ATATT3[A-Za-z0-9_=-]{50,512}"),
    _key("Linear key", "lin_api_", r"lin_api_[A-Za-z0-9]{32,64}"),
    _key("Notion token", "ntn_", r"ntn_[A-Za-z0-9]{40,64}"),
    _key("Artifactory token", "AKC", r"AKC[A-Za-z0-9]{60,128}"),
    _key("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    SecretKind(
        "Azure storage key",
        ("AccountKey=",),
        re.compile(r"(?<=AccountKey=)([A-Za-z0-9+/]{40,128}={0,2})"),
        is_loose=True,
    ),
    _key(
        JWT,
        "eyJ",
        # One look for each run of its characters, or many that begin in each other would take long.
        r"(?:(?<![A-Za-z0-9_-])|(?<=\\[bfnrt])|(?<=%[0-9A-Fa-f]{2}))"
        r"eyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,8192}\.[A-Za-z0-9_-]{0,2048}",
    ),
    SecretKind(
        "bearer token",
        ("earer",),
        re.compile(r"\b[Bb]earer\s{1,8}(?=[A-Za-z._~+/-]{0,64}[0-9])([A-Za-z0-9._~+/-]{16,8192}=*)"),
        is_loose=True,
    ),
    SecretKind(BASIC, ("asic ",), re.compile(r"\b[Bb]asic {1,8}([A-Za-z0-9+/]{8,1024}={0,2})"), is_loose=True),
    SecretKind(
        "private key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?:[^-]|-(?!----))*+(?:-----END [A-Z0-9 ]{0,64}+-----)?"
        ),
        is_loose=True,
    ),
    SecretKind(
        ADDRESS,
        ("://",),
        re.compile(r"""://[^\s:/@"'<>]{0,128}:([^\s/@"'<>]{1,256})@[^\s@"'<>/]"""),
        is_loose=True,
    ),
)
KINDS: Final = tuple(dict.fromkeys((*(kind.name for kind in SECRETS), CARD)))
"""What they are called."""
_MASKED = re.compile(rf"{re.escape(MASK)}\(({'|'.join(map(re.escape, KINDS))})\)")
_MAX_MASKED = 100

_CARD = re.compile(
    r"(?<![0-9A-Za-z.,_-])(?:"
    r"(?:4[0-9]{3}|5[1-5][0-9]{2}|6011|65[0-9]{2})([ -]?)[0-9]{4}\1[0-9]{4}\1[0-9]{4}"
    r"|3[47][0-9]{2}([ -]?)[0-9]{6}\2[0-9]{5}"
    r")(?![0-9A-Za-z_-])"
)
_TIGHT = tuple((mark, kind) for kind in SECRETS for mark in kind.marks if not kind.is_loose)
_LOOSE = tuple((mark, kind) for kind in SECRETS for mark in kind.marks if kind.is_loose)
RUN: Final = 14
_IN_RUN = bytes(ord("x" if chr(octet) in ascii_letters + digits + "_-.:" else " ") for octet in range(256))
_RUN = b"x" * RUN
_DIGITS = re.compile(r"[3-6](?=[0-9]{3}[ -]?[0-9]{4})")
_SORTS = bytes(ord("n" if chr(octet).isdecimal() else "s" if octet in b" -" else ".") for octet in range(256))
_GROUPS = (b"n" * 15, b"nnnnsnnnn")
"""Digits of a card, whatever they are; nearly no text has as many."""


def secrets_in(text: str) -> list[str]:
    """The kinds of secrets in a text, each once; the values are not for telling."""
    if len(text) < MIN_SECRET:
        return []
    text = text[:MAX_TEXT]
    found: list[str] = []
    for kind in _kinds_marked(text):
        if kind.name not in found and any(map(kind.is_real, kind.pattern.finditer(text))):
            found.append(kind.name)
    if next(_cards(text, _MAX_NUMBERS), None) is not None:
        found.append(CARD)
    return found


def find_secrets(text: str) -> Iterator[Hit]:
    """Every place in a text that looks like a secret, in no order, perhaps one within another.

    Without addresses, whose users and hosts are no secrets.
    """
    if len(text) < MIN_SECRET:
        return
    for kind in _kinds_marked(text):
        if kind.name != ADDRESS:
            for hit in kind.pattern.finditer(text):
                if kind.name != BASIC or kind.is_real(hit):
                    group = hit.lastindex or 0
                    yield Hit(hit.start(group), hit.end(group), kind.name, kind.is_real(hit))
    for card in _cards(text, len(text)):
        yield Hit(card.start(), card.end(), CARD, True)


def masked_as(kind: str) -> str:
    """What stands in the log in place of a secret that its form told."""
    return f"{MASK}({kind})"


def masked_in(text: str) -> list[str]:
    """The kinds of the secrets that a gateway masked in a text for their form, each once."""
    if MASK not in text:
        return []
    return list(dict.fromkeys(hit.group(1) for hit in islice(_MASKED.finditer(text), _MAX_MASKED)))


def may_hold_secret(text: str) -> bool:
    """Whether a closer look is worth it: there is no secret in any part of a text of which this is false."""
    for mark, kind in _LOOSE:
        if mark in text and (kind.name != ADDRESS or "@" in text):
            return True
    octets = text.encode("utf-8", "surrogatepass")
    runs = _runs(octets)
    if runs:
        for mark, _ in _TIGHT:
            if mark in runs:
                return True
    return _may_hold_card(octets)


def _kinds_marked(text: str) -> list[SecretKind]:
    """The kinds of which a text has a mark, each once."""
    runs = _runs(text.encode("utf-8", "surrogatepass"))
    marked = [kind for mark, kind in _TIGHT if mark in runs] + [kind for mark, kind in _LOOSE if mark in text]
    return list(dict.fromkeys(marked))


def _runs(octets: bytes) -> str:
    """The runs of characters that keys are made of, as far as they are long enough: little is left of most texts."""
    inside = octets.translate(_IN_RUN)
    start = inside.find(_RUN)
    runs: list[bytes] = []
    while start >= 0:
        end = inside.find(b" ", start + RUN)
        if end < 0:
            end = len(inside)
        runs.append(octets[start:end])
        start = inside.find(_RUN, end)
    return b" ".join(runs).decode("ascii")


def _begins_word(text: str, start: int) -> bool:
    """Whether a word can begin there; an escape of JSON or of an address before it is no letter."""
    before = text[start - 1 : start]
    if not (before.isalnum() or before in _JOINTS):
        return True
    return _ESCAPE.search(text[max(start - _ESCAPE_SIZE, 0) : start]) is not None


def _is_basic(value: str) -> bool:
    """Whether it is a user and a password (RFC 7617)."""
    try:
        user, colon, password = b64decode(value + "=" * (-len(value) % 4), validate=True).partition(b":")
    except BadBase64:
        return False
    return bool(colon and password) and (user + password).isascii() and (user + password).decode().isprintable()


def _cards(text: str, most: int) -> Iterator[re.Match[str]]:
    """The card numbers among the first `most` numbers that are long enough."""
    if _may_hold_card(text.encode("utf-8", "surrogatepass")):
        for number in islice(_DIGITS.finditer(text), most):
            card = _CARD.match(text, number.start())
            if card is not None and _luhn(card.group()):
                yield card


def _may_hold_card(octets: bytes) -> bool:
    sorts = octets.translate(_SORTS)
    return b"nnnn" in sorts and any(group in sorts for group in _GROUPS)


def _luhn(card: str) -> bool:
    """Whether the check digit is right (ISO/IEC 7812-1, annex B) and the digits are no mere repetition."""
    found = [int(char) for char in card if char.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in found[-2::-2]]
    return (sum(doubled) + sum(found[-1::-2])) % 10 == 0 and len(set(found)) > 2
