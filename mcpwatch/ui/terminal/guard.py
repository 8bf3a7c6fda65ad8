"""The backstop behind the text door: nothing that acts on a terminal leaves as text.

Textual passes ESC, OSC, C1 and bidi characters of any string through to the terminal. All of our widgets
take only shown text; this filter neutralises what a widget of the library, or a mistake of ours, lets by.
"""

from rich.cells import cell_len
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from mcpwatch.text import is_hidden

_REPLACEMENT = "\ufffd"


class Guard(LineFilter):
    """Replaces characters that would act or hide, and drops hyperlinks (OSC 8)."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return segments of the same widths that hold printable text only."""
        return [segment if _is_clean(segment) else _cleaned(segment) for segment in segments]


def _is_clean(segment: Segment) -> bool:
    text, style = segment.text, segment.style
    if style is not None and style.link is not None:
        return False
    return text.isprintable() if text.isascii() else not any(map(is_hidden, text))


def _cleaned(segment: Segment) -> Segment:
    style = segment.style
    if style is not None and style.link is not None:
        style = style.update_link(None)
    if segment.control:
        return segment
    return Segment("".join(map(_replace, segment.text)), style)


def _replace(char: str) -> str:
    if char == "\u00a0":
        return " "
    return _REPLACEMENT * cell_len(char) if is_hidden(char) else char
