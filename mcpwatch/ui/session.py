"""One session: its card, then its calls by time, as a chain, or entry by entry."""

from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from mcpwatch.model.traffic import Call, Session
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.chain import chain
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.grid import Grid
from mcpwatch.ui.lines import Line, Tone, line, span
from mcpwatch.ui.live_rows import LiveRows, ViewRows, live_columns
from mcpwatch.ui.pages.session import session_facts, short_card
from mcpwatch.ui.ribbon import Ribbon
from mcpwatch.ui.session_rows import CALL_COLUMNS, CHAIN_COLUMNS, CallRows, ChainRows
from mcpwatch.watch.names import short_session
from mcpwatch.watch.watcher import Watcher


class SessionView(Enum):
    """The three views of a session, and the id of each one's grid."""

    CALLS = "calls"
    CHAIN = "chain"
    ENTRIES = "entries"


class SessionScreen(WatchScreen):
    """The card stays; `v` turns the views below it."""

    scope = Scope.SESSION
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.SESSION)]

    def __init__(self, watcher: Watcher, session: Session) -> None:
        super().__init__(watcher)
        self.session = session
        self.shows = SessionView.CALLS
        self._view = watcher.view(session=(session.source, session.key), plumbing=True)
        self._calls = CallRows(watcher.state)
        self._chain = ChainRows(watcher.state)
        self._entries = LiveRows(ViewRows(self._view), watcher.state)

    def compose_body(self) -> ComposeResult:
        """The card and the three views."""
        with Vertical():
            yield Ribbon(id="card")
            yield Ribbon(id="views")
            yield Grid(CALL_COLUMNS, id="calls")
            yield Grid(CHAIN_COLUMNS, id="chain")
            yield Grid(live_columns(), id="entries")

    @property
    def grid(self) -> Grid:
        """The grid of the view that is shown."""
        return self.query_one(f"#{self.shows.value}", Grid)

    @property
    def selected_call(self) -> Call | None:
        """The call under the cursor, in the two views that have calls."""
        at = self.grid.cursor
        if self.shows is SessionView.CALLS and self._calls.calls:
            return self._calls.calls[at]
        if self.shows is SessionView.CHAIN and self._chain.links:
            return self._chain.links[at].call
        return None

    def crumbs(self) -> list[str]:
        """From the main screen down to the session."""
        return ["Sessions", f"{short_session(self.session)} on {self.session.upstream}"]

    def sync(self) -> None:
        """Bring card and view up to the state."""
        session = self.session
        self.query_one("#card", Ribbon).show_lines(*short_card(session, self.size.width - 2))
        self.query_one("#views", Ribbon).show_lines(self._tabs())
        for view in SessionView:
            self.query_one(f"#{view.value}", Grid).display = view is self.shows
        grid = self.grid
        at_end = grid.cursor >= len(grid.rows) - 1
        if self.shows is SessionView.CALLS:
            self._calls.arrange(session.calls)
            grid.show_rows(self._calls, len(self._calls) - 1 if at_end else grid.cursor, follow=at_end)
        elif self.shows is SessionView.CHAIN:
            self._chain.links = chain(session.calls, self.state.calls, session.key)
            grid.show_rows(self._chain, grid.cursor)
        else:
            self._view.sync()
            grid.show_rows(self._entries, self._view.cursor, follow=self._view.follow)

    def _tabs(self) -> Line:
        counts = {
            SessionView.CALLS: self.session.call_count,
            SessionView.CHAIN: None,
            SessionView.ENTRIES: len(self._view),
        }
        parts = []
        for view in SessionView:
            count = f" {counts[view]:,}" if counts[view] is not None else ""
            here = view is self.shows
            name = f"[{view.value}{count}]" if here else f" {view.value}{count} "
            parts.append(span(name, Tone.CHIP if here else Tone.DIM, f"screen.show('{view.value}')"))
        return line(span(" view ", Tone.DIM), *parts, span("  v turns to the next", Tone.DIM))

    def action_view(self) -> None:
        """The next view."""
        views = list(SessionView)
        self.action_show(views[(views.index(self.shows) + 1) % len(views)].value)

    def action_show(self, view: str) -> None:
        """This view."""
        self.shows = SessionView(view)
        self.look()
        self.grid.focus()

    @on(Grid.Moved, "#entries")
    def _moved(self, event: Grid.Moved) -> None:
        self._view.move_to(event.grid.cursor)
        self._view.follow = event.bottom

    @on(Grid.Opened)
    def _opened(self) -> None:
        call = self.selected_call
        if call is not None:
            self.host.show_call(call)
        elif self.shows is SessionView.ENTRIES and self._view.selected is not None:
            self.host.show_row(self._view.selected)

    def action_traffic(self) -> None:
        """Its entries, on Live."""
        self.host.show_traffic(f"sess:{short_session(self.session)}")

    def action_its_identity(self) -> None:
        """The identity that the session is bound to."""
        self.host.show_signer(self.session.binding.signer)

    def action_copy(self) -> None:
        """Copy the session."""
        self.host.copy_json(session_facts(self.session))
