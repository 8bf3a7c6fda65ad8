"""From tones to styles, by component classes that all widgets of ours share."""

from collections.abc import Iterable, Sequence
from functools import cached_property, partial

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from mcpwatch.text import cut
from mcpwatch.ui.widgets.lines import FILLED, Line, Tone

_CLASS = {tone: f"tone--{tone.value}" for tone in Tone}
TONES = frozenset({*_CLASS.values(), "tone--cursor", "tone--cursor-away", "tone--header", "tone--hit"})
"""The component classes, the app's: were they each widget's own, every change of focus would make all of them anew."""


class Drawn(Strip):
    """A strip that does not remember itself as the only piece of itself, and so is freed as soon as it is dropped.

    The library's own are in a cycle once they were drawn whole. At ten frames a second that is most of what would
    wait for the search for garbage, and the search goes over all that is held.
    """

    __slots__ = ()

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        """The pieces that end at these cells."""
        inside = [each for each in cuts if each <= self.cell_length]
        return [self] if inside == [self.cell_length] else super().divide(inside)


class Toned(Widget):
    """A widget that draws toned lines itself; see `watch.tcss` for what the tones look like."""

    def part_style(self, name: str) -> Style:
        """What one of `TONES` adds to a style."""
        return self.app.get_component_styles(name).partial_rich_style

    def tone_style(self, tone: Tone, over: str = "") -> Style:
        """The style of a tone on this widget's ground, with the component class `over` laid on top."""
        style = self._styles_by_tone.get((tone, over))
        if style is None:
            style = self.rich_style + self.part_style(_CLASS[tone])
            if over and tone not in FILLED:
                style += self.part_style(over)
            self._styles_by_tone[tone, over] = style
        return style

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines as they go to the screen; those that are as they were stay the same objects."""
        strips = super().render_lines(crop)
        return [self._drawn_at(y, strip) for y, strip in zip(crop.line_range, strips, strict=False)]

    def _drawn_at(self, y: int, strip: Strip) -> Strip:
        kept = self._drawn.get(y)
        if kept is None or kept[0] is not strip:
            kept = self._drawn[y] = (strip, Drawn(strip, strip.cell_length))
        return kept[1]

    @cached_property
    def _drawn(self) -> dict[int, tuple[Strip, Strip]]:
        """By line: what was last drawn there, and what stands for it."""
        return {}

    @cached_property
    def _styles_by_tone(self) -> dict[tuple[Tone, str], Style]:
        return {}

    def notify_style_update(self) -> None:
        """Forget the old colours."""
        super().notify_style_update()
        self._styles_by_tone.clear()
        self.refresh()

    def strip(self, text: Line, cells: int, over: str = "") -> Strip:
        """Draw a line in exactly `cells` cells."""
        style = partial(self.tone_style, over=over)
        segments: list[Segment] = []
        left = cells
        for part in text.spans:
            if left <= 0:
                break
            shown = part.text
            if cell_len(shown) > left:
                shown = type(shown)(set_cell_size(cut(shown, left), left))
            segments.append(Segment(shown, style(part.tone)))
            left -= cell_len(shown)
        if left > 0:
            segments.append(Segment(" " * left, style(Tone.PLAIN)))
        return Strip(segments, cells)
