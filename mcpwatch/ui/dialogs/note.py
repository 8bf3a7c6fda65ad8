"""Acknowledge and un-acknowledge: names the alert, asks for a note, is done with enter."""

from collections.abc import Callable

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from mcpwatch.errors import McpwatchError
from mcpwatch.model.alerts import Alert
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.lines import BLANK, Line, Tone, field, line, span
from mcpwatch.ui.looks import severity_cell
from mcpwatch.ui.page import Page
from mcpwatch.ui.ribbon import Ribbon
from mcpwatch.ui.times import count

_MAX_NOTE = 2_000

Act = Callable[[str, int], object]
"""Given the note and the newest entry that was shown, does it; raises McpwatchError when it cannot be done."""


class NoteDialog(Dialog):
    """Does one thing to one alert, with a note."""

    AUTO_FOCUS = "#note"

    def __init__(self, heading: str, alert: Alert, explains: str, act: Act) -> None:
        super().__init__(heading)
        self._alert = alert
        self._explains = explains
        self._act = act
        self._shown = alert.last_index
        self._fault = ""

    def compose_box(self) -> ComposeResult:
        """The alert, the note, the keys."""
        yield Page(id="text")
        note = Input(id="note", placeholder="note: why, or what you did about it", max_length=_MAX_NOTE, compact=True)
        note.cursor_blink = False
        yield note
        yield Ribbon(id="fault")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say which alert this is about, and what went wrong."""
        super().fill()
        self.query_one("#fault", Ribbon).show_lines(line(span(self._fault, Tone.BAD)))
        does = f"{self.heading.lower()}   "
        keys = line(span("enter ", Tone.ACCENT), does, span("esc ", Tone.ACCENT), "leave it as it is")
        self.query_one("#keys", Ribbon).show_lines(keys)

    def lines(self) -> list[Line]:
        """The alert as it stood when the dialog last looked."""
        alert = self._alert
        return [
            line(severity_cell(alert.severity), "  ", span(alert.title, Tone.STRONG), hang=2),
            BLANK,
            field("about", alert.subject),
            field("why", alert.reason),
            field("seen", f"{count(alert.count, 'time')}, newest entry {self._shown}"),
            BLANK,
            line(span(self._explains, Tone.DIM)),
        ]

    @on(Input.Submitted, "#note")
    def _submitted(self, event: Input.Submitted) -> None:
        try:
            self._act(event.value, self._shown)
        except McpwatchError as error:
            self._fault = f"{error.title}. {error.hint}".strip()
            self._shown = self._alert.last_index
            self.fill()
        else:
            self.dismiss()
