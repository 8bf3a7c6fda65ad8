"""Acts on an alert: the dialog names the alert, asks for a note, says where it will be kept; done with enter."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from mcpwatch.errors import McpwatchError
from mcpwatch.model.alerts import Alert, AlertEvent, Kept
from mcpwatch.text import count
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.pages.parties import about_lines, head_line
from mcpwatch.ui.widgets.lines import BLANK, Line, Span, Tone, field, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch.subjects import with_names
from mcpwatch.watch.watcher import Watcher

_MAX_NOTE = 2_000
SINKS = "now under the firing ones"
"""Where in the list an alert is that somebody let rest."""


class Shown(NamedTuple):
    """What the operator was shown of an alert."""

    last_index: int
    last_act: AlertEvent | None


Act = Callable[[str, Shown], Awaitable[Kept]]
"""Given the note and what was shown, does it; raises McpwatchError when it cannot be done."""


class ActWords(NamedTuple):
    """What an act is called and what it does."""

    heading: str
    explains: str
    done: str
    """How the foot of the screen answers."""
    goes: str
    """Where in the list of alerts it then is."""


class NoteDialog(Dialog):
    """Does one thing to one alert, with a note; what cannot be done is said, and what was typed stays."""

    AUTO_FOCUS = "#note"

    def __init__(self, words: ActWords, alert: Alert, watcher: Watcher, act: Act, about: Sequence[Line] = ()) -> None:
        super().__init__(words.heading)
        self._words = words
        self._alert = alert
        self._state = watcher.state
        self._watcher = watcher
        self._act = act
        self._about = list(about)
        self._shown = Shown(alert.last_index, alert.last_act)
        self._fault = ""
        self._is_busy = False

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
        self.say(progress(self._fault, self._watcher.keeps(self._alert), is_busy=self._is_busy))
        self.show_keys(("enter", self.heading.lower()), ("escape", "leave it as it is"))

    def lines(self) -> list[Line]:
        """The alert as it stood when the dialog last looked."""
        alert, state = self._alert, self._state
        return [
            head_line(alert),
            BLANK,
            *about_lines(alert, state),
            *self._about,
            field("why", with_names(alert.reason, alert, state)),
            field("seen", f"{count(alert.count, 'time')}, newest entry {self._shown.last_index}"),
            BLANK,
            line(span(self._words.explains, Tone.DIM)),
        ]

    @on(Input.Submitted, "#note")
    def _submitted(self, event: Input.Submitted) -> None:
        if not self._is_busy:
            self._is_busy = True
            self.run_worker(self._do(event.value), exit_on_error=False)

    async def _do(self, note: str) -> None:
        self._fault = ""
        self.fill()
        try:
            kept = await self._act(note, self._shown)
        except McpwatchError as error:
            self._fault = error.whole
            self._shown = Shown(self._alert.last_index, self._alert.last_act)
        else:
            self.dismiss()
            self.host.tell(f"{self._words.done}, {kept.value}; {self._words.goes}")
        finally:
            self._is_busy = False
            if self.is_current:
                self.fill()


def progress(fault: str, place: Kept, *, is_busy: bool) -> Span:
    """How it goes with the act: what is wrong, that it is being written, or where it will be kept."""
    if is_busy:
        return span("writing it down …", Tone.DIM)
    return span(fault, Tone.BAD) if fault else span(f"kept {place.value}", Tone.DIM)
