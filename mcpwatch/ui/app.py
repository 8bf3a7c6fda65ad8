"""The dashboard: modes, the tick, and what every screen can ask for."""

import contextlib
import signal
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import ClassVar

from rich.console import RenderableType
from textual import events, on
from textual.app import ScreenStackError
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.notifications import SeverityLevel
from textual.screen import Screen
from textual.worker import Worker, WorkerState

from mcpwatch.model.alerts import RuleInfo
from mcpwatch.text import show
from mcpwatch.ui.act_toasts import ActToasts
from mcpwatch.ui.base import LEAST, WatchScreen
from mcpwatch.ui.commands import BY_ID, COMMANDS, Scope, bindings, key_name
from mcpwatch.ui.keymap import bound, with_keys
from mcpwatch.ui.palette import CommandProvider
from mcpwatch.ui.past_controls import PastControls
from mcpwatch.ui.rows.live_rows import TimeStyle
from mcpwatch.ui.screens.alerts import AlertsScreen
from mcpwatch.ui.screens.feed import FeedScreen
from mcpwatch.ui.screens.identities import IdentitiesScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.screens.sessions import SessionsScreen
from mcpwatch.ui.screens.tools import ToolsScreen
from mcpwatch.ui.settings import Settings
from mcpwatch.ui.terminal import crash
from mcpwatch.ui.terminal.ascii import Ascii
from mcpwatch.ui.terminal.guard import Guard
from mcpwatch.ui.terminal.terminal import robust, watch_signals
from mcpwatch.ui.theme import THEMES, variables
from mcpwatch.ui.toasts import CELLS, Toasts
from mcpwatch.ui.widgets.history import History
from mcpwatch.ui.widgets.toned import TONES
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.watcher import Watcher

TICK = 0.1
"""Seconds between two looks at the state."""
TOAST_FOR = 4.0
"""Seconds for which an alert is announced."""
TROUBLE_FOR = 60.0
"""Seconds for which it is said that nobody is told of alerts."""
_KEYS = frozenset(key for command in COMMANDS for key in command.keys.split(",") if key)
_SIGNALLED = 128
_MAIN: dict[str, Callable[[Watcher], WatchScreen]] = {
    "sessions": SessionsScreen,
    "alerts": AlertsScreen,
    "identities": IdentitiesScreen,
    "tools": ToolsScreen,
    "feed": FeedScreen,
}
MODES = ("live", *_MAIN)
"""The main screens by name."""
_MAX_TROUBLE = 600


