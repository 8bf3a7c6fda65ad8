"""Keys in order: the next one is looked at when all that the one before it asked for is done."""

from collections import deque
from collections.abc import Callable

from textual import events, on
from textual.app import App
from textual.dom import DOMNode
from textual.message import Message
from textual.screen import Screen
from textual.widget import Widget

from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.dialogs.dialog import Dialog

_LOST_AFTER = 0.3
"""Seconds between two looks whether a round got lost: one that is there at both is."""
Typed = events.Key | events.Paste


class Heard(Message):
    """Goes the way of a key, behind all that it led to: from what has the keys up to the app."""

    def __init__(self, place: DOMNode, *, is_last: bool) -> None:
        """`place` had the keys when it was sent; `is_last` where the round before found it there too."""
        super().__init__()
        self.place = place
        self.is_last = is_last


class InOrder(App[None], inherit_bindings=False):
    """An app whose screens, panes and prompts are there before the next key looks for them.

    What a key does may come about by messages from a pane to its screen, and a screen is made after it was asked for;
    keys come in bursts, from a slow line or a program, and none of them waits for that by itself. After each key
    `Heard` is sent round, until it comes back with the keys where they were; then it is the next one's turn.
    """

    monotonic: Callable[[], float]

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[tuple[Typed, float]] = deque()
        self._heard: Heard | None = None
        self._late: Heard | None = None

    @property
    def keys_waiting(self) -> int:
        """Keys that nobody looked at so far, or whose work is not done."""
        return len(self._typed) + (self._heard is not None)

    def on_mount(self) -> None:
        """Begin to look for what is lost."""
        self.set_interval(_LOST_AFTER, self._look_for_lost)

    async def on_event(self, event: events.Event) -> None:
        """Line up what is typed; drop what was done before a dialog could be read; the rest goes its way."""
        if isinstance(event, Typed) and not event.is_forwarded:
            self._typed.append((event, self.monotonic()))
            if self._heard is None:
                await self._go_on()
        elif not (isinstance(event, events.MouseDown | events.MouseUp) and self._is_deaf(self.monotonic())):
            await super().on_event(event)

    async def _go_on(self) -> None:
        """Look at what was typed, up to the first key that may have others go elsewhere."""
        self._heard = None
        while self._typed and self._heard is None:
            event, at = self._typed.popleft()
            if self._is_deaf(at):
                continue
            is_text = self._is_text(event)
            if not (isinstance(event, events.Key) and await self._is_done(event)):
                await super().on_event(event)
            if not is_text:
                self._send_round()

    def _send_round(self, *, is_last: bool = False) -> None:
        place, self._heard = self._place, None
        if place is not None:
            heard = Heard(place, is_last=is_last)
            self._heard = heard if place.post_message(heard) else None

    @on(Heard)
    async def _heard_of(self, message: Heard) -> None:
        """Look at the next key where this one has nothing left to do: what it did may send messages of its own."""
        message.stop()
        if message is not self._heard:
            return
        place = self._place
        is_there = message.place is place
        if not (is_there and message.is_last):
            self._send_round(is_last=is_there)
        elif isinstance(place, Widget) and not place.size:
            # A pane that was hidden has no lines to move by before it is laid out.
            self.call_after_refresh(self._laid_out, message)
        else:
            await self._go_on()

    async def _laid_out(self, message: Heard) -> None:
        if message is self._heard:
            await self._go_on()

    async def _look_for_lost(self) -> None:
        """Go on where what was sent round went away with its pane."""
        if self._heard is not None and self._heard is self._late:
            await self._go_on()
        self._late = self._heard

    @property
    def _place(self) -> DOMNode | None:
        """What has the keys."""
        top = self._top
        return None if top is None else top.focused or top

    @property
    def _top(self) -> Screen[object] | None:
        return self.screen if self._screen_stack else None

    def _is_deaf(self, at: float) -> bool:
        top = self._top
        return isinstance(top, Dialog) and top.is_deaf(at)

    async def _is_done(self, key: events.Key) -> bool:
        """Do at once what a key does on a screen; with a prompt open, and in dialogs, it goes the way of the panes."""
        return (
            (screen := self.made_screen) is not None
            and not screen.prompt.is_open
            and await self._check_bindings(key.key)
        )

    def _is_text(self, event: Typed) -> bool:
        """Whether it is typed on an open line: what follows goes there too, and a burst of it is one change."""
        screen = self.made_screen
        is_typed = isinstance(event, events.Paste) or event.is_printable
        return is_typed and screen is not None and screen.prompt.is_open

    @property
    def made_screen(self) -> WatchScreen | None:
        """The screen on top, unless it is a dialog or still being made."""
        top = self._top
        return top if isinstance(top, WatchScreen) and top.is_mounted else None
