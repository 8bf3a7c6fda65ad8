"""Live: all traffic as it happens."""

from collections.abc import Collection
from typing import ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from mcpwatch.errors import UsageError
from mcpwatch.ui.acts import acknowledge_of
from mcpwatch.ui.asks import Ask
from mcpwatch.ui.commands import Command, Scope, bindings
from mcpwatch.ui.dialogs.columns import FIXED, ColumnsDialog
from mcpwatch.ui.pages.call import row_parts
from mcpwatch.ui.pages.empty import only_gateways
from mcpwatch.ui.pages.reasons import unseen
from mcpwatch.ui.rows.live_rows import LiveRows, ViewRows, live_columns
from mcpwatch.ui.rows.table import with_feed
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.screens.live_foot import foot, hinted
from mcpwatch.ui.screens.marking import Marking
from mcpwatch.ui.screens.rate_strip import rate_strip
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.offers import no_offers
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch import seeking
from mcpwatch.watch.json_lines import entry_line
from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.query import ALL, BadQuery, Query, parse
from mcpwatch.watch.watcher import Watcher

Step = Literal[1, -1]


class LiveScreen(Marking):
    """The event grid, what is selected beside it, and the filter under it."""

    scope = Scope.LIVE
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.LIVE)]

    def __init__(self, watcher: Watcher, query: Query = ALL, *, plumbing: bool = False) -> None:
        super().__init__(watcher)
        self.view = watcher.view(query)
        self.view.set_plumbing(plumbing)
        self._rows = LiveRows(ViewRows(self.view), watcher.state)
        self._found: Query | None = None

    def compose_body(self) -> ComposeResult:
        """The grid, what is selected, and what is said while there is nothing."""
        yield Grid(with_feed(live_columns(), len(self.watcher.sources) > 1), id="list", moved=self.go_with_cursor)
        yield Page(id="about")
        yield Page(id="empty")

    def compose_foot(self) -> ComposeResult:
        """The last minutes where there is room; what the filter means and how the view stands."""
        yield Ribbon(id="rates")
        yield Ribbon(id="foot")

    def _hinted(self) -> list[Command]:
        """The keys of the present, or those of the past."""
        played = self.host.player_line(self.size.width) is not None
        return hinted(super()._hinted(), is_past=self.view.is_past, is_played=played)

    @property
    def filtered(self) -> PastView:
        """The view."""
        return self.view

    def on_mount(self) -> None:
        """Begin with the columns and times of this run."""
        self._rows.times = self.host.times
        if self.host.columns is not None:
            self.grid.choose({*self.host.columns, *FIXED})
        self.grid.is_marked = self._rows.is_marked
        super().on_mount()

    def sync(self) -> None:
        """Bring the grid up to the view, the view up to the state; what one reads stays where it is."""
        view, grid = self.view, self.grid
        top, in_view = view.rows(grid.top, 1), grid.is_cursor_in_view
        view.sync()
        follow = view.follow and not view.frozen
        self.is_behind = view.is_filling
        anchor = view.line_of(top[0]) if top and not follow else None
        empty = not len(view) or (view.query.is_empty and only_gateways(self.state))
        self.set_class(empty, "-empty")
        if empty:
            self.query_one("#empty", Page).show_lines(why_empty(self, unseen(view)))
        grid.show_rows(self._rows, view.cursor, top=anchor, follow=follow)
        if in_view and not follow:
            grid.reveal()
        self._look_at_row()
        below = max(len(view) - grid.top - grid.page_size, 0)
        if (rates := self.query_one("#rates", Ribbon)).display:
            rates.show_lines(rate_strip(self.state, self.size.width))
        self.query_one("#foot", Ribbon).show_lines(foot(view, below, self.fault, self.size.width))

    def _look_at_row(self) -> None:
        about = self.query_one("#about", Page)
        row = self.view.selected
        if row is not None and about.display:
            about.show_lines(row_parts(row, self.watcher), row.seq)

    # -- moving

    @on(Grid.Moved, "#list")
    def _moved(self) -> None:
        self.look()

    @on(Grid.Wheeled, "#list")
    def _wheeled(self, event: Grid.Wheeled) -> None:
        if event.up and self.view.follow:
            self.view.follow = False
            self.look()

    @on(Grid.Opened, "#list")
    async def _opened(self) -> None:
        await self.have_all()
        if (row := self.row) is not None:
            self.host.show_row(row)

    def action_follow(self) -> None:
        """Keep the newest in view."""
        self.view.thaw()
        self.view.last()
        self.look()

    def action_freeze(self) -> None:
        """Hold the view, or let it go on; what is played is paused instead."""
        if self.host.play_or_pause():
            return
        switch = self.view.thaw if self.view.frozen else self.view.freeze
        switch()
        self.look()

    def action_plumbing(self) -> None:
        """Show or hide what only carries."""
        self.view.set_plumbing(not self.view.plumbing)
        self.look()
        self.grid.reveal()

    async def action_next_alert(self) -> None:
        """To the next row that is evidence."""
        await self.have_all()
        self._jumped(self.view.jump_to_alert(1), "No entry in view is part of an alert")

    async def action_previous_alert(self) -> None:
        """To the row before that is evidence."""
        await self.have_all()
        self._jumped(self.view.jump_to_alert(-1), "No entry in view is part of an alert")

    async def action_next_match(self) -> None:
        """To the next row that was looked for."""
        await self._to_match(1)

    async def action_previous_match(self) -> None:
        """To the row before that was looked for."""
        await self._to_match(-1)

    async def _to_match(self, step: Step) -> None:
        if self._found is None:
            self.ask(Ask.FIND, "", no_offers)
        else:
            await self.have_all()
            self._jumped(self.view.jump_to_match(step, self._found), f"Nothing in view has {self._found}")

    def _jumped(self, moved: bool, otherwise: str) -> None:
        if not moved:
            self.host.tell(otherwise)
        self.look()
        self.grid.reveal()

    async def action_find(self, argument: str = "") -> None:
        """Look for text without hiding the rest."""
        if not argument:
            self.ask(Ask.FIND, "", no_offers)
            return
        try:
            self._found = parse(argument, self.watcher.filters)
        except BadQuery as error:
            self.host.tell(error.reason)
            return
        self.grid.needle = argument.lower()
        await self._to_match(1)

    async def action_goto(self, argument: str = "") -> None:
        """To an entry by its index, a time, a step of time, or the next alert."""
        row = self.row
        try:
            goal = seeking.goal(argument, row.time if row else self.state.now)
        except UsageError as error:
            self.host.tell(error.whole)
            return
        await self.have_all()
        if goal.stop is not None:
            moved = self.view.jump_to_alert(1)
        elif goal.index >= 0:
            moved = self.view.select(goal.index, row.source if row else "")
        else:
            moved = self.view.select_time(goal.time)
        self._jumped(moved, f"No entry {argument} in view")

    def action_export(self) -> None:
        """Ask for a file to write to what the filter lets through."""
        self.host.export(str(self.view.query))

    def entered(self, kind: Ask, text: str) -> None:
        """What to look for is looked for."""
        super().entered(kind, text)
        if kind is Ask.FIND:
            self.close_prompt()
            self.call_next(self.action_find, text)

    def go_back(self) -> bool:
        """Out of the maximised pane, the marks, the freeze, the filter."""
        if super().go_back():
            return True
        if self.grid.needle:
            self.grid.needle = ""
            self._found = None
        elif not self.view.query.is_empty:
            self.view.set_query(ALL)
        else:
            return False
        self.look()
        self.grid.reveal()
        return True

    def action_time(self) -> None:
        """Times in the next style."""
        self._rows.times = self.host.times = self._rows.times.following
        self.host.tell(f"Times as {self._rows.times.value}")
        self.look()

    def action_columns(self) -> None:
        """Choose the columns."""
        self.app.push_screen(ColumnsDialog(self.grid.columns, self.grid.shown_columns, self._choose))

    def _choose(self, columns: Collection[str] | None) -> None:
        self.host.columns = columns
        self.grid.choose(columns)

    def action_its_identity(self) -> None:
        """The identity that signed the request."""
        row = self.row
        verdict = row.request_verdict if row is not None else None
        self.host.show_signer(verdict.signer if verdict is not None else None)

    def action_its_session(self) -> None:
        """The session of the entry under the cursor, at its call."""
        row = self.row
        session, call = (row.session, row.call) if row is not None else (None, None)
        self.host.show_session(session, call)

    def action_acknowledge(self) -> None:
        """Acknowledge the worst alert of the entry under the cursor."""
        row = self.row
        acknowledge_of([row] if row is not None else [], self.state, self.host)

    def action_copy(self) -> None:
        """Copy the entry under the cursor."""
        if (row := self.row) is not None:
            self.host.copy_json(entry_line(row, self.state))
