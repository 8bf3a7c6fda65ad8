"""Names that pass for each other: one letter for another that looks the same, or a slip of the pen."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final, NamedTuple

from mcpwatch.detect.phrases import quote

LONG: Final = 8
"""Characters from which on a slip is no other word."""
MAX_NAME: Final = 200
FAR: Final = 2
"""Edits between names that are still held to be slips."""

_SAME_LOOKS = str.maketrans(
    "аеорсухіјѕһԁӏвкмнтαορνικτυ0135|",
    "aeopcyxijshdlbkmhtaopviktuolesl",
)
"""Cyrillic, Greek and digits that a reader takes for Latin letters; NFKD does the rest."""
_ENDS = 3
_STYLE = re.compile(r"[\W_]+")
_PLURAL = re.compile(r"(?<=[a-z])(?:es|s)(?=[\W_]|$|[A-Z])")
_DIGITS = re.compile(r"\d+")
_NOT_LAST = sum(0b011 << each * 3 for each in range(32))
"""The bits of each letter that more bits of it come after."""

Place = str | tuple[int, str, bool]


class Name(NamedTuple):
    """A name and what of it is compared."""

    text: str
    style: str
    """Without case and separators."""
    shape: str
    """Without plurals and numbers."""
    looks: str
    """As a reader takes it in."""
    plain: str
    """Without case."""
    letters: int
    """How often it has which letters: three bits for each class of letters, set one after the other."""


def name_of(text: str) -> Name:
    """A name, ready to be compared; of a long one its beginning."""
    text = text[:MAX_NAME]
    shape = _DIGITS.sub("0", _PLURAL.sub("", text)).casefold()
    plain = text.casefold()
    return Name(text, _STYLE.sub("", text).casefold(), shape, fold(text), plain, _letters(plain))


def alike(name: Name, other: Name) -> str:
    """How a name passes for the other; empty where it does not, or where they differ as honest names do.

    Those are case and separators, singular and plural, and numbers such as versions.
    """
    if name.style == other.style or name.shape == other.shape:
        return ""
    one, two = name.text, other.text
    is_long = len(one) >= LONG and len(two) >= LONG
    if name.looks == other.looks and (is_long or not (one.isascii() and two.isascii())):
        return f"reads like it{_foreign(one, two)}"
    return "is a slip of the pen away from it" if is_long and is_slip(one, two) else ""


def nearly(name: Name, other: Name) -> bool:
    """Whether few edits lead from one to the other: a slip or another word, which its description must tell."""
    one, two = name.plain, other.plain
    if name.style == other.style or name.shape == other.shape or min(len(one), len(two)) < LONG:
        return False
    return (one[:_ENDS] == two[:_ENDS] or one[-_ENDS:] == two[-_ENDS:]) and distance(one, two) <= FAR


def places(name: Name) -> Iterator[Place]:
    """Where in a table a name is put so that whoever has a name that may pass for it looks there."""
    yield name.looks
    if len(name.plain) >= LONG:
        yield from _ends(name.plain, len(name.plain))


def places_near(name: Name) -> Iterator[Place]:
    """Where in that table names may be that pass for this one."""
    yield name.looks
    if len(name.plain) >= LONG:
        for size in range(len(name.plain) - FAR, len(name.plain) + FAR + 1):
            yield from _ends(name.plain, size)


def may_pass(name: Name, other: Name) -> bool:
    """Whether two names are worth comparing: they look the same, or few letters of the one are not the other's."""
    if name.style == other.style or name.shape == other.shape:
        return False
    if name.looks == other.looks:
        return True
    one, two = name.letters, other.letters
    return (one & ~two).bit_count() <= FAR and (two & ~one).bit_count() <= FAR


def _ends(plain: str, size: int) -> Iterator[Place]:
    yield size, plain[:_ENDS], True
    yield size, plain[-_ENDS:], False


def _letters(plain: str) -> int:
    """An edit takes or gives a letter, so that it changes one bit each way at most."""
    bits = 0
    for letter in plain:
        bit = 1 << (ord(letter) & 31) * 3
        while bits & bit and bit & _NOT_LAST:
            bit <<= 1
        bits |= bit
    return bits


def fold(name: str) -> str:
    """What a reader sees of a name: no marks, case or separators, and one letter for all that look like it."""
    letters = unicodedata.normalize("NFKD", name).casefold().translate(_SAME_LOOKS)
    return _STYLE.sub("", "".join(each for each in letters if not unicodedata.combining(each))).replace("rn", "m")


def is_slip(name: str, other: str) -> bool:
    """Whether two neighbours changed places, or one letter is doubled."""
    name, other = sorted((name.casefold(), other.casefold()), key=len)
    at = next((at for at, (one, two) in enumerate(zip(name, other, strict=False)) if one != two), len(name))
    if len(name) == len(other):
        return at < len(name) and name[at : at + 2] == other[at : at + 2][::-1] and name[at + 2 :] == other[at + 2 :]
    return len(other) - len(name) == 1 and name[at:] == other[at + 1 :] and other[at - 1 : at] == other[at : at + 1]


def distance(name: str, other: str) -> int:
    """Insertions, deletions and replacements from one to the other, up to one more than FAR."""
    if abs(len(name) - len(other)) > FAR:
        return FAR + 1
    before = list(range(len(other) + 1))
    for row, one in enumerate(name, 1):
        after = [row]
        for at, two in enumerate(other):
            after.append(min(before[at] + (one != two), before[at + 1] + 1, after[at] + 1))
        if min(after) > FAR:
            return FAR + 1
        before = after
    return before[-1]


def _foreign(name: str, other: str) -> str:
    """The letters of a name that are no Latin ones and that the other does not have."""
    letters = [each for each in dict.fromkeys(name) if not each.isascii() and each not in other][:3]
    names = [f"U+{ord(each):04X} {unicodedata.name(each, '')}".rstrip() for each in letters]
    return f" and is spelt with {quote(', '.join(names))}" if names else ""
