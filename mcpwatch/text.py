"""The one door through which untrusted text reaches a screen or a pipe.

Textual writes escape sequences of any string to the terminal, the terminal answers some of them, and the
answer arrives as typed keys. So nothing that came from outside is drawn before it has passed `show`, and
widgets of ours take only its result. Stored, exported and verified octets stay exact.
"""

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import NewType

Shown = NewType("Shown", str)
"""Text that is safe to draw: no control, format, surrogate, private or unassigned characters."""

_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_INVISIBLE = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MAX_MARKS = 3
ELLIPSIS = "…"


def show(text: str, cells: int | None = None) -> Shown:
    """Make `text` safe to draw on one line, cut to `cells` terminal cells if given.

    Each character that is not plainly visible becomes a visible escape (`\\x1b`, `\\u202e`); a base character
    keeps at most three combining marks. Showing shown text changes nothing.
    """
    if cells is not None and len(text) > 4 * cells + 64:
        # Marks take no cells, so allow a few characters a cell before the work begins.
        text = text[: 4 * cells + 64] + ELLIPSIS
    clean = text if text.isascii() and text.isprintable() else "".join(_visible(text))
    return Shown(clean if cells is None else cut(clean, cells))


def show_lines(text: str, limit: int = 10_000) -> list[Shown]:
    """Make `text` safe to draw over several lines; only LF and CRLF break a line.

    At most `limit` lines come back; the last then says how many were left out.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    if len(lines) > limit:
        more = len(lines) - limit + 1
        lines = [*lines[: limit - 1], f"{ELLIPSIS} {more} more lines"]
    return [show(line) for line in lines]


def count(number: int, what: str) -> str:
    """`1 session`, `2 sessions`, `2,000 entries`."""
    if number == 1:
        return f"1 {what}"
    many = f"{what[:-1]}ies" if what.endswith("ry") else f"{what}s"
    return f"{number:,} {many}"


def show_bytes(data: bytes, cells: int | None = None) -> Shown:
    """Make octets safe to draw: as UTF-8 where they are, with `\\xNN` where they are not."""
    return show(data.decode("utf-8", "backslashreplace"), cells)


def escape(char: str) -> str:
    """The visible form of one character."""
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def is_hidden(char: str) -> bool:
    """Whether `char` would be invisible, or act, if it were drawn as it is."""
    return char != " " and (unicodedata.category(char) in _HIDDEN_CATEGORIES or ord(char) in _INVISIBLE)


def width(text: str) -> int:
    """Terminal cells of text that has passed the door."""
    if text.isascii():
        return len(text)
    return sum(map(_cells, text))


def cut(text: str, cells: int) -> str:
    """Shorten text that has passed the door to at most `cells`, ending in an ellipsis where it was cut."""
    if width(text) <= cells:
        return text
    if cells <= 0:
        return ""
    kept: list[str] = []
    left = cells - 1
    for char in text:
        left -= _cells(char)
        if left < 0:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS


def cut_head(text: str, cells: int) -> str:
    """The same from the other end: an ellipsis, then the last `cells` of it, as of a path."""
    if width(text) <= cells:
        return text
    kept, left = len(text), cells - 1
    while kept and (left := left - _cells(text[kept - 1])) >= 0:
        kept -= 1
    return ELLIPSIS + text[kept:] if cells > 0 else ""


@lru_cache(maxsize=4_096)
def _cells(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _visible(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        if is_hidden(char):
            marks = 0
            yield escape(char)
        elif unicodedata.category(char) in ("Mn", "Me", "Mc"):
            marks += 1
            if marks <= _MAX_MARKS:
                yield char
        else:
            marks = 0
            yield char
