"""Regular expressions that an operator types and a stranger's text is searched with.

Python's `re` cannot be stopped, so what takes exponential time is refused beforehand and the text is cut.
"""

import re
import warnings
from functools import lru_cache
from math import factorial

from msgspec import Struct

MAX_PATTERN = 200
MAX_TEXT = (2_000, 2_000, 500)
"""Characters searched by a pattern with no, one and two open repeats: cubic time on 500 is 20 ms."""
LEAST_TEXT = 250
"""Where choices leave time for fewer characters, the pattern is refused."""
_MAX_STEPS = 21_000_000
"""Characters to begin at, times the ways through the pattern, times the lengths of each open repeat."""

_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^)]*?[:=!>)]|\{\d*,?\d*\}|.", re.DOTALL)
_REPEAT = re.compile(r"[*+{]|\{(?P<least>\d*)(?P<open>,?)\d*\}")
_BACK = re.compile(r"\\[1-9]|\(\?P=.*")
_UNREAD = re.compile(r"\(\?(?:#|[a-zA-Z]*x)")
"""A comment, or the flag by which a blank is none: either can stand between a group and its repeat."""


class BadPattern(ValueError):
    """The pattern is not a regular expression, or one that could take too long."""


class _Group(Struct):
    """What stands between two parentheses, as far as it was read."""

    varies: bool = False
    others: int = 0
    """Ways through the alternatives before this one."""
    ways: int = 1
    """Ways through this one."""


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> tuple[re.Pattern[str], int]:
    """A pattern for case-insensitive search and how much text it may search; BadPattern says why not."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"the pattern has {len(pattern)} characters, at most {MAX_PATTERN} are taken")
    repeats, ways = _count(pattern)
    if repeats >= len(MAX_TEXT):
        raise BadPattern(f"more than {len(MAX_TEXT) - 1} repeats could take for ever")
    text = min(MAX_TEXT[repeats], int((_MAX_STEPS * factorial(repeats + 1) // ways) ** (1 / (repeats + 1))))
    if text < LEAST_TEXT:
        raise BadPattern("so many choices could take for ever")
    try:
        with warnings.catch_warnings():
            # Of what may mean something else in a Python to come; it would be printed over the screen.
            warnings.simplefilter("ignore", FutureWarning)
            return re.compile(pattern, re.IGNORECASE), text
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"not a regular expression: {error}") from None


def found(pattern: str, text: str) -> bool:
    """Whether the pattern occurs in the beginning of `text`."""
    compiled, limit = compile_pattern(pattern)
    return compiled.search(text[:limit]) is not None


def _count(pattern: str) -> tuple[int, int]:
    """Open repeats (`*`, `+`, `{1,9}`), and the ways through the pattern at one length of each.

    Refuses a repeated group that itself varies, back references, and what hides one of these.
    """
    open_groups = [_Group()]
    closed: _Group | None = None
    was_repeat = False
    repeats = 0
    for part in _PARTS.findall(pattern):
        group, within, closed = closed, open_groups[-1], None
        repeat, is_lazy, was_repeat = _REPEAT.fullmatch(part), was_repeat, False
        if _BACK.fullmatch(part):
            raise BadPattern("back references could take for ever")
        if _UNREAD.match(part):
            raise BadPattern("comments and the flag x are not taken")
        if part.startswith("("):
            open_groups.append(_Group())
        elif part == ")" and len(open_groups) > 1:
            closed = open_groups.pop()
            open_groups[-1].varies |= closed.varies
            open_groups[-1].ways *= closed.others + closed.ways
        elif part == "|":
            within.varies, within.others, within.ways = True, within.others + within.ways, 1
        elif part == "?":
            within.varies = was_repeat = True
            if not is_lazy:
                # One way more than the part itself has.
                ways = group.others + group.ways if group is not None else 1
                within.ways = within.ways // ways * (ways + 1)
        elif repeat is not None:
            if group is not None and group.varies:
                raise BadPattern("a repeat of what itself varies could take for ever")
            if group is not None:
                # A group is gone through one by one, though it take no character.
                within.ways *= max(int(repeat["least"] or 1), 1)
            was_repeat = True
            if repeat["least"] is None or repeat["open"] or not repeat["least"]:
                within.varies = True
                repeats += 1
    whole = open_groups[0]
    return repeats, whole.others + whole.ways
