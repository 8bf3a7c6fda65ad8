"""One session: its card, then its calls by time, as a chain, or entry by entry."""

from enum import Enum
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from mcpwatch.model.traffic import Call, Session
from mcpwatch.text import count
from mcpwatch.ui.acts import acknowledge_of
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.pages.path import call_line
from mcpwatch.ui.pages.reasons import without_calls, without_entries
from mcpwatch.ui.pages.session import session_trend, short_card
from mcpwatch.ui.rows.chain_rows import CHAIN_COLUMNS, ChainRows
from mcpwatch.ui.rows.live_rows import LiveRows, ViewRows, live_columns
from mcpwatch.ui.rows.waterfall_rows import WATERFALL_COLUMNS, WaterfallRows
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.screens.filtering import Filtering
from mcpwatch.ui.screens.view_tabs import view_tabs
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import BLANK, Line, Tone, line, pair, span
from mcpwatch.ui.widgets.lines import cells as cells_of
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon, cut_line
from mcpwatch.watch.chain import chain
from mcpwatch.watch.facts import session_facts
from mcpwatch.watch.names import short_session
from mcpwatch.watch.query import ALL
from mcpwatch.watch.view import View
from mcpwatch.watch.watcher import Watcher

_BARS = 60
"""Bars of the trend of its calls at most."""
_BESIDE = 22
"""Cells of what is told of them, and between them and the views."""
_NO_CALL = line(span(" No call was made in it so far", Tone.DIM))


class SessionView(Enum):
    """The three views of a session, and the id of each one's grid."""

    WATERFALL = "waterfall"
    CHAIN = "chain"
    ENTRIES = "entries"


