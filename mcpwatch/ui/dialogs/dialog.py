"""Dialogs: they say what they do, and take no key that was on its way before they could be read."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from mcpwatch.text import Shown
from mcpwatch.ui.commands import key_name
from mcpwatch.ui.host import Host, host_of
from mcpwatch.ui.widgets.lines import Line, Span, Tone, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.ui.widgets.wrap import wrap

DEAF_FOR = 0.15
"""Seconds after opening in which keys, pastes and clicks are ignored: a terminal can be made to type."""

_GAP = Shown(" " * 3)
_MOST_LINES = 4
_NARROWEST = 40
"""Cells taken for a line's width before there is one."""


class Dialog(ModalScreen[None], inherit_bindings=False):
    """A box over the screen; escape leaves it. What it says scrolls above its keys, which are always in view."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("ctrl+q,ctrl+c", "app.quit", show=False),
        Binding("f8", "app.save_screen", show=False),
        Binding("up", "scroll('up')", show=False),
        Binding("down", "scroll('down')", show=False),
        Binding("pageup", "scroll('page_up')", show=False),
        Binding("pagedown", "scroll('page_down')", show=False),
    ]
    AUTO_FOCUS = "#text"

    def __init__(self, heading: str) -> None:
        super().__init__()
        self.heading = heading
        self.opened_at = float("inf")

    @property
    def host(self) -> Host:
        """The app, as far as it is this one's business."""
        return host_of(self)

    def is_deaf(self, now: float) -> bool:
        """Whether it is too early to take a key; `now` is the app's monotonic clock."""
        return now - self.opened_at < DEAF_FOR

    def compose(self) -> ComposeResult:
        """The box."""
        with Vertical(id="box") as box:
            box.border_title = self.heading
            yield from self.compose_box()

    def compose_box(self) -> ComposeResult:
        """What is in the box."""
        yield Page(id="text")

    def on_mount(self) -> None:
        """From this moment on it can be read."""
        self.opened_at = self.host.monotonic()
        self.fill()

    def fill(self) -> None:
        """Say what there is to say."""
        self.query_one("#text", Page).show_lines(self.lines())

    def lines(self) -> list[Line]:
        """What the dialog says."""
        return []

    def show_keys(self, *keys: tuple[str, str]) -> None:
        """Show keys, as Textual names them, with what they do; a click presses one, and one that says nothing leads."""
        spans: list[Span] = []
        for key, does in keys:
            press = f"app.simulate_key({key!r})"
            spans.append(span(f"{key_name(key)} ", Tone.ACCENT, press))
            if does:
                spans += [span(does, action=press), Span(_GAP)]
        self.query_one("#keys", Ribbon).show_lines(line(*spans[:-1]))

    def say(self, said: Span) -> None:
        """Say above the keys how it goes, on as many lines as it takes."""
        ribbon = self.query_one("#fault", Ribbon)
        lines = wrap([line(said)], ribbon.size.width or _NARROWEST)[:_MOST_LINES]
        ribbon.styles.height = len(lines)
        ribbon.show_lines(*lines)

    def action_scroll(self, way: str) -> None:
        """Move through the text while another part of the box has the keys."""
        for page in self.query(Page):
            getattr(page, f"action_{way}")()

    def action_leave(self) -> None:
        """Close it, and change nothing."""
        self.dismiss()