class WatchApp(PastControls, inherit_bindings=False):
    """Shows what a watcher knows and runs it; `rules` explain the alerts, `query` is the first filter.

    `monotonic` is the clock by which dialogs ignore early keys, in seconds.
    """

    TITLE = "mcpwatch"
    CSS_PATH = "watch.tcss"
    COMPONENT_CLASSES: ClassVar[set[str]] = {*TONES}
    DEFAULT_MODE = "live"
    ENABLE_COMMAND_PALETTE = False
    COMMANDS = {CommandProvider}  # noqa: RUF012  a class variable of Textual's
    columns: Collection[str] | None = None
    times: TimeStyle = TimeStyle.CLOCK
    everywhere: tuple[Scope, ...] = (Scope.APP,)
    has_past: ClassVar[bool] = True
    """Whether what a log held when it was joined was there before, and is no news."""
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.APP)]
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (LEAST[0], "-narrow"), (120, "-wide")]  # noqa: RUF012
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (LEAST[1], "-low"), (30, "-high")]  # noqa: RUF012

    def __init__(
        self,
        watcher: Watcher,
        *,
        rules: Mapping[str, RuleInfo] | None = None,
        query: Query = ALL,
        keymap: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(watcher, rules=rules, monotonic=monotonic)
        self.use_command_palette = True
        self._toasts = Toasts(has_past=self.has_past)
        self._act_toasts = ActToasts()
        self._news_until = float("-inf")
        self._policy_fault = ""
        self._guard = Guard()
        self._ascii: tuple[LineFilter, ...] = ()
        self._undo_signals: Callable[[], None] = lambda: None
        for theme in THEMES:
            self.register_theme(theme)
        self.take(Settings(keymap or {}))
        self.add_main_modes(query)

    def add_main_modes(self, query: Query, *, plumbing: bool = False) -> None:
        """Make the main screens, as they come to be seen, on what is watched; Live begins with a filter."""
        for mode, screen in _MAIN.items():
            self.add_mode(mode, partial(screen, self.watcher))
        self.add_mode("live", partial(LiveScreen, self.watcher, query, plumbing=plumbing))

    def take(self, settings: Settings) -> None:
        """Have the operator's keys and colours."""
        self.keys = settings.keys
        self.columns = settings.columns or None
        self._ascii = (Ascii(),) if settings.is_ascii else ()
        self.times = settings.times
        self.history = History(settings.history)
        self.set_keymap(bound(settings.keys))
        for theme in settings.themes:
            self.register_theme(theme)
        self.theme = settings.theme

    def get_driver_class(self) -> type[Driver]:
        """A driver that can lose its terminal."""
        return robust(super().get_driver_class())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """The last door that all text passes."""
        return [*super().get_line_filters(), self._guard, *self._ascii]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """The colours that every theme gets from us."""
        return variables(self.current_theme)

    def on_mount(self) -> None:
        """Begin to take in, and to look."""
        if not self.is_headless:
            self._undo_signals = watch_signals(self._signalled)
        self.watcher.tick()
        self.run_worker(self._run(), group="watch", exclusive=True, exit_on_error=False)
        self.set_interval(TICK, self.tick)

    async def _run(self) -> None:
        await self.watcher.run()

    @on(Worker.StateChanged)
    def _worker_changed(self, event: Worker.StateChanged) -> None:
        if event.worker.group == "watch" and event.state is WorkerState.ERROR:
            self.failure = type(event.worker.error).__name__
            if self.current is not None:
                self.current.look()
            self.tell("Nothing is taken in any more: an error of mcpwatch's own. Start it again.", serious=True)

    def tick(self) -> None:
        """Move the clock, look if there is something new, tell of new alerts."""
        if getattr(self._driver, "is_gone", False):
            self._signalled(signal.SIGHUP)
            return
        try:
            screen = self.screen
        except ScreenStackError:
            return
        if not self.is_running:
            return  # The last tick may come while the screens are being taken down.
        self.watcher.tick()
        self.tick_past()
        if isinstance(screen, WatchScreen) and screen.is_current:
            screen.tick()
        self._tell_news(screen)
        fault = self.watcher.state.policy.fault
        if fault != self._policy_fault:
            self._policy_fault = fault
            if fault:
                title = "The policy before holds"
                self.notify(
                    show(fault, _MAX_TROUBLE), title=title, severity="warning", timeout=TROUBLE_FOR, markup=False
                )

    def _tell_news(self, screen: Screen[object]) -> None:
        """Tell of alerts, else of what others did to some; each for a while, and one at a time."""
        now = self.monotonic()
        if now < self._news_until:
            return
        key = key_name(with_keys(BY_ID["alerts"], self.keys).keys.partition(",")[0])
        notice = self._toasts.notice(self.watcher.state, now, key)
        if notice is not None:
            if notice.is_new and not self.muted:
                self.bell()
            # All alerts are on screen there, unless the list is narrowed to some.
            if not (isinstance(screen, AlertsScreen) and not screen.crumbs()):
                self._give_news(notice.text, "error" if notice.is_new else "warning")
        elif told := self._act_toasts.look(self.watcher, now):
            self._give_news(told, "information")

    def _give_news(self, text: str, severity: SeverityLevel) -> None:
        self._news_until = self.monotonic() + TOAST_FOR
        self.notify(show(text, CELLS + 2), severity=severity, timeout=TOAST_FOR, markup=False)

    def trouble(self, what: str, why: str) -> None:
        """Say that somebody outside cannot be told of alerts; the Feed screen says so until `why` is empty."""
        troubles = self.watcher.troubles
        troubles.pop(what, None)
        if why:
            troubles[what] = why
            text = show(f"{what}: {why}", _MAX_TROUBLE)
            self.notify(text, title="Notifications fail", severity="warning", timeout=TROUBLE_FOR, markup=False)

    def hush(self) -> None:
        """Tell nothing of what is there already."""
        self._toasts, self._act_toasts = Toasts(has_past=self.has_past), ActToasts()
        self._toasts.notice(self.watcher.state, self.monotonic())
        self._act_toasts.look(self.watcher, self.monotonic())

    def on_key(self, event: events.Key) -> None:
        """Say of a key that another screen has that there is nothing for it to do on this one."""
        screen = self.made_screen
        if screen is None or screen.prompt.is_open or event.key not in _KEYS or event.key in screen.active_bindings:
            return
        if not hasattr(screen, f"key_{event.key}"):
            self.tell(f"{key_name(event.key)} does nothing here; ? lists the keys")

    # -- ends

    def _signalled(self, number: int) -> None:
        self.exit(return_code=_SIGNALLED + number)

    def _handle_exception(self, error: Exception) -> None:
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._exit_renderables.append(crash.report(error))
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        error = sys.exc_info()[1]
        self._exit_renderables.append(crash.report(error if error is not None else RuntimeError("unknown")))
        self._close_messages_no_wait()

    def panic(self, *renderables: RenderableType) -> None:
        """End at once; what the library would print may hold locals, so it is not printed."""
        self._return_code = 1
        self._exit_renderables.append(crash.report(RuntimeError("the terminal's input failed")))
        self._close_messages_no_wait()

    async def on_unmount(self) -> None:
        """Stop taking in, before the loop ends."""
        self._undo_signals()
        for worker in [worker for worker in self.workers if worker.group == "watch"]:
            worker.cancel()
            with contextlib.suppress(Exception):
                await worker.wait()
