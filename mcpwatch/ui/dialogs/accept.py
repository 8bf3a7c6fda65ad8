"""Accept a definition: shows what changed, asks why that is good, is done with enter."""

from collections.abc import Awaitable, Callable, Sequence

from textual import on
from textual.app import ComposeResult
from textual.widgets import Input

from mcpwatch.errors import McpwatchError
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon

_MAX_NOTE = 2_000
_EXPLAINS = (
    "From now on the tool is trusted under this definition, on this machine; the next change is an alert again. Your"
    " name and the note are kept with it, unsigned."
)

Accept = Callable[[str], Awaitable[str]]
"""Given the note, does it; says what came of it, or raises McpwatchError when it cannot be done."""


class AcceptDialog(Dialog):
    """Asks for a note and accepts; what cannot be done is said, and what was typed stays."""

    AUTO_FOCUS = "#note"

    def __init__(self, says: Sequence[Line], accept: Accept) -> None:
        super().__init__("Accept this definition")
        self._says = list(says)
        self._accept = accept
        self._fault = ""
        self._is_busy = False

    def compose_box(self) -> ComposeResult:
        """The change, the note, the keys."""
        yield Page(id="text")
        note = Input(id="note", placeholder="note: why it is good, a release for one", max_length=_MAX_NOTE)
        note.compact, note.cursor_blink = True, False
        yield note
        yield Ribbon(id="fault")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say what is accepted, and what went wrong."""
        super().fill()
        self.say(span(self._fault, Tone.BAD))
        self.show_keys(("enter", "accept it"), ("escape", "leave it as it is"), ("up", ""), ("down", "read on"))

    def lines(self) -> list[Line]:
        """The tool and what changed, as it stood when the dialog was opened."""
        return [*self._says, BLANK, line(span(_EXPLAINS, Tone.DIM))]

    @on(Input.Submitted, "#note")
    def _submitted(self, event: Input.Submitted) -> None:
        if not self._is_busy:
            self._is_busy = True
            self.run_worker(self._do(event.value), exit_on_error=False)

    async def _do(self, note: str) -> None:
        try:
            said = await self._accept(note)
        except McpwatchError as error:
            self._fault = error.whole
            self.fill()
        else:
            self.dismiss()
            self.host.tell(said)
        finally:
            self._is_busy = False
