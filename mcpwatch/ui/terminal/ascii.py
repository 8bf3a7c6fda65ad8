"""What is drawn on a terminal that has ASCII and no more: one table of signs, applied to all that leaves."""

from collections.abc import Mapping

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

_LOCALE = ("LC_ALL", "LC_CTYPE", "LANG")
"""Variables that name the locale of characters; the first that is set counts (POSIX, 8.2)."""
_NO_CODESET = frozenset({"C", "POSIX"})
_UTF_8 = frozenset({"utf8", "utf-8"})
_TERMINALS = ("linux", "vt", "cons", "ansi", "sun")
"""How the names of terminals begin whose fonts lack most signs."""
SIGNS: Mapping[str, str] = {
    sign: plain
    for signs, plains in (
        ("✓✗≠↻◐◑◔◌○●⊘■▪•·◆", "+x#@%%~.o*/=-*.&"),
        ("‼–—…×µμ✂≈\ufffd\u00a0«»‹›“”‘’", "!--~xuu8~? <><>\"\"''"),
        ("→←↑↓▸▹▶▾▼▽▲△‖", "><^v>>>vvv^^H"),
        ("▁▂▃▄▅▆▇█", "_..:-=*#"),
        ("▏▎▍▌▋▊▉▕▐", "|||||||||"),
        ("▔▀", '""'),
        ("─━═╌╍┄┅╱╲", "-------/\\"),
        ("│┃║┊┆╎╏", "|||||||"),
        ("┌┐└┘├┤┬┴┼╭╮╰╯┏┓┗┛┣┫┳┻╋┿╔╗╚╝╸╺╹╻╴╶", "+" * 27 + "--||--"),
    )
    for sign, plain in zip(signs, plains, strict=True)
}
"""Each sign of ours, and of the library's borders and bars, and the one that stands for it; both take one cell."""


class _Plain(dict[int, str]):
    """The table by code; what is not in it becomes question marks of the same width."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = found = char if char.isascii() else "?" * cell_len(char)
        return found


class Ascii(LineFilter):
    """Replaces all that is not ASCII, cell by cell."""

    def __init__(self) -> None:
        super().__init__()
        self._plain = _Plain({ord(sign): plain for sign, plain in SIGNS.items()})

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments of the same widths that hold ASCII only."""
        return [
            segment if segment.text.isascii() else segment._replace(text=segment.text.translate(self._plain))
            for segment in segments
        ]


def is_wanted(choice: str, environment: Mapping[str, str], encoding: str) -> bool:
    """Whether to keep to ASCII; `auto` goes by locale, terminal, and the encoding of standard output."""
    if choice != "auto":
        return choice == "ascii"
    locale = next((environment[name] for name in _LOCALE if environment.get(name)), "")
    codeset = locale.partition(".")[2].partition("@")[0].lower()
    lacks = locale in _NO_CODESET or (codeset and codeset not in _UTF_8)
    return bool(lacks) or environment.get("TERM", "").startswith(_TERMINALS) or encoding.lower() not in _UTF_8
