"""Export: says what goes into the file and in which format, asks for its name; done with enter."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from mcpwatch.errors import LocalError
from mcpwatch.export.notice import standing
from mcpwatch.text import count
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.exporting import ENDINGS, export, following, format_of, path_of, proposed
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, field, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch.query import Query
from mcpwatch.watch.state import State

_MEANINGS = {
    ".jsonl": "each entry with its octets, which can be verified",
    ".csv": "a table for spreadsheets",
    ".md": "a report for people",
    ".har": "for the network panel of a browser",
}


class ExportDialog(Dialog):
    """Writes what a filter lets through; what cannot be done is said, and it stays open."""

    AUTO_FOCUS = "#note"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("tab", "format", show=False, priority=True)]

    def __init__(self, state: State, query: Query) -> None:
        super().__init__("Export")
        self._state = state
        self._query = query
        self._fault = ""
        self._is_busy = False

    def compose_box(self) -> ComposeResult:
        """What, the file's name, the keys."""
        yield Page(id="text")
        name = Input(proposed(str(self._query)), id="note", placeholder="the file's name", compact=True)
        name.cursor_blink = False
        yield name
        yield Ribbon(id="fault")
        yield Ribbon(id="keys")

    @property
    def name_typed(self) -> str:
        """The file's name as it stands in the box."""
        return self.query_one("#note", Input).value.strip()

    def fill(self) -> None:
        """Say what will be written, and what went wrong."""
        super().fill()
        said = "writing …" if self._is_busy else self._fault or "a new file that only you can read"
        self.say(span(said, Tone.BAD if self._fault and not self._is_busy else Tone.DIM))
        self.show_keys(("enter", "write it"), ("tab", "another format"), ("escape", "leave it"))

    def lines(self) -> list[Line]:
        """What goes into the file."""
        what = "every entry that is held" if self._query.is_empty else f"entries where {self._query.english()}"
        wanted = format_of(self.name_typed)
        formats = [
            line(
                span("▸ " if format == wanted else "  ", Tone.ACCENT),
                span(f"{ending:7}", Tone.STRONG if format == wanted else Tone.PLAIN),
                span(_MEANINGS[ending], Tone.DIM),
            )
            for ending, format in ENDINGS.items()
        ]
        held = f"of the {count(len(self._state.rows), 'entry')} that are held"
        return [field("what", what), field("", span(held, Tone.DIM)), BLANK, *formats]

    @on(Input.Changed, "#note")
    def _changed(self) -> None:
        self._fault = ""
        self.fill()

    def action_format(self) -> None:
        """The next format."""
        name = self.query_one("#note", Input)
        name.value = following(name.value.strip())
        name.cursor_position = len(name.value)

    @on(Input.Submitted, "#note")
    def _submitted(self) -> None:
        if self._is_busy:
            return
        if not format_of(self.name_typed):
            self._fault = f"The name must end in one of {', '.join(ENDINGS)}"
            self.fill()
            return
        self._is_busy = True
        self.fill()
        self.run_worker(self._write(self.name_typed), exit_on_error=False)

    async def _write(self, name: str) -> None:
        try:
            path = path_of(name)
            told = await export(self._state, self._query, path)
        except LocalError as error:
            self._fault = error.title
        except OSError as error:
            self._fault = f"{name} cannot be written: {error.strerror}"
        else:
            self.dismiss()
            entries = sum(feed.entries for feed in told.feeds)
            proven = (
                "all proven" if told.proven else "; ".join(standing(feed) for feed in told.feeds if not feed.proven)
            )
            said = f"{count(entries, 'entry')}, {proven}, in " if entries else "No entry passed: "
            self.host.tell(said, end=str(path))
        finally:
            self._is_busy = False
            if self.is_current:
                self.fill()
