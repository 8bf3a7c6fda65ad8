"""The line one types on: filters, finds and commands, with completion and history."""

from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from mcpwatch.text import show
from mcpwatch.ui.lines import SPACE, Tone, line, span
from mcpwatch.ui.ribbon import Ribbon

_HISTORY = 100

Complete = Callable[[str], str | None]
"""The whole line that a beginning could become."""


class _Completer(Suggester):
    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        whole = self._complete(value)
        # What the traffic offers may hold anything; only what can be drawn as it is may be typed for somebody.
        return whole if whole is not None and show(whole) == whole else None


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "cursor_right", show=False),
        Binding("up", "app.older", show=False),
        Binding("down", "app.newer", show=False),
        Binding("escape", "app.back", show=False),
    ]


class Prompt(Horizontal):
    """Hidden until it is asked for something; `kind` says for what."""

    class Typed(Message):
        """The text changed."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    class Entered(Message):
        """Enter was pressed."""

        def __init__(self, kind: str, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    def __init__(self) -> None:
        super().__init__(id="prompt")
        self.kind = ""
        self.display = False
        self._history: dict[str, list[str]] = {}
        self._at = 0

    def compose(self) -> ComposeResult:
        """The sign, then the field."""
        yield Ribbon(id="sign")
        field = _Field(id="field", compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield field

    @property
    def is_open(self) -> bool:
        """Whether somebody is typing."""
        return bool(self.kind)

    @property
    def text(self) -> str:
        """What was typed so far."""
        return self.query_one(Input).value

    def ask(self, kind: str, sign: str, text: str, complete: Complete) -> None:
        """Open, with `text` to begin with."""
        self.kind = kind
        self._at = 0
        self.display = True
        ribbon = self.query_one(Ribbon)
        ribbon.styles.width = len(sign) + 1
        ribbon.show_lines(line(SPACE, span(sign, Tone.ACCENT)))
        field = self.query_one(Input)
        field.suggester = _Completer(complete)
        with self.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        field.focus()

    def close(self) -> None:
        """Close; what was typed is forgotten."""
        self.kind = ""
        self.display = False

    def recall(self, step: int) -> None:
        """Put an older (1) or newer (-1) line of this kind into the field."""
        lines = self._history.get(self.kind, [])
        self._at = min(max(self._at + step, 0), len(lines))
        field = self.query_one(Input)
        field.value = lines[-self._at] if self._at else ""
        field.cursor_position = len(field.value)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(self.kind, event.value))

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        kind, text = self.kind, event.value
        if text.strip():
            kept = [each for each in self._history.get(kind, []) if each != text]
            self._history[kind] = [*kept, text][-_HISTORY:]
        self.post_message(self.Entered(kind, text))
