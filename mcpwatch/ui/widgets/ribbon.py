"""A few fixed lines: bars at the edges of the screen."""

from collections.abc import Sequence

from textual import events
from textual.strip import Strip

from mcpwatch.text import Shown, cut, width
from mcpwatch.ui.widgets.lines import SPACE, Line, Span, Tone, join
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.ui.widgets.toned import Toned


class Ribbon(Toned):
    """Draws one line a row, cut at the edge; spans with an action can be clicked."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.lines: tuple[Line, ...] = ()

    def show_lines(self, *lines: Line) -> None:
        """Show these lines; nothing is drawn again when they are the same."""
        if lines != self.lines:
            self.lines = lines
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """Line `y`, or an empty one."""
        if y >= len(self.lines):
            return Strip.blank(self.size.width, self.tone_style(Tone.PLAIN))
        return self.strip(self.lines[y], self.size.width)

    def on_click(self, event: events.Click) -> None:
        """Have the app run the action of the span that was clicked: one that ends this screen cannot run in it."""
        if event.y < len(self.lines) and (action := _action_at(self.lines[event.y], event.x)):
            self.app.call_next(self.app.run_action, action)


def cut_line(text: Line, cells: int) -> Line:
    """The line's beginning, at most `cells` wide, with an ellipsis where it was cut."""
    if cells_of(text) <= cells:
        return text
    spans: list[Span] = []
    left = cells
    for part in text.spans:
        spans.append(part._replace(text=Shown(cut(part.text, left))))
        left -= width(spans[-1].text)
        if left <= 0:
            break
    return Line(tuple(spans))


def _action_at(line: Line, x: int) -> str:
    at = 0
    for part in line.spans:
        at += width(part.text)
        if x < at:
            return part.action
    return ""


def spread(left: Sequence[Line], right: Line, cells: int, gap: str = "  ") -> Line:
    """As many of `left` as fit before `right`, which stands at the right edge; what comes last leaves first.

    The first stays, cut if it must be.
    """
    kept = list(left)
    room = max(cells - cells_of(right) - (4 if right.spans else 2), 0)
    while len(kept) > 1 and cells_of(join(kept, gap)) > room:
        kept.pop()
    drawn = cut_line(join(kept, gap), room)
    fill = max(cells - cells_of(drawn) - cells_of(right) - 2, 0)
    return Line((SPACE, *drawn.spans, Span(Shown(" " * fill)), *right.spans, SPACE))
