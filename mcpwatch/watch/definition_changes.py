"""What changed between two definitions, field by field."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import msgspec

from mcpwatch.model.entries import Json

MAX_FIELDS: Final = 2_000
"""Fields of one definition that are compared; what lies deeper or after is compared as a whole."""
MAX_DEPTH: Final = 24
MAX_TEXT: Final = 20_000
"""Characters between which words are compared; of more, all went and all came."""
MAX_WORDS: Final = 400
"""Words between which differences are looked for; of more, all went and all came."""

_WORDS = re.compile(r"\s+|\S+")
_SPACE = re.compile(r"\s")
_LONGEST = 200
"""Characters of a word; a longer one may be cut where it changes."""


class Changed(NamedTuple):
    """A field that is not what it was; None where it is not there."""

    path: str
    before: str | None
    after: str | None


class Piece(NamedTuple):
    """A part of a text: `-` was there, `+` is there, a blank was and is."""

    sign: str
    text: str


def changed(before: Json, after: Json) -> list[Changed]:
    """The fields that differ, in the order they have now; those that are gone come last."""
    old, new = dict(_fields(before)), dict(_fields(after))
    return [Changed(path, old.get(path), new.get(path)) for path in {**new, **old} if old.get(path) != new.get(path)]


def pieces(before: str, after: str) -> list[Piece]:
    """Two texts of any length as what stayed, went and came, word by word where that is not too much to compare."""
    start = _begins_alike(before, after)
    old, new = before[start:], after[start:]
    stop = _ends_alike(old, new)
    came = new[: len(new) - stop]
    went, stayed = old[: len(old) - stop], old[len(old) - stop :]
    between = _words_between(went, came) if max(len(went), len(came)) <= MAX_TEXT else _all_of(went, came)
    found: list[Piece] = []
    for piece in (Piece(" ", before[:start]), *between, Piece(" ", stayed)):
        if found and found[-1].sign == piece.sign:
            found[-1] = Piece(piece.sign, found[-1].text + piece.text)
        elif piece.text:
            found.append(piece)
    return found


def _begins_alike(one: str, other: str) -> int:
    """How many characters both begin with, up to the end of a word."""
    same = bisect_left(
        range(1, min(len(one), len(other)) + 1), True, key=lambda count: not one.startswith(other[:count])
    )
    if same == len(one) == len(other):
        return same
    near = one[max(same - _LONGEST, 0) : same]
    end = max((found.end() for found in _SPACE.finditer(near)), default=0)
    return same - len(near) + end if end or len(near) < _LONGEST else same


def _ends_alike(one: str, other: str) -> int:
    """How many characters both end with, from the beginning of a word."""
    same = bisect_left(
        range(1, min(len(one), len(other)) + 1), True, key=lambda count: not one.endswith(other[-count:])
    )
    if not same:
        return 0
    near = one[len(one) - same :][:_LONGEST]
    found = _SPACE.search(near)
    if found is not None:
        return same - found.start()
    return same if len(near) == _LONGEST else 0


def _all_of(old: str, new: str) -> Iterator[Piece]:
    yield from (Piece("-", old), Piece("+", new))


def _words_between(before: str, after: str) -> Iterator[Piece]:
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    yield Piece(" ", "".join(old[:head]))
    yield from _between(old[head : len(old) - tail], new[head : len(new) - tail])
    yield Piece(" ", "".join(old[len(old) - tail :]))


def _between(old: list[str], new: list[str]) -> Iterator[Piece]:
    if max(len(old), len(new)) > MAX_WORDS:
        yield from _all_of("".join(old), "".join(new))
        return
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            yield Piece(" ", "".join(old[a:b]))
        else:
            yield from (Piece("-", "".join(old[a:b])), Piece("+", "".join(new[c:d])))


def _same(one: list[str], other: list[str]) -> int:
    """How many words both begin with."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _fields(value: Json) -> Iterator[tuple[str, str]]:
    """Path and text of every value that holds no others."""
    stack: list[tuple[str, int, Json]] = [("", 0, value)]
    count = 0
    while stack:
        path, depth, value = stack.pop()
        items = _items(value)
        count += 1
        if not items or depth >= MAX_DEPTH or count > MAX_FIELDS:
            yield path, value if isinstance(value, str) else msgspec.json.encode(value).decode()
            continue
        for name, item in reversed(items):
            step = f"[{name}]" if isinstance(name, int) else f".{name}" if path else name
            stack.append((path + step, depth + 1, item))


def _items(value: Json) -> list[tuple[str | int, Json]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []
