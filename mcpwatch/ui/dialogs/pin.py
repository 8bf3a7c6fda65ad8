"""Pin: shows the whole key, whose it is and how that is known so far; done with enter."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from mcpwatch.errors import McpwatchError
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon

_MAX_NAME = 32


class PinWords(NamedTuple):
    """What a pin does to this identity, in words."""

    heading: str
    explains: str
    does: str
    """What enter does."""


class PinDialog(Dialog):
    """Asks for a name, which may stay empty, and does `act` with it; what cannot be done is said, and it stays open."""

    AUTO_FOCUS = "#note"

    def __init__(self, words: PinWords, says: Sequence[Line], name: str, act: Callable[[str], object]) -> None:
        super().__init__(words.heading)
        self._words = words
        self._says = list(says)
        self._name_before = name
        self._act = act
        self._fault = ""

    def compose_box(self) -> ComposeResult:
        """The key, the name, the keys."""
        yield Page(id="text")
        name = Input(
            self._name_before, id="note", placeholder="name: what you call it, or nothing", max_length=_MAX_NAME
        )
        name.compact, name.cursor_blink = True, False
        yield name
        yield Ribbon(id="fault")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say which key this is about, and what went wrong."""
        super().fill()
        self.say(span(self._fault, Tone.BAD))
        self.show_keys(("enter", self._words.does), ("escape", "leave it as it is"))

    def lines(self) -> list[Line]:
        """The key, and what pinning means."""
        return [*self._says, BLANK, line(span(self._words.explains, Tone.DIM))]

    @on(Input.Submitted, "#note")
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self._act(event.value.strip())
        except McpwatchError as error:
            self._fault = error.whole
            self.fill()
        else:
            self.dismiss()
