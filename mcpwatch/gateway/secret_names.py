"""Which names stand for secrets, in any spelling: `apiKey`, `api-key`, `X_API_KEY`; the names are in `tables`."""

import math
import re
import unicodedata
from functools import lru_cache
from typing import Literal

from mcpwatch.gateway.tables import (
    COUNT_NAMES,
    KNOWN_ENDINGS,
    PUBLIC_NAMES,
    QUERY_NAMES,
    SECRET_ENDINGS,
    SECRET_NAMES,
    SUSPECT_ENDINGS,
)

Secrecy = Literal["", "random", "strings", "all"]
"""What is masked under a name: nothing, strings that look drawn at random, strings, or strings and numbers."""

MAX_NAME = 128
"""Characters at the end of a name that are looked at."""

_MIN_RANDOM = 16
_MEASURED = 128
"""Characters of a value that are looked at."""
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/=_.~-]{16,}+")
_HEX = re.compile(r"[0-9A-Fa-f]+")
_MIN_BITS, _MIN_HEX_BITS = 3.5, 3.0
"""Entropy a character: English words run to about 3.3 bits in as many characters, hexadecimal has at most 4."""


def secrecy(name: str) -> Secrecy:
    """What is masked under `name`."""
    return _secrecy(name[-MAX_NAME:])


def is_masked(name: str, value: str) -> bool:
    """Whether the string `value` is masked under `name`."""
    kind = secrecy(name)
    return kind in ("all", "strings") or (kind == "random" and looks_random(value))


def in_query(name: str) -> Secrecy:
    """What is masked under `name` in the query of an address."""
    return _in_query(name[-MAX_NAME:])


def looks_random(value: str) -> bool:
    """Whether a value looks drawn at random: letters and digits, and hardly a character more often than others."""
    if len(value) < _MIN_RANDOM or not _KEY_TEXT.fullmatch(value):
        return False
    value = value[:_MEASURED]
    if value.isalpha() or not any(map(str.isalpha, value)):
        return False
    counts = [value.count(char) for char in set(value)]
    bits = -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
    return bits >= (_MIN_HEX_BITS if _HEX.fullmatch(value) else _MIN_BITS)


def plain(name: str) -> str:
    """A name without what its spellings differ in: letters and digits, lower-case."""
    return "".join(filter(str.isalnum, unicodedata.normalize("NFKC", name).casefold()))


@lru_cache(1_024)
def _in_query(name: str) -> Secrecy:
    return "strings" if plain(name) in QUERY_NAMES else _secrecy(name)


@lru_cache(4_096)
def _secrecy(name: str) -> Secrecy:
    bare = plain(name)
    if bare in SECRET_NAMES:
        return "strings" if bare in COUNT_NAMES else "all"
    if bare in PUBLIC_NAMES or bare.endswith(KNOWN_ENDINGS):
        return ""
    if bare.endswith(SECRET_ENDINGS):
        return "strings"
    return "random" if bare.endswith(SUSPECT_ENDINGS) else ""
