"""Text as lines that fold: what a page of JSON knows of its lines, whatever laid them out."""

from enum import Enum

from msgspec import Struct

from mcpwatch.text import Shown, width
from mcpwatch.ui.widgets.lines import Line, Span, Tone, plain, span

INDENT = 2
DEEPEST = 24
"""Levels that are indented; deeper lines say how deep they stand."""


class Kind(Enum):
    """What a line is; all but the last two fold what follows."""

    OPEN = "{"
    TEXT = "text"
    MORE = "more"
    CLOSE = "}"
    LEAF = "leaf"


class Item(Struct):
    """One line."""

    kind: Kind
    depth: int
    parent: int
    """The line that folds it away; -1 for none."""
    head: Shown
    """The name that it has in its object, as it is drawn."""
    text: Shown
    tone: Tone
    tail: str = ""
    end: int = 0
    """One past the last line that it folds away."""
    count: int = 0
    """How many items, lines or characters it holds."""
    note: Shown = Shown("")
    """What we say of it; drawn behind, in our own tone."""
    covered: bool | None = None
    """Whether the signature covers it; None where that cannot be said."""


_COVER = {
    True: Span(Shown("┃ "), Tone.GOOD),
    False: Span(Shown("┊ "), Tone.WARN),
    None: Span(Shown("")),
}
COVERED, UNCOVERED = _COVER[True], _COVER[False]
_FOLDS = {True: Span(Shown("▸ "), Tone.ACCENT), False: Span(Shown("▾ "), Tone.DIM)}
_PLAIN = Span(Shown("  "))
_CLOSES = {"{": "}", "[": "]"}


class Outline:
    """Lines of which some hold others and can be folded."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.folded: set[int] = set()
        self.version = 0
        """Grows whenever other lines are to be drawn."""

    def read(self, steps: int) -> bool:
        """Lay out some more; True while something is left."""
        del steps
        return False

    @property
    def left_out(self) -> str:
        """What was not laid out, and so is neither found nor folded; empty when all is."""
        return ""

    def visible(self) -> list[int]:
        """The lines that no fold hides, in order."""
        shown: list[int] = []
        at, count = 0, len(self.items)
        while at < count:
            shown.append(at)
            at = max(self.items[at].end, at + 1) if at in self.folded else at + 1
        return shown

    def folds(self, at: int) -> bool:
        """Whether the line holds others."""
        return self.items[at].end > at + 1

    def toggle(self, at: int) -> None:
        """Fold away what a line holds, or open it."""
        if self.folds(at):
            self.folded ^= {at}
            self.version += 1

    def fold_all(self) -> None:
        """Fold all but the outermost."""
        self.folded = {at for at, item in enumerate(self.items) if self.folds(at) and item.depth}
        self.version += 1

    def open_all(self) -> None:
        """Open everything."""
        self.folded = set()
        self.version += 1

    def reveal(self, at: int) -> bool:
        """Open the folds that hide a line; whether there were any."""
        hiding = set()
        parent = self.items[at].parent
        while parent >= 0:
            hiding.add(parent)
            parent = self.items[parent].parent
        opened = hiding & self.folded
        self.folded -= opened
        self.version += bool(opened)
        return bool(opened)

    def find(self, needle: str) -> list[int]:
        """The lines that have a text in them, folded or not; any case."""
        wanted = needle.lower()
        return [at for at in range(len(self.items)) if wanted in self.text(at).lower()]

    def text(self, at: int) -> str:
        """The characters of a line without its marks and its indent."""
        item = self.items[at]
        return f"{item.head}{item.text}{item.tail}{item.note}"

    def cells(self, at: int) -> int:
        """How wide a line is when it is not wrapped; exact for ASCII, and never too small."""
        item = self.items[at]
        if at in self.folded:
            return sum(width(part.text) for part in self.line(at).spans)
        head, text, note = item.head, item.text, item.note
        marks = (4 if item.covered is not None else 2) + len(item.tail)
        marks += INDENT * item.depth if item.depth <= DEEPEST else INDENT * DEEPEST + len(_depth(item.depth))
        if head.isascii() and text.isascii() and not note:
            return marks + len(head) + len(text)
        return marks + width(head) + width(text) + width(note)

    def line(self, at: int, *, can_fold: bool = True) -> Line:
        """A line to draw; where nothing can be folded, nothing is marked as if it could."""
        item = self.items[at]
        is_folded = at in self.folded
        fold = _FOLDS[is_folded] if self.folds(at) else _PLAIN
        spans = [_COVER[item.covered], *([fold] if can_fold else ()), *_indent(item.depth)]
        hang = 2 * can_fold + INDENT * (min(item.depth, DEEPEST) + 1) + len(_COVER[item.covered].text)
        spans += [Span(item.head, Tone.DIM), Span(item.text, item.tone)]
        if is_folded and item.kind is Kind.OPEN:
            spans.append(span(f"… {item.count:,} {_CLOSES[item.text]}", Tone.DIM))
            spans.append(span(self.items[item.end - 1].tail, Tone.DIM))
        elif item.tail:
            spans.append(span(item.tail, Tone.DIM))
        if item.note:
            spans.append(Span(item.note, Tone.WARN))
        return Line(tuple(part for part in spans if part.text), hang)

    def lines(self) -> list[Line]:
        """The lines that no fold hides, for a page on which nothing can be folded."""
        return [self.line(at, can_fold=False) for at in self.visible()]

    @property
    def whole(self) -> str:
        """All lines as they are drawn now."""
        return "\n".join(plain(self.line(at)) for at in self.visible())


Part = Line | Outline
"""What a page consists of."""


def _indent(depth: int) -> tuple[Span, ...]:
    if depth <= DEEPEST:
        return (Span(Shown(" " * (INDENT * depth))),)
    return (Span(Shown(" " * (INDENT * DEEPEST))), span(_depth(depth), Tone.DIM))


def _depth(depth: int) -> str:
    return f"{depth:,}· "
