"""What changed between two definitions, field by field."""

import re
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import Final, NamedTuple

import msgspec

from mcpwatch.model.entries import Json

MAX_FIELDS: Final = 2_000
"""Fields of one definition that are compared; what lies deeper or after is compared as a whole."""
MAX_DEPTH: Final = 24
MAX_TEXT: Final = 20_000
"""Characters of one value that are compared."""
MAX_WORDS: Final = 400
"""Words between which differences are looked for; of more, all went and all came."""

_WORDS = re.compile(r"\s+|\S+")


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
    """Two texts as what stayed, went and came, word by word where that is not too much to compare."""
    old, new = (_WORDS.findall(text[:MAX_TEXT]) for text in (before, after))
    head = _same(old, new)
    tail = _same(old[head:][::-1], new[head:][::-1])
    middle = old[head : len(old) - tail], new[head : len(new) - tail]
    found = [Piece(" ", "".join(old[:head])), *_between(*middle), Piece(" ", "".join(old[len(old) - tail :]))]
    return [piece for piece in found if piece.text]


def _between(old: list[str], new: list[str]) -> Iterator[Piece]:
    if max(len(old), len(new)) > MAX_WORDS:
        yield from (Piece("-", "".join(old)), Piece("+", "".join(new)))
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
