"""The line one types on: filters, finds and commands, with completion and history."""

import re
from collections.abc import Callable, Sequence
from typing import ClassVar

from rich.highlighter import Highlighter
from rich.style import Style
from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from mcpwatch.ui.asks import OFFERED, SIGNS, Ask
from mcpwatch.ui.host import host_of
from mcpwatch.ui.widgets.lines import SPACE, Tone, line, span
from mcpwatch.ui.widgets.offers import Completer, Offer, no_offers, offers_line
from mcpwatch.ui.widgets.ribbon import Ribbon

_SPACE = re.compile(r"\s")


class _Fault(Highlighter):
    """Marks the word that a mistake is at."""

    def __init__(self, at: int, style: Style) -> None:
        self.at = at
        self.style = style

    def highlight(self, text: Text) -> None:
        """Mark it; nothing where the mistake is that something is missing at the end."""
        end = _SPACE.search(text.plain, self.at + 1)
        text.stylize(self.style, self.at, end.start() if end else len(text))


class _Field(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "app.take_offer", show=False),
        Binding("up", "app.older", show=False),
        Binding("down", "app.newer", show=False),
    ]

    async def _on_key(self, event: events.Key) -> None:
        """Take the keys that end a line at once, and hand on what was typed after: none may reach a line that ended."""
        prompt = self.query_ancestor(Prompt)
        end = {"enter": prompt.enter, "escape": prompt.leave}.get(event.key)
        if prompt.is_open and end is None:
            return
        event.stop()
        event.prevent_default()
        if prompt.is_open and end is not None:
            end()
        else:
            self.app.post_message(events.Key(event.key, event.character))


class Prompt(Vertical):
    """Hidden until it is asked for something; `kind` says for what."""

    class Typed(Message):
        """The text of this kind changed."""

        def __init__(self, kind: Ask, text: str) -> None:
            super().__init__()
            self.kind = kind
            self.text = text

    def __init__(
        self, panes: Callable[[], list[Widget]], entered: Callable[[Ask, str], None], leave: Callable[[], object]
    ) -> None:
        """`panes` gives those of the screen that can have the keys, in order.

        `entered` hears which text of which kind was entered, and `leave` steps out, before any other key is looked at.
        """
        super().__init__(id="prompt")
        self._panes = panes
        self._entered = entered
        self.leave = leave
        self.kind: Ask | None = None
        self.display = False
        self._at = 0
        self._complete: Completer = no_offers
        self._offers: Sequence[Offer] = ()
        self._next = 0
        self._keys_from: Widget | None = None

    def compose(self) -> ComposeResult:
        """What is offered, and under it the sign and the field."""
        yield Ribbon(id="offers")
        with Horizontal(id="typed"):
            yield Ribbon(id="sign")
            field = _Field(id="field", compact=True, select_on_focus=False)
            field.cursor_blink = False
            yield field

    @property
    def is_open(self) -> bool:
        """Whether somebody is typing."""
        return self.kind is not None

    @property
    def text(self) -> str:
        """What was typed so far."""
        return self.query_one(Input).value

    def ask(self, kind: Ask, text: str, complete: Completer) -> None:
        """Open, with `text` to begin with."""
        if not self.is_open:
            self._keys_from = self.screen.focused
        self.kind = kind
        self._at = 0
        sign = SIGNS[kind]
        self.display = True
        ribbon = self.query_one("#sign", Ribbon)
        ribbon.styles.width = len(sign) + 1
        ribbon.show_lines(line(SPACE, span(sign, Tone.ACCENT)))
        field = self.query_one(Input)
        self._complete = complete
        self.mark(None)
        self._look_for_offers(text)
        with self.prevent(Input.Changed):
            field.value = text
        field.cursor_position = len(text)
        self.screen.set_focus(field)

    def close(self) -> None:
        """Close, forget what was typed, and give the keys back: to the pane that had them, else the first there is."""
        self.kind = None
        self.display = False
        if self.query_one(Input).has_focus:
            panes = self._panes()
            self.screen.set_focus(self._keys_from if self._keys_from in panes else next(iter(panes), None))

    def enter(self) -> None:
        """Close, and say what was entered."""
        kind, text = self.kind, self.text
        if kind is None:
            return
        host_of(self).history.add(kind, text)
        self.close()
        self._entered(kind, text)

    def recall(self, step: int) -> None:
        """Put an older (1) or newer (-1) line of this kind into the field."""
        if self.kind is None:
            return
        lines = host_of(self).history.lines(self.kind)
        self._at = min(max(self._at + step, 0), len(lines))
        field = self.query_one(Input)
        field.value = lines[-self._at] if self._at else ""
        field.cursor_position = len(field.value)

    def mark(self, position: int | None) -> None:
        """Mark the mistake at a character of what was typed; None marks nothing."""
        style = self.query_one("#sign", Ribbon).tone_style(Tone.BAD) + Style(underline=True)
        self.query_one(Input).highlighter = None if position is None else _Fault(position, style)
        self.query_one(Input).refresh()

    def take_offer(self) -> None:
        """Type what is offered; once more, what is offered next in its place."""
        if not self._offers or self.kind is None:
            return
        offer = self._offers[self._next]
        field = self.query_one(Input)
        with self.prevent(Input.Changed):
            field.value = offer.text
        field.cursor_position = len(offer.text)
        if offer.is_begun or len(self._offers) == 1:
            self._look_for_offers(offer.text)
        else:
            self._next = (self._next + 1) % len(self._offers)
            self._show_offers()
        self.post_message(self.Typed(self.kind, offer.text))

    def _look_for_offers(self, text: str) -> None:
        self._offers, self._next = self._complete(text), 0
        self._show_offers()

    def _show_offers(self) -> None:
        offers = self.query_one("#offers", Ribbon)
        offers.display = self.kind in OFFERED
        if offers.display:
            offers.show_lines(offers_line(self._offers, self._next, self.screen.size.width))

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        # Where more was typed by then, the word of that is on its way.
        if self.kind is not None and event.value == self.text:
            self._look_for_offers(event.value)
            self.post_message(self.Typed(self.kind, event.value))