class SessionScreen(Filtering):
    """The card stays; `v` turns the views below it."""

    scope = Scope.SESSION
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.SESSION)]

    def __init__(self, watcher: Watcher, session: Session, call: Call | None = None) -> None:
        """With a call, the cursor begins there."""
        super().__init__(watcher)
        self.session = session
        self.shows = SessionView.WATERFALL
        self._selected = call.id if call is not None else None
        self._view = watcher.view(session=(session.source, session.key), plumbing=True)
        self._waterfall = WaterfallRows(watcher.state, self._in_view)
        self._chain = ChainRows(watcher.state)
        self._entries = LiveRows(ViewRows(self._view), watcher.state)

    def compose_body(self) -> ComposeResult:
        """The card and the three views."""
        with Vertical():
            yield Ribbon(id="card")
            yield Ribbon(id="views")
            heads = {"when": self._waterfall.head}
            yield Grid(WATERFALL_COLUMNS, id="waterfall", heads=heads, moved=self._go_with_call)
            yield Grid(CHAIN_COLUMNS, id="chain")
            yield Grid(live_columns(), id="entries", moved=self.go_with_cursor)
            yield Page(id="empty")

    def compose_foot(self) -> ComposeResult:
        """What there is to say of the call under the cursor."""
        yield Ribbon(id="foot")

    @property
    def grid(self) -> Grid:
        """The grid of the view that is shown."""
        return self.query_one(f"#{self.shows.value}", Grid)

    @property
    def selected_call(self) -> Call | None:
        """The call under the cursor, in the two views that have calls."""
        at = self.grid.cursor
        if self.shows is SessionView.WATERFALL and at < len(self._waterfall):
            return self._waterfall.falls[at].call
        if self.shows is SessionView.CHAIN and at < len(self._chain):
            return self._chain.links[at].call
        return None

    def _in_view(self) -> tuple[int, int]:
        grid = self.query_one("#waterfall", Grid)
        return grid.top, grid.page_size

    def crumbs(self) -> list[str]:
        """From the main screen down to the session."""
        return ["Sessions", f"{short_session(self.session)} on {self.session.upstream}"]

    def sync(self) -> None:
        """Bring card and view up to the state."""
        session = self.session
        self.query_one("#card", Ribbon).show_lines(*short_card(session, self.size.width - 2))
        self.query_one("#views", Ribbon).show_lines(self._tabs())
        if self.shows is SessionView.WATERFALL:
            self._sync_waterfall(self.grid)
        elif self.shows is SessionView.CHAIN:
            self._chain.links = chain(session.calls, self.state.calls, session.key)
            self.grid.show_rows(self._chain, self.grid.cursor)
        else:
            self._view.sync()
            self.is_behind = self._view.is_filling
            self.grid.show_rows(self._entries, self._view.cursor, follow=self._view.follow)
        for view in SessionView:
            self.query_one(f"#{view.value}", Grid).display = view is self.shows and len(self.grid.rows) > 0
        self._look_at_empty(self.query_one("#empty", Page))
        self._look_at_call()

    def _look_at_empty(self, page: Page) -> None:
        """In place of a view that has nothing."""
        page.display = not len(self.grid.rows)
        if page.display:
            of_calls = self.shows is not SessionView.ENTRIES
            reason = without_calls(self.session) if of_calls else without_entries(self._view)
            page.show_lines(why_empty(self, reason))

    def _sync_waterfall(self, grid: Grid) -> None:
        """The cursor stays with its call; on the last it goes on to the newest."""
        at_end = self._selected is None
        self._waterfall.arrange(self.session.calls, self.session.key, self.size.width)
        last = len(self._waterfall) - 1
        at = last if at_end else self._waterfall.find(self._selected)
        grid.show_rows(self._waterfall, grid.cursor if at is None else at, follow=at_end)

    def _look_at_call(self) -> None:
        call = self.selected_call
        said = call_line(call, self.state, self._waterfall.paths) if call is not None else _NO_CALL
        if self.shows is SessionView.ENTRIES:
            said = self._filter_line()
        self.query_one("#foot", Ribbon).show_lines(cut_line(said, self.size.width))

    def _tabs(self) -> Line:
        held, made = len(self.session.calls), self.session.call_count
        counts = {
            SessionView.WATERFALL: f" {made:,}" if held == made else f" newest {held:,} of {made:,}",
            SessionView.CHAIN: "",
            SessionView.ENTRIES: f" {len(self._view):,}",
        }
        titles = {view.value: f"{view.value}{counts[view]}" for view in SessionView}
        tabs = view_tabs(titles, self.shows.value, "")
        room = min(self.size.width - cells_of(tabs) - _BESIDE, _BARS)
        trend = session_trend(self.session, self.state.gateway_now(self.session.source), room) if room > 0 else BLANK
        return pair(tabs, trend, self.size.width - cells_of(trend) - 1)

    # -- filtering its entries

    @property
    def filtered(self) -> View:
        """Its entries."""
        return self._view

    def action_filter(self, argument: str = "") -> None:
        """Filter its entries, or ask what by."""
        self.shows = SessionView.ENTRIES
        self.grid.display = True
        self.set_focus(self.grid)
        self.look()
        super().action_filter(argument)

    def go_back(self) -> bool:
        """Out of the filter first, where the entries are shown."""
        if super().go_back():
            return True
        if self.shows is not SessionView.ENTRIES or self._view.query.is_empty:
            return False
        self._view.set_query(ALL)
        self.look()
        self.grid.reveal()
        return True

    def _filter_line(self) -> Line:
        query = self._view.query
        if self.fault:
            return line(span(f" ✗ {self.fault}", Tone.BAD))
        if query.is_empty:
            return line(span(" / filters these entries", Tone.DIM))
        found = count(len(self._view), "entry")
        return line(span(f" / {query}", Tone.ACCENT), f"  {found}", span(f" where {query.english()}", Tone.DIM))

    # -- views

    def action_view(self) -> None:
        """The next view."""
        views = list(SessionView)
        self.action_show(views[(views.index(self.shows) + 1) % len(views)].value)

    def action_next_alert(self) -> None:
        """To the next call that is part of an alert."""
        self._jump(1)

    def action_previous_alert(self) -> None:
        """To the call before that is part of an alert."""
        self._jump(-1)

    def _jump(self, step: int) -> None:
        self.action_show(SessionView.WATERFALL.value)
        count, start = len(self._waterfall), self.grid.cursor
        around = ((start + step * distance) % count for distance in range(1, count + 1))
        found = next(filter(self._waterfall.is_marked, around), None)
        if found is None:
            self.host.tell("No call of this session is part of an alert")
        else:
            self.grid.move(found - start)

    def action_path(self) -> None:
        """The path of the alert that leads over the call under the cursor."""
        call = self.selected_call
        place = next(iter(self._waterfall.paths.places(call)), None) if call is not None else None
        if place is None:
            self.host.tell("No alert's path leads over this call")
        else:
            self.host.show_path(place.alert, call)

    def action_show(self, view: str) -> None:
        """This view."""
        self.shows = SessionView(view)
        self.look()
        self.grid.focus()

    @on(Grid.Moved)
    def _moved_to_call(self) -> None:
        self._look_at_call()

    def _go_with_call(self, bottom: bool) -> None:
        at_end = self.grid.cursor == len(self.grid.rows) - 1
        self._selected = None if at_end else str(self.grid.selected)

    @on(Grid.Wheeled, "#waterfall")
    def _wheeled(self, event: Grid.Wheeled) -> None:
        if event.up and self._selected is None:
            self._selected = str(event.grid.selected)

    @on(Grid.Opened)
    async def _opened(self) -> None:
        await self.have_all()
        call = self.selected_call
        if call is not None:
            self.host.show_call(call)
        elif self.shows is SessionView.ENTRIES and self._view.selected is not None:
            self.host.show_row(self._view.selected)

    def its_filter(self) -> str:
        """Its entries."""
        return f"sess:{short_session(self.session)}{self.within_feed(self.session.source)}"

    def action_acknowledge(self) -> None:
        """Acknowledge the worst alert that the call or the entry under the cursor is part of."""
        call = self.selected_call
        entry = self._view.selected if self.shows is SessionView.ENTRIES else None
        rows = self.state.rows_of_call(call) if call is not None else [entry] if entry is not None else []
        acknowledge_of(rows, self.state, self.host)

    def action_its_identity(self) -> None:
        """The identity that the session is bound to."""
        self.host.show_signer(self.session.binding.signer)

    def action_copy(self) -> None:
        """Copy the session."""
        self.host.copy_json(session_facts(self.session))
