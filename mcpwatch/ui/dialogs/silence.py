"""Silence: what it covers, how long, and why; done with enter."""

from collections.abc import Awaitable, Callable, Sequence
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Input, Static

from mcpwatch.errors import McpwatchError
from mcpwatch.model.alerts import Kept
from mcpwatch.text import count
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.dialogs.note import SINKS, progress
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, field, line, span
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch.filter_words import read_span

_MAX_NOTE, _MAX_GLOB = 2_000, 500
_EXPLAINS = (
    "Alerts that both globs match count on and are not told, however bad they get. * is any text, ? any character."
    " Alerts about the feed are never silent."
)
_FIELDS = (("rule", "rule"), ("subject", "about"), ("span", "for"), ("note", "why"))
"""Input -> what stands before it, in the order of tab."""


class Silencing:
    """What the dialog asks of its caller."""

    def __init__(
        self,
        rule: str,
        subject: str,
        place: Kept,
        matching: Callable[[str, str], int],
        act: "Act",
        about: Sequence[Line] = (),
    ) -> None:
        self.first = {"rule": rule, "subject": subject, "span": "8h", "note": ""}
        """What stands in the inputs at first."""
        self.place = place
        self.matching = matching
        """How many alerts two globs, for rule and subject, match as of now."""
        self.act = act
        self.about = about
        """The alert that it begins with, by the names that the operator gave."""


Act = Callable[[str, str, str, float], Awaitable[Kept]]
"""Given rule, subject, note and seconds, does it; raises McpwatchError when it cannot be done."""


class SilenceDialog(Dialog):
    """Asks what to silence; what cannot be done is said, and what was typed stays."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.focus_next", show=False),
        Binding("shift+tab", "app.focus_previous", show=False),
    ]
    AUTO_FOCUS = "#note"

    def __init__(self, silencing: Silencing) -> None:
        super().__init__("Silence")
        self._silencing = silencing
        self._fault = ""
        self._is_busy = False

    def compose_box(self) -> ComposeResult:
        """What it does, the inputs, the keys."""
        yield Page(id="text")
        for id, label in _FIELDS:
            with Horizontal(classes="asked"):
                yield Static(f"{label:<6}", classes="label", markup=False)
                limit = _MAX_NOTE if id == "note" else _MAX_GLOB
                typed = Input(self._silencing.first[id], id=id, max_length=limit, compact=True)
                typed.cursor_blink = False
                yield typed
        yield Ribbon(id="fault")
        yield Ribbon(id="keys")

    def fill(self) -> None:
        """Say what it covers, and what went wrong."""
        super().fill()
        self.say(progress(self._fault, self._silencing.place, is_busy=self._is_busy))
        self.show_keys(("enter", "silence"), ("tab", "next"), ("escape", "leave it as it is"))

    def lines(self) -> list[Line]:
        """What the globs cover as they are typed."""
        covered = self._silencing.matching(self._typed("rule"), self._typed("subject"))
        is_all = covered > 1 and covered == self._silencing.matching("*", "*")
        said = "all but the feed's own, and those to come" if is_all else "and those to come"
        return [
            *self._silencing.about,
            field("covers", f"{count(covered, 'alert')} now, ", span(said, Tone.BAD if is_all else Tone.PLAIN)),
            BLANK,
            line(span(_EXPLAINS, Tone.DIM)),
        ]

    def _typed(self, id: str) -> str:
        return self.query_one(f"#{id}", Input).value.strip()

    @on(Input.Changed)
    def _changed(self) -> None:
        self.fill()

    @on(Input.Submitted)
    def _submitted(self) -> None:
        if self._is_busy:
            return
        seconds = read_span(self._typed("span").lower())
        if seconds is None:
            self._fault = "How long? Minutes, hours or days: 30m, 8h, 7d"
            self.fill()
            return
        self._is_busy = True
        self.run_worker(self._do(seconds), exit_on_error=False)

    async def _do(self, seconds: float) -> None:
        self._fault = ""
        self.fill()
        try:
            kept = await self._silencing.act(self._typed("rule"), self._typed("subject"), self._typed("note"), seconds)
        except McpwatchError as error:
            self._fault = error.whole
        else:
            self.dismiss()
            self.host.tell(f"Silenced, {kept.value}; {SINKS}")
        finally:
            self._is_busy = False
            if self.is_current:
                self.fill()
