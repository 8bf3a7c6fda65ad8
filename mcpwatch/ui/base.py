"""What all screens share: the bars, the moment they look at the state, and going back."""

from collections import Counter
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widget import Widget

from mcpwatch.model.alerts import AlertState
from mcpwatch.ui import bars
from mcpwatch.ui.asks import Ask
from mcpwatch.ui.commands import Command, Scope, within
from mcpwatch.ui.host import Host, host_of
from mcpwatch.ui.keymap import with_keys
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import Line, Tone, line, span
from mcpwatch.ui.widgets.offers import Completer, no_offers
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.prompt import Prompt
from mcpwatch.ui.widgets.reader import Reader
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.ui.widgets.search import Search
from mcpwatch.watch.nodes import quote
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher

LEAST = (40, 10)
"""Columns and lines below which nothing but that is said."""
_EVERY = 0.5
"""Seconds after which a screen looks again although nothing came: ages grow."""

_PANES = ((Scope.LIST, Grid), (Scope.PAGE, Page), (Scope.READER, Reader))
_WAYS_BACK = {"maximise": 1, "back": 1}
"""Commands that lead out of the whole screen, with their rank there."""


class WatchScreen(Screen[None], inherit_bindings=False):
    """A screen over the state; it keeps no part of it, and looks when the app's tick says so."""

    scope: ClassVar[Scope]
    BINDINGS: ClassVar[list[BindingType]] = []
    is_behind = False
    """Whether there is more to show of what is known already."""
    ESCAPE_TO_MINIMIZE = False
    ALLOW_IN_MAXIMIZED_VIEW = "#hints, Prompt"

    def __init__(self, watcher: Watcher) -> None:
        super().__init__()
        self.watcher = watcher
        self._seen = -1
        self._looked = float("-inf")
        self.search = Search(self.pages, lambda text: self.host.tell(text))

    @property
    def state(self) -> State:
        """All there is to show."""
        return self.watcher.state

    @property
    def host(self) -> Host:
        """The app, as far as it is this one's business."""
        return host_of(self)

    def compose(self) -> ComposeResult:
        """Bars above, the body, keys below."""
        yield Ribbon(id="tabs")
        yield Ribbon(id="status")
        yield Ribbon(id="player")
        with Horizontal(id="body"):
            yield from self.compose_body()
        yield from self.compose_foot()
        yield Prompt(self.panes, self.entered, self.go_back)
        yield Ribbon(id="hints")
        small = Ribbon(id="small")
        small.show_lines(line("Too small:"), line(f"{LEAST[0]}x{LEAST[1]} is needed"), line("q quits"))
        yield small

    def compose_body(self) -> ComposeResult:
        """The panes of this screen."""
        raise TypeError(f"{type(self).__name__} has no panes")

    def compose_foot(self) -> ComposeResult:
        """What stands between the panes and the keys."""
        yield from ()

    # -- looking at the state

    def tick(self) -> None:
        """Look, if something changed or time has passed."""
        if self.is_behind or self.state.version != self._seen or self.state.now - self._looked >= _EVERY:
            self.look()

    def look(self) -> None:
        """Look at the state and draw what changed."""
        self._seen, self._looked = self.state.version, self.state.now
        if not self.is_mounted or not self.size:
            return
        with self.app.batch_update():
            self.sync()
            self.look_at_bars()
        self._keep_keys()

    def _keep_keys(self) -> None:
        """Give the keys to a pane when none has them: what had them may have gone, and a closed prompt takes none."""
        panes = [] if self.prompt.is_open else self.panes()
        if panes and self.focused not in panes:
            panes[0].focus()

    def sync(self) -> None:
        """Bring the panes up to the state."""
        raise TypeError(f"{type(self).__name__} shows nothing")

    def on_mount(self) -> None:
        """Show what is known already."""
        self.look()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on top."""
        self.look()

    def on_resize(self) -> None:
        """Fill the new width."""
        self.call_after_refresh(self.look)

    def on_descendant_focus(self) -> None:
        """Other keys work in another pane."""
        self.look_at_bars()

    def look_at_bars(self) -> None:
        """Bring the bars up to the state."""
        if not self.is_mounted:
            return
        cells, state = self.size.width, self.state
        alerts = state.open_alerts()
        self.query_one("#tabs", Ribbon).show_lines(bars.tabs(self.app.current_mode, state, alerts, cells))
        way = self.crumbs()
        resting = self._resting() if self.scope is Scope.ALERTS or not alerts else Counter[AlertState]()
        second = bars.crumbs(way, Line(), cells) if way else bars.wrong_line(state, alerts, cells, resting)
        first = bars.feed_line(state, cells, self._failure(), is_played=Scope.REPLAY in self.host.everywhere)
        self.query_one("#status", Ribbon).show_lines(first, second)
        player = self.host.player_line(cells)
        ribbon = self.query_one("#player", Ribbon)
        ribbon.set_class(player is not None, "-on")
        self.set_class(player is not None, "-played")
        if player is not None:
            ribbon.show_lines(player)
        self.query_one("#hints", Ribbon).show_lines(bars.hints(self._hinted(), cells, self.host.said))

    def _failure(self) -> Line:
        failure = self.host.failure
        if failure:
            return line(span(f" NOTHING IS TAKEN IN: {failure} ", Tone.ALARM))
        unread = line(span(" POLICY NOT READ, SEE FEED ", Tone.WARN, "app.go('feed')"))
        return unread if self.state.policy.fault else Line()

    def _resting(self) -> Counter[AlertState]:
        """Alerts that somebody let rest, by state."""
        return Counter(alert.state for alert in self.state.alerts.values() if alert.state is not AlertState.FIRING)

    def crumbs(self) -> list[str]:
        """The way down to this screen; empty on a main screen, which tells there what is wrong."""
        return []

    # -- commands

    def commands(self) -> list[Command]:
        """What can be done here."""
        kinds = [kind for kind, pane in _PANES if isinstance(self.focused, pane)]
        everywhere = self.host.everywhere
        # To hold a replay still is to pause it, and the same key does.
        left_out = "freeze" if Scope.REPLAY in everywhere else ""
        here = within(self.scope, *kinds, *everywhere)
        return [with_keys(command, self.host.keys) for command in here if command.id != left_out]

    def _hinted(self) -> list[Command]:
        """Back is named where there is somewhere to go back to, and the whole screen where it is shared.

        Out of the whole screen the ways back come first.
        """
        whole = self.maximized is not None
        idle = set()
        if not (len(self.app.screen_stack) > 1 or whole or self.prompt.is_open):
            idle.add("back")
        if not whole and len(self.panes()) < 2:
            idle.add("maximise")
        ways = _WAYS_BACK if whole else {}
        return [
            command._replace(hint=ways.get(command.id, command.hint))
            for command in sorted(self.commands(), key=lambda command: command.id not in ways)
            if command.id not in idle
        ]

    def watch_maximized(self) -> None:
        """Name the way back at once."""
        self.look_at_bars()

    def panes(self) -> list[Widget]:
        """The panes that can have the keys, in order."""
        return [pane for pane in self.query("#body Grid, #body Page") if pane.display]

    def pages(self) -> list[Page]:
        """The pages among them."""
        return [pane for pane in self.panes() if isinstance(pane, Page)]

    @property
    def prompt(self) -> Prompt:
        """The line one types on."""
        return self.query_one(Prompt)

    def ask(self, kind: Ask, text: str, complete: Completer) -> None:
        """Ask for a line."""
        self.prompt.ask(kind, text, complete)
        self.look()

    def close_prompt(self) -> None:
        """Close the prompt and give the keys back to the first pane."""
        self.prompt.close()
        panes = self.panes()
        if panes:
            panes[0].focus()
        self.look()

    def prompt_left(self, kind: Ask) -> None:
        """The prompt was left without entering."""

    def entered(self, kind: Ask, text: str) -> None:
        """The prompt was closed with a text of this kind."""
        if kind is Ask.COMMAND:
            self.close_prompt()
            self.host.run_typed(text)
        elif kind is Ask.SEARCH and text:
            self.action_search(text)

    def go_back(self) -> bool:
        """Step out of what is open on this screen; False when there is nothing to step out of."""
        if (kind := self.prompt.kind) is not None:
            self.close_prompt()
            self.prompt_left(kind)
            return True
        if self.maximized is not None:
            self.minimize()
            return True
        return self.search.clear()

    def its_filter(self) -> str:
        """The entries of what is selected, as a filter; empty where nothing is."""
        return ""

    def within_feed(self, source: str) -> str:
        """What a filter says besides, where there are several feeds: ids and names of one may be another's too."""
        return f" gw={quote(source)}" if len(self.state.feeds) > 1 else ""

    def action_traffic(self) -> None:
        """Its entries, on Live."""
        if filter := self.its_filter():
            self.host.show_traffic(filter)

    def action_export(self) -> None:
        """Ask for a file to write its entries to."""
        if filter := self.its_filter():
            self.host.export(filter)
        else:
            self.host.tell("Nothing is selected that has entries")

    def action_copy_text(self) -> None:
        """Copy all there is to say of what is selected."""
        self.host.copy_text()

    def action_search(self, argument: str = "") -> None:
        """Look for text on the pages of this screen, or ask for what."""
        if argument:
            self.search.mark(argument)
            self.search.go(1)
        else:
            self.ask(Ask.SEARCH, "", no_offers)

    async def action_next_match(self) -> None:
        """The next line that has what was looked for."""
        self._to_hit(1)

    async def action_previous_match(self) -> None:
        """The line before that has it."""
        self._to_hit(-1)

    def _to_hit(self, step: int) -> None:
        if self.search.needle:
            self.search.go(step)
        else:
            self.action_search()

    def action_maximise(self) -> None:
        """Give the pane with the keys the whole screen, or take it back."""
        if self.maximized is not None:
            self.minimize()
        elif self.focused is not None:
            self.maximize(self.focused)
