"""Strings of JSON, taken out of their quotes and cut into what a line can hold."""

import json

import msgspec

MOST_LINES = 20_000
PIECE = 1_000
"""Characters of a longer line that stand on one."""
MOST_OF_ONE = 100_000
"""Characters of one text that can be opened."""
_AT_ONCE = 8_000
_LINES_AT_ONCE = 40


class Rest(str):
    """What goes on where the line before was cut."""

    __slots__ = ()


def encoded(value: object) -> str:
    """A value of ours as JSON text."""
    return msgspec.json.encode(value).decode()


def decoded(token: str) -> str:
    return str(json.loads(token)) if "\\" in token else token[1:-1]


def holds_json(value: str) -> bool:
    """Whether a string holds an array or object, written as JSON."""
    if not value.lstrip().startswith(("{", "[")):
        return False
    try:
        msgspec.json.decode(value)
    except (ValueError, RecursionError):
        return False
    return True


def quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def pieces(text: str) -> list[str]:
    """The lines of a text, long ones in pieces."""
    lines = text.replace("\r\n", "\n").split("\n", MOST_LINES)
    return [piece for each in lines for piece in (each[:PIECE], *rests(each, PIECE))]


def rests(text: str, at: int) -> list[str]:
    """The pieces of a text behind its first `at` characters."""
    return [Rest(text[start : start + PIECE]) for start in range(at, len(text), PIECE)]


def at_once(lines: list[str]) -> int:
    """How many lines of a text are shown before the rest is folded."""
    return _within(lines[:_LINES_AT_ONCE], _AT_ONCE)


def as_many(lines: list[str]) -> int:
    """How many lines of a text are laid out at all."""
    return _within(lines, MOST_OF_ONE)


def _within(lines: list[str], characters: int) -> int:
    count = 0
    for each in lines:
        characters -= len(each)
        if characters < 0 and count:
            break
        count += 1
    return count
