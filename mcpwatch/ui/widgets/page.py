"""A text to read: toned lines and outlines, wrapped to the pane, of which only those in view are drawn."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import ClassVar, NamedTuple

from rich.segment import Segment
from textual.binding import BindingType
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.timer import Timer

from mcpwatch.text import width
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, plain
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.ui.widgets.outline import Outline, Part
from mcpwatch.ui.widgets.toned import Toned
from mcpwatch.ui.widgets.wrap import wrap

_AT_ONCE = 2_000
"""Steps of an outline that are laid out before anything is drawn, and then at a time."""
_KEPT = 500
"""Lines whose wrapping is kept, and that are wrapped at a time to count their rows."""
_AGAIN_S = 0.01


class Ref(NamedTuple):
    """A line of a page: the part that it is of, and its place there."""

    part: int
    at: int = -1


class Page(Toned, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows lines; stays where the reader is when the text changes under the same subject."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PAGE)]

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._parts: tuple[Part, ...] = ()
        self._versions: tuple[int, ...] = ()
        self._subject: object = None
        self._refs: list[Ref] = []
        self._tops: list[int] = [0]
        """The row that each line begins at, and one past the last."""
        self._heights: list[int] = []
        """The rows of each line."""
        self._guessed: list[int] = []
        """Lines of which the rows are guessed, the first of them last."""
        self._wraps: dict[Ref, list[Line]] = {}
        self._width = -1
        self._timer: Timer | None = None
        self._has_more = False
        """Whether an outline has more to lay out."""
        self.needle = ""
        """What is looked for."""
        self._hits: list[Ref] = []
        self._hit: Ref | None = None

    # -- what is shown

    def show_lines(self, parts: Sequence[Part], subject: object = None) -> None:
        """Show these lines; a new subject begins at the top."""
        new = tuple(parts)
        is_new = subject != self._subject
        if new != self._parts or self._versions != tuple(part.version for part in self._outlines(new)):
            self._parts = new
            self._read_on()
        if is_new:
            self._subject = subject
            self.begin()

    def begin(self) -> None:
        """To where one begins to read."""
        self.scroll_to(y=0, animate=False, force=True)

    @property
    def text(self) -> str:
        """What is shown, unwrapped."""
        return "\n".join(part.whole if isinstance(part, Outline) else plain(part) for part in self._parts)

    @property
    def left_out(self) -> str:
        """What is not laid out, and so not looked at when something is searched."""
        return next((part.left_out for part in self._outlines(self._parts) if part.left_out), "")

    @staticmethod
    def _outlines(parts: Sequence[Part]) -> list[Outline]:
        return [part for part in parts if isinstance(part, Outline)]

    def _read_on(self) -> None:
        """Lay out a slice, and the next one when that was drawn."""
        more = [part.read(_AT_ONCE) for part in self._outlines(self._parts)]
        self._has_more = any(more)
        self.flow()

    def _go_on(self) -> None:
        if (self._has_more or self._guessed) and self._timer is None:
            self._timer = self.set_timer(_AGAIN_S, self._again)

    def _again(self) -> None:
        self._timer = None
        if self._has_more:
            self._read_on()
            return
        at = self.line_of(int(self.scroll_offset.y))
        before = self._tops[at] if at is not None else 0
        self._count_rows()
        if at is not None and self._tops[at] != before:
            self.scroll_relative(y=self._tops[at] - before, animate=False, force=True)

    def on_resize(self) -> None:
        """Wrap to the width that the pane has."""
        if self.scrollable_content_region.width != self._width:
            self.flow()

    @property
    def line_cells(self) -> int:
        """Cells of a line, as they were when lines were wrapped."""
        return self._width

    def flow(self) -> None:
        """Arrange the lines anew."""
        self._width = self.scrollable_content_region.width or self.app.size.width
        self._versions = tuple(part.version for part in self._outlines(self._parts))
        self._wraps.clear()
        self._refs = [ref for at, part in enumerate(self._parts) for ref in _refs_of(at, part)]
        widths = [each for part in self._parts for each in _widths_of(part)]
        cells = self.line_cells
        self._heights = [max(-(-wide // max(cells, 1)), 1) for wide in widths]
        self._guessed = [at for at, rows in enumerate(self._heights) if rows > 1][::-1]
        self._count_rows()
        if self.needle:
            self._hits = self._find(self.needle)

    def _count_rows(self) -> None:
        """Count the rows of some of the lines of which they are guessed."""
        for at in self._guessed[: -_KEPT - 1 : -1]:
            self._heights[at] = len(self._wrapped(self._refs[at]))
        del self._guessed[-_KEPT:]
        self._tops = list(accumulate(self._heights, initial=0))
        self.virtual_size = Size(self._width, self._tops[-1])
        self._go_on()
        self.refresh()

    def _wrapped(self, ref: Ref) -> list[Line]:
        found = self._wraps.get(ref)
        if found is None:
            if len(self._wraps) >= _KEPT:
                self._wraps.clear()
            found = self._wraps[ref] = wrap([self.line_at(ref)], self.line_cells)
        return found

    def line_at(self, ref: Ref) -> Line:
        """A line as it is drawn."""
        part = self._parts[ref.part]
        return part.line(ref.at) if isinstance(part, Outline) else part

    # -- drawing

    def render_line(self, y: int) -> Strip:
        """The wrapped line that stands `y` lines down."""
        row = self.scroll_offset.y + y
        cells = self.scrollable_content_region.width
        at = self.line_of(row)
        if at is None:
            return Strip.blank(cells, self.tone_style(Tone.PLAIN))
        return self.draw(at, row - self._tops[at], cells)

    def line_of(self, row: int) -> int | None:
        """The line that stands on a row."""
        return bisect_right(self._tops, row) - 1 if 0 <= row < self._tops[-1] else None

    def draw(self, at: int, row: int, cells: int, over: str = "") -> Strip:
        """One row of a line, with what is looked for marked."""
        rows = self._wrapped(self._refs[at])
        text = rows[row] if row < len(rows) else BLANK
        strip = self.strip(text, cells, over)
        return self._marked(strip, plain(text)) if self.needle else strip

    def _marked(self, strip: Strip, text: str) -> Strip:
        lowered, size, at = text.lower(), len(self.needle), 0
        if len(lowered) != len(text):
            return strip
        style = self.part_style("tone--hit")
        while (hit := lowered.find(self.needle, at)) >= 0:
            start = width(text[:hit])
            stop = min(start + width(text[hit : hit + size]), strip.cell_length)
            if start >= stop:
                break
            before, here, after = strip.divide([start, stop, strip.cell_length])
            marked = Segment.apply_style(here, post_style=style)
            strip, at = Strip([*before, *marked, *after], strip.cell_length), hit + size
        return strip

    # -- searching

    def search(self, needle: str) -> int:
        """Mark a text wherever it stands, any case; how many lines have it, folded or not."""
        self.needle = needle.lower()
        self._hits = self._find(self.needle) if needle else []
        self._hit = None
        self.refresh()
        return len(self._hits)

    def _find(self, needle: str) -> list[Ref]:
        found: list[Ref] = []
        for number, part in enumerate(self._parts):
            if isinstance(part, Outline):
                found += [Ref(number, at) for at in part.find(needle)]
            elif needle in plain(part).lower():
                found.append(Ref(number))
        return found

    def next_hit(self, step: int) -> int | None:
        """On to the next line that has it, or back; its number from 1, None past the last."""
        hits = self._hits
        if self._hit is None:
            first = Ref(*self._refs[self.reading_at]) if self._refs else Ref(0)
            ahead = [at for at, hit in enumerate(hits) if (hit >= first if step > 0 else hit <= first)]
            at = (ahead[0] if step > 0 else ahead[-1]) if ahead else len(hits)
        else:
            at = bisect_right(hits, self._hit) - 1 + step if step > 0 else bisect_right(hits, self._hit) - 2
        if not 0 <= at < len(hits):
            self._hit = None
            return None
        self._hit = hits[at]
        self.reach(self._hit)
        return at + 1

    def first_hit(self, step: int) -> int | None:
        """To the first line that has it; to the last where the step is back."""
        if not self._hits:
            return None
        self._hit = self._hits[0 if step > 0 else -1]
        self.reach(self._hit)
        return self._hits.index(self._hit) + 1

    @property
    def hits(self) -> int:
        """How many lines have what is looked for."""
        return len(self._hits)

    @property
    def reading_at(self) -> int:
        """The line that one reads."""
        return self.line_of(self.scroll_offset.y) or 0

    def reach(self, ref: Ref) -> None:
        """Bring a line into view, whatever hides it."""
        part = self._parts[ref.part]
        if isinstance(part, Outline) and part.reveal(ref.at):
            self.flow()
        self.come_to(self._refs.index(ref))

    def come_to(self, at: int) -> None:
        """Bring a line into view, with some before it where it was out of it."""
        top, height = self._tops[at], self.size.height
        if not self.scroll_offset.y <= top < self.scroll_offset.y + height:
            self.scroll_to(y=max(top - height // 3, 0), animate=False, force=True)

    # -- moving

    def action_up(self) -> None:
        """One line up."""
        self.scroll_relative(y=-1, animate=False, force=True)

    def action_down(self) -> None:
        """One line down."""
        self.scroll_relative(y=1, animate=False, force=True)

    def action_page_up(self) -> None:
        """One page up."""
        self.scroll_relative(y=-max(self.size.height - 1, 1), animate=False, force=True)

    def action_page_down(self) -> None:
        """One page down."""
        self.scroll_relative(y=max(self.size.height - 1, 1), animate=False, force=True)

    def action_top(self) -> None:
        """To the first line."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_bottom(self) -> None:
        """To the last line."""
        self.scroll_to(y=self._tops[-1], animate=False, force=True)


def _widths_of(part: Part) -> Iterable[int]:
    return map(part.cells, part.visible()) if isinstance(part, Outline) else (cells_of(part),)


def _refs_of(at: int, part: Part) -> Iterator[Ref]:
    if isinstance(part, Outline):
        return (Ref(at, inner) for inner in part.visible())
    return iter((Ref(at),))
