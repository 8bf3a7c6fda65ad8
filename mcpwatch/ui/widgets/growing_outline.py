"""An outline to which lines are added one by one: nested, on one line where they fit, folded where they are many."""

from collections.abc import Iterator
from typing import NamedTuple

from mcpwatch.text import Shown, show
from mcpwatch.ui.widgets.json_pieces import MOST_LINES, Rest, as_many, at_once
from mcpwatch.ui.widgets.lines import Tone
from mcpwatch.ui.widgets.outline import Item, Kind, Outline

ROW = 72
"""What fits into this many characters stays on one line."""
ITEMS = 100
"""Items of one array or object before the rest is folded."""
_SEAM = 200
"""Characters on each side of a cut, in which what lies across it is found."""
_COST = 20
"""Characters that cost as much as a token, where they must be looked at one by one."""


class Opened(NamedTuple):
    """An array or object that is being read."""

    at: int
    is_object: bool
    step: str | int


class GrowingOutline(Outline):
    """What is known while lines are added."""

    def __init__(self) -> None:
        super().__init__()
        self._left_out = ""
        self._stack: list[Opened] = []
        self._more: dict[int, int] = {}
        """By the line that opens an array or object, the line that folds its later items."""
        self._head = Shown("")
        """The name of the next line."""
        self._step: str | int = 0
        """The place of the next line in what it stands in."""
        self._last: Item | None = None
        """What a comma follows."""
        self._rest: tuple[int, list[str], int] | None = None
        """A line, what is still to be laid out under it, and how many characters are not."""
        self._piece = ""
        """What the next line may go on from."""
        self._seams: dict[int, tuple[str, str]] = {}
        """By the line that goes on from one before: the characters on both sides, in lower case."""

    def find(self, needle: str) -> list[int]:
        """Those too on which a text ends that began on the line before."""
        found, wanted = super().find(needle), needle.lower()
        reach = len(wanted) - 1
        across = [at for at, (left, right) in self._seams.items() if reach and wanted in left[-reach:] + right[:reach]]
        return sorted({*found, *across}) if across else found

    def _covered(self) -> bool | None:
        """Whether a signature covers the next line."""
        return None

    def _add(self, kind: Kind, text: Shown, tone: Tone = Tone.PLAIN, *, inside: int | None = None) -> Item:
        parent = self._parent() if inside is None else inside
        depth = len(self._stack) + (inside is not None)
        item = Item(kind, depth, parent, self._head, text, tone, covered=self._covered())
        self._head = Shown("")
        self.items.append(item)
        if inside is None:
            self._last = item
        return item

    def _parent(self) -> int:
        """The line that folds the next one away; counts it as an item of what it stands in."""
        if not self._stack:
            return -1
        opened = self._stack[-1]
        holder = self.items[opened.at]
        if not opened.is_object:
            self._step = holder.count
        holder.count += 1
        if holder.count <= ITEMS:
            return opened.at
        if opened.at not in self._more:
            self._more[opened.at] = at = len(self.items)
            self.items.append(Item(Kind.MORE, len(self._stack), opened.at, Shown(""), Shown("… more"), Tone.DIM))
            self.folded.add(at)
        more = self._more[opened.at]
        self.items[more].end = len(self.items) + 1
        return more

    def _open(self, bracket: str) -> None:
        self._add(Kind.OPEN, Shown(bracket), Tone.DIM)
        self._stack.append(Opened(len(self.items) - 1, bracket == "{", self._step))

    def _close(self, bracket: str) -> None:
        opened = self._stack.pop()
        held = self.items[opened.at + 1 :] if len(self.items) - opened.at <= ROW // 2 else None
        item = self.items[opened.at]
        if held is not None and _is_short(item, held):
            inner = " ".join(f"{each.head}{each.text}{each.tail}" for each in held)
            del self.items[opened.at + 1 :]
            item.kind, item.tone, item.end = Kind.LEAF, Tone.PLAIN, 0
            item.text = Shown(f"{item.text}{inner}{bracket}")
            self._last = item
            return
        self._end(opened.at)
        covered = item.covered
        self.items.append(Item(Kind.CLOSE, item.depth, opened.at, Shown(""), Shown(bracket), Tone.DIM, covered=covered))
        item.end, self._last = len(self.items), self.items[-1]

    def _end(self, at: int) -> None:
        """All of an array or object that there is has come."""
        item = self.items[at]
        item.end = len(self.items)
        if (more := self._more.pop(at, None)) is not None:
            left = item.count - ITEMS
            self.items[more].text, self.items[more].count = show(f"… {left:,} more"), left
            self.items[more].end = len(self.items)

    # -- long texts

    def _add_piece(self, piece: str, text: Shown, inside: int | None = None) -> None:
        """A line of a text, as it is drawn; it may go on from the piece before."""
        if isinstance(piece, Rest):
            sides = show(self._piece[-_SEAM:]), show(piece[:_SEAM])
            self._seams[len(self.items)] = (sides[0].lower(), sides[1].lower())
        self._piece = piece
        self._add(Kind.LEAF, text, inside=inside)

    def _block(self, lines: list[str]) -> None:
        """Lines of a text, under the line that says so."""
        at, some = len(self.items) - 1, at_once(lines)
        for each in lines[:some]:
            self._add_piece(each, Shown(f"│ {show(each)}"), at)
        self.items[at].end = len(self.items)
        self._fold(lines[some:], f"{len(lines) - some:,} more lines", at)

    def _fold(self, lines: list[str], what: str, inside: int | None = None) -> None:
        """Lines that are folded away at first."""
        if not lines:
            return
        at = len(self.items)
        parent = self.items[at - 1].parent if inside is None else inside
        covered = self.items[at - 1].covered
        more = Item(Kind.MORE, len(self._stack) + 1, parent, Shown(""), show(f"… {what}"), Tone.DIM, covered=covered)
        self.items.append(more)
        self.folded.add(at)
        kept = as_many(lines)
        left = sum(map(len, lines[kept:]))
        if left:
            self._left_out = self._left_out or f"{left:,} characters of a long text"
        self._rest = (at, lines[:kept], left)

    def _lay_rest(self) -> Iterator[int]:
        if self._rest is None:
            return
        (at, lines, left), self._rest = self._rest, None
        for each in lines:
            if len(self.items) >= MOST_LINES:
                break
            self._add_piece(each, Shown(f"│ {show(each)}"), at)
            self.items[at].end = len(self.items)
            yield 1 + len(each) // _COST
        if left:
            self._add(Kind.LEAF, show(f"… {left:,} more characters, which are not laid out"), Tone.WARN, inside=at)
            self.items[at].end = len(self.items)
        holder = self.items[self.items[at].parent]
        if holder.kind is Kind.TEXT:
            holder.end = len(self.items)


def _is_short(item: Item, held: list[Item]) -> bool:
    """Whether what an array or object holds fits behind its name."""
    if any(each.kind is not Kind.LEAF or each.note or each.count or each.covered != item.covered for each in held):
        return False
    return sum(len(each.head) + len(each.text) + len(each.tail) + 1 for each in held) <= ROW
