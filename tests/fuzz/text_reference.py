"""The text door a second time: what Python calls printable, less what Unicode calls ignorable."""

import re
import unicodedata

_IGNORABLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Of Default_Ignorable_Code_Point what has a visible category, and the blank Braille pattern."""


def shown(text: str) -> str:
    """The safe form of `text`, not cut."""
    written, marks = "", 0
    for char in text:
        is_mark = unicodedata.category(char).startswith("M")
        if not char.isprintable() or _IGNORABLE.match(char):
            written, marks = written + spelled(char), 0
        elif not is_mark:
            written, marks = written + char, 0
        elif marks < 3:
            written, marks = written + char, marks + 1
    return written


def spelled(char: str) -> str:
    """A character as Python's source has it."""
    return char.encode("unicode_escape").decode()


def cells(text: str) -> int:
    """Terminal cells of safe text."""
    return sum(_cells(char) for char in text)


def _cells(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me") or unicodedata.combining(char):
        return 0
    return 1 + (unicodedata.east_asian_width(char) in ("W", "F"))
