"""Regular expressions that an operator types and a stranger's text is searched with.

Python's `re` cannot be stopped, so what takes exponential time is refused beforehand and the text is cut.
"""

import re
from functools import lru_cache

MAX_PATTERN = 200
MAX_TEXT = (2_000, 2_000, 500)
"""Characters searched by a pattern with no, one and two open repeats: cubic time on 500 is 20 ms."""

_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[^)]*?[:=!>)]|\{\d*,?\d*\}|.", re.DOTALL)
_FIXED = re.compile(r"\{\d+\}")
_BACK = re.compile(r"\\[1-9]|\(\?P=.*")


class BadPattern(ValueError):
    """The pattern is not a regular expression, or one that could take too long."""


@lru_cache(maxsize=64)
def compile_pattern(pattern: str) -> tuple[re.Pattern[str], int]:
    """A pattern for case-insensitive search and how much text it may search; BadPattern says why not."""
    if len(pattern) > MAX_PATTERN:
        raise BadPattern(f"the pattern has {len(pattern)} characters, at most {MAX_PATTERN} are taken")
    repeats = _count_repeats(pattern)
    if repeats >= len(MAX_TEXT):
        raise BadPattern(f"more than {len(MAX_TEXT) - 1} repeats could take for ever")
    try:
        return re.compile(pattern, re.IGNORECASE), MAX_TEXT[repeats]
    except (re.error, OverflowError, RecursionError) as error:
        raise BadPattern(f"not a regular expression: {error}") from None


def found(pattern: str, text: str) -> bool:
    """Whether the pattern occurs in the beginning of `text`."""
    compiled, limit = compile_pattern(pattern)
    return compiled.search(text[:limit]) is not None


def _count_repeats(pattern: str) -> int:
    """Open repeats (`*`, `+`, `{1,9}`); refuses a repeated group that itself varies, and back references."""
    varies = [False]
    group_varies = False
    repeats = 0
    for part in _PARTS.findall(pattern):
        closed, group_varies = group_varies, False
        if _BACK.fullmatch(part):
            raise BadPattern("back references could take for ever")
        if part.startswith("("):
            varies.append(False)
        elif part == ")" and len(varies) > 1:
            group_varies = varies.pop()
            varies[-1] = varies[-1] or group_varies
        elif part in ("|", "?"):
            varies[-1] = True
        elif part in ("*", "+") or part.startswith("{"):
            if closed:
                raise BadPattern("a repeat of what itself varies could take for ever")
            if not _FIXED.fullmatch(part):
                varies[-1] = True
                repeats += 1
    return repeats
