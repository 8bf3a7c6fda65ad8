"""The line one types on: filters, finds and commands, with completion and history."""

from collections.abc import Callable
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from mcpwatch.text import cut, show, width
from mcpwatch.ui.lines import SPACE, Tone, line, span
from mcpwatch.ui.ribbon import Ribbon

_HISTORY = 100

Complete = Callable[[str], str | None]
"""The whole line that a beginning could become."""


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.take_offer", show=False),
        Binding("up", "app.older", show=False),
        Binding("down", "app.newer", show=False),
        Binding("escape", "app.back", show=False),
    ]

    async def _on_key(self, event: events.Key) -> None:
        """Take `enter` at once, and hand on what was typed after it: no key may reach a line that was entered."""
        prompt = self.query_ancestor(Prompt)
        if prompt.is_open and event.key != "enter":
            return
        event.stop()
        event.prevent_default()
        if prompt.is_open:
            prompt.enter()
        else:
            self.app.post_message(events.Key(event.key, event.character))


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

    def __init__(self, panes: Callable[[], list[Widget]]) -> None:
        """`panes` gives those of the screen that can have the keys, in order."""
        super().__init__(id="prompt")
        self._panes = panes
        self.kind = ""
        self.display = False
        self._history: dict[str, list[str]] = {}
        self._at = 0
        self._complete: Complete = lambda text: None
        self._offer = ""
        self._keys_from: Widget | None = None

    def compose(self) -> ComposeResult:
        """The sign, then the field."""
        yield Ribbon(id="sign")
        field = _Field(id="field", compact=True, select_on_focus=False)
        field.cursor_blink = False
        yield field
        yield Ribbon(id="offer")

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
        if not self.is_open:
            self._keys_from = self.screen.focused
        self.kind = kind
        self._at = 0
        self.display = True
        ribbon = self.query_one("#sign", Ribbon)
        ribbon.styles.width = len(sign) + 1
        ribbon.show_lines(line(SPACE, span(sign, Tone.ACCENT)))
        field = self.query_one(Input)
        self._complete = complete
        self._look_for_offer("")
        with self.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field)

    def close(self) -> None:
        """Close, forget what was typed, and give the keys back: to the pane that had them, else the first there is."""
        self.kind = ""
        self.display = False
        if self.query_one(Input).has_focus:
            panes = self._panes()
            self.screen.set_focus(self._keys_from if self._keys_from in panes else next(iter(panes), None))

    def enter(self) -> None:
        """Close, and say what was entered."""
        kind, text = self.kind, self.text
        if text.strip():
            kept = [each for each in self._history.get(kind, []) if each != text]
            self._history[kind] = [*kept, text][-_HISTORY:]
        self.close()
        self.post_message(self.Entered(kind, text))

    def recall(self, step: int) -> None:
        """Put an older (1) or newer (-1) line of this kind into the field."""
        lines = self._history.get(self.kind, [])
        self._at = min(max(self._at + step, 0), len(lines))
        field = self.query_one(Input)
        field.value = lines[-self._at] if self._at else ""
        field.cursor_position = len(field.value)

    def take_offer(self) -> None:
        """Type what is offered."""
        if self._offer:
            field = self.query_one(Input)
            field.value = self._offer
            field.cursor_position = len(field.value)

    def _look_for_offer(self, text: str) -> None:
        whole = self._complete(text)
        # What the traffic offers may hold anything; only what can be drawn as it is may be typed for somebody.
        self._offer = whole if whole is not None and whole != text and show(whole) == whole else ""
        said = f"tab → {cut(show(self._offer), self.size.width // 2)} " if self._offer else ""
        ribbon = self.query_one("#offer", Ribbon)
        ribbon.styles.width = width(show(said))
        ribbon.show_lines(line(span(said, Tone.DIM)))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        # Where more was typed by then, the word of that is on its way.
        if self.is_open and event.value == self.text:
            self._look_for_offer(event.value)
            self.post_message(self.Typed(self.kind, event.value))
