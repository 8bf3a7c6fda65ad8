"""Going places: the main screens, and opening what a person asks about."""

from collections.abc import Callable, Mapping

from mcpwatch.model.alerts import Alert, RuleInfo, Severity
from mcpwatch.model.identity import Signer
from mcpwatch.model.traffic import Call, Session
from mcpwatch.text import cut_head, show, width
from mcpwatch.ui.bars import FOOT
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.dialogs.confirm import ConfirmDialog
from mcpwatch.ui.in_order import InOrder
from mcpwatch.ui.screens.alerts import AlertsScreen
from mcpwatch.ui.screens.call import CallScreen
from mcpwatch.ui.screens.identity import IdentityScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.screens.path import PathScreen
from mcpwatch.ui.screens.session import SessionScreen
from mcpwatch.ui.widgets.lines import Line, Tone, line, span
from mcpwatch.watch.identity import Identity
from mcpwatch.watch.names import short_session
from mcpwatch.watch.row import Row
from mcpwatch.watch.watcher import Watcher

SAID_FOR = 4.0
"""Seconds for which an answer stands."""
READ_FOR = 12.0
"""Seconds for which an answer stands that is too long for the foot."""
_MAX_SAID = 600


class Places(InOrder, inherit_bindings=False):
    """Which screens there are and how one gets there; says how it went."""

    def __init__(
        self, watcher: Watcher, *, rules: Mapping[str, RuleInfo] | None, monotonic: Callable[[], float]
    ) -> None:
        super().__init__()
        self.watcher = watcher
        self.rules: Mapping[str, RuleInfo] = {} if rules is None else rules
        self.monotonic = monotonic
        self.keys: Mapping[str, str] = {}
        self.failure = ""
        self.muted = False
        self._said = Line()
        self._said_until = 0.0

    @property
    def current(self) -> WatchScreen | None:
        """The screen on top, unless it is a dialog."""
        return self.screen if isinstance(self.screen, WatchScreen) else None

    @property
    def said(self) -> Line:
        """The answer to what was last done, for a few seconds."""
        return self._said if self.monotonic() < self._said_until else Line()

    def tell(self, text: str, *, serious: bool = False, end: str = "") -> None:
        """Answer in the foot, and with all of it in a toast where it does not fit; the text may come from anywhere.

        Of an `end` for which there is no room the foot shows the tail.
        """
        room, whole = self.size.width - FOOT, show(text + end, _MAX_SAID)
        fits = width(whole) <= room
        said = whole if fits or not end else f"{show(text)}{cut_head(show(end), room - width(show(text)))}"
        self._said = line(span(said, Tone.BAD if serious else Tone.STRONG))
        self._said_until = self.monotonic() + SAID_FOR
        if not fits:
            self.notify(whole, severity="error" if serious else "information", timeout=READ_FOR, markup=False)
        if self.current is not None:
            self.current.look_at_bars()

    # -- places

    async def action_go(self, mode: str) -> None:
        """To a main screen; pressed again there, to its first screen."""
        if mode == self.current_mode:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
        else:
            self._said_until = 0.0  # It was about what is left behind.
            await self.switch_mode(mode)

    async def action_back(self) -> None:
        """Out of whatever is open."""
        screen = self.current
        if screen is not None and not screen.go_back() and len(self.screen_stack) > 1:
            await self.pop_screen()

    async def action_close(self) -> None:
        """Back from a screen one went into; on a main screen, quit."""
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        else:
            await self.action_quit()

    async def action_quit(self) -> None:
        """Quit; ask first while serious alerts are open."""
        opened = self.watcher.state.open_alerts()
        serious = opened[Severity.HIGH] + opened[Severity.CRITICAL]
        if not serious or isinstance(self.screen, ConfirmDialog):
            self.exit()
            return
        alerts = "alert is" if serious == 1 else "alerts are"
        says = [line(f"{serious} high or critical {alerts} open and not acknowledged.")]
        self.push_screen(ConfirmDialog("Quit mcpwatch", says, "quit all the same", self.exit))

    def action_other_pane(self) -> None:
        """Give the keys to the next pane."""
        panes = self.current.panes() if self.current is not None else []
        if panes:
            at = panes.index(self.focused) + 1 if self.focused in panes else 0
            panes[at % len(panes)].focus()

    def action_session(self, argument: str = "") -> None:
        """The session with this key, or whose name or key begins so; its server may follow."""
        name, _, server = argument.partition(" ")
        here = [each for each in self.watcher.state.sessions.values() if each.upstream.startswith(server.strip())]
        found = [each for each in here if each.key == name] or [each for each in here if name and _begins(each, name)]
        if len(found) == 1:
            self.show_session(found[0])
        elif not argument:
            self.tell("session needs a name, as lists show it")
        elif not found:
            self.tell(f"No session is called {argument}")
        else:
            names = ", ".join(f"{short_session(each)} {each.upstream}" for each in found[:3])
            self.tell(f"{len(found)} sessions are called so: {names}{' …' if len(found) > 3 else ''}")

    def show_row(self, row: Row) -> None:
        """Open the call or exchange of an entry, at that entry."""
        self.push_screen(CallScreen(self.watcher, row.call, row))

    def show_call(self, call: Call) -> None:
        """Open a call."""
        self.push_screen(CallScreen(self.watcher, call, None))

    def show_session(self, session: Session | None, call: Call | None = None) -> None:
        """Open a session, at a call of it."""
        if session is None:
            self.tell("Nothing here belongs to a session")
        else:
            self.push_screen(SessionScreen(self.watcher, session, call))

    def show_path(self, alert: Alert, call: Call | None = None) -> None:
        """Open the path of calls that led to an alert, at one of them."""
        self.push_screen(PathScreen(self.watcher, alert, call))

    def show_signer(self, signer: Signer | None) -> None:
        """Open the identity of a signer."""
        state = self.watcher.state
        identity = (state.identities.get(signer.id) or state.servers.get(signer.id)) if signer is not None else None
        if identity is None:
            self.tell("No signature names anybody here")
        else:
            self.push_screen(IdentityScreen(self.watcher, identity))

    def show_alerts(self, identity: Identity) -> None:
        """Show the alerts of an identity, and no others, on Alerts."""
        self.run_worker(self._show_alerts(identity), group="go", exclusive=True)

    async def _show_alerts(self, identity: Identity) -> None:
        await self._go_to("alerts")
        if isinstance(self.screen, AlertsScreen):
            self.screen.show_only(identity)

    def show_traffic(self, filter: str, row: Row | None = None) -> None:
        """Show on Live what a filter lets through, at an entry."""
        self.run_worker(self._show_traffic(filter, row), group="go", exclusive=True)

    async def _show_traffic(self, filter: str, row: Row | None) -> None:
        await self._go_to("live")
        if isinstance(self.screen, LiveScreen):
            self.screen.filter_by(filter)
            await self.screen.have_all()
            if row is not None and self.screen.view.select(row.index, row.source):
                self.screen.look()
                self.screen.grid.reveal()

    async def _go_to(self, mode: str) -> None:
        await self.action_go(mode)
        while len(self.screen_stack) > 1:
            await self.pop_screen()


def _begins(session: Session, name: str) -> bool:
    """Whether a session's short name, with or without its `~`, or its key begins so."""
    short = short_session(session)
    return any(each.startswith(name) for each in (short, short.removeprefix("~"), session.key))
