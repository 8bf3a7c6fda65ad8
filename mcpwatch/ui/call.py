"""A call, or an exchange without one: its entries, and everything about the entry under the cursor."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from mcpwatch.model.traffic import Call
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.grid import Grid
from mcpwatch.ui.lines import Tone, line, span
from mcpwatch.ui.live_rows import HeldRows, LiveRows, TimeStyle, live_columns
from mcpwatch.ui.page import Page
from mcpwatch.ui.pages.call import exact_row_lines, row_lines
from mcpwatch.watch.json_lines import entry_line
from mcpwatch.watch.row import Row
from mcpwatch.watch.watcher import Watcher

_NEAR = 2_000
"""How many entries after its request an exchange without a call is looked for."""
_COLUMNS = {"mark", "time", "index", "verdict", "arrow", "kind", "what", "outcome", "duration"}


class CallScreen(WatchScreen):
    """Entries above, the page below; `v` turns between what it means and the exact octets."""

    scope = Scope.CALL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CALL)]

    def __init__(self, watcher: Watcher, call: Call | None, row: Row | None) -> None:
        super().__init__(watcher)
        self.call = call
        self._first = row
        self._exact = False
        self._held = HeldRows([row] if row is not None else [])
        self._rows = LiveRows(self._held, watcher.state)
        self._rows.times = TimeStyle.CLOCK
        self._selected = row.seq if row is not None else None

    def compose_body(self) -> ComposeResult:
        """Entries and page."""
        yield Grid(live_columns(), id="list", chosen=_COLUMNS)
        yield Page(id="about")

    @property
    def grid(self) -> Grid:
        """The entries."""
        return self.query_one("#list", Grid)

    @property
    def selected_row(self) -> Row | None:
        """The entry under the cursor."""
        return self._held.rows[self.grid.cursor] if self._held.rows else None

    def crumbs(self) -> list[str]:
        """From the main screen down to the call."""
        row = self.selected_row or self._first
        what = f"{self.call.method} {self.call.target}".strip() if self.call else row.method if row else ""
        return [self.app.current_mode.capitalize(), what or "exchange"]

    def sync(self) -> None:
        """Bring entries and page up to the state."""
        self._held.rows = self._find_rows()
        at = next((at for at, row in enumerate(self._held.rows) if row.seq == self._selected), self.grid.cursor)
        self.grid.styles.height = min(len(self._held.rows), 6) + 1
        self.grid.show_rows(self._rows, at)
        self.grid.reveal()
        self._look_at_row()

    def _find_rows(self) -> list[Row]:
        state = self.state
        if self.call is not None:
            return state.rows_of_call(self.call) or ([self._first] if self._first else [])
        first = self._first
        if first is None or first.seen.exchange is None:
            return [first] if first else []
        near = state.rows.since(first.seq, first.seq + _NEAR)
        return [row for row in near if row.seen.exchange is first.seen.exchange] or [first]

    def _look_at_row(self) -> None:
        row, page = self.selected_row, self.query_one("#about", Page)
        if row is None:
            page.show_lines([line(span("These entries are not held any more.", Tone.DIM))])
            return
        self._selected = row.seq
        lines = exact_row_lines(row, self.state) if self._exact else row_lines(row, self.watcher)
        page.show_lines(lines, (row.seq, self._exact))

    @on(Grid.Moved, "#list")
    def _moved(self) -> None:
        self._look_at_row()

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        self.query_one("#about", Page).focus()

    def action_maximise(self) -> None:
        """Give the page the whole screen, whichever pane has the keys: the entries beside it are few."""
        page = self.query_one("#about", Page)
        if self.maximized is not None:
            self.minimize()
        else:
            page.focus()
            self.maximize(page)

    def action_view(self) -> None:
        """What it means, or the exact octets."""
        self._exact = not self._exact
        self._look_at_row()

    def action_traffic(self) -> None:
        """The entries of its session, on Live."""
        row = self.selected_row
        if row is not None and row.session is not None:
            self.host.show_traffic(f"sess:{row.session_label}")

    def action_its_identity(self) -> None:
        """The identity that signed the request."""
        row = self.selected_row
        verdict = row.request_verdict if row is not None else None
        self.host.show_signer(verdict.signer if verdict is not None else None)

    def action_its_session(self) -> None:
        """The session it belongs to."""
        row = self.selected_row
        self.host.show_session(row.session if row is not None else None)

    def action_copy(self) -> None:
        """Copy the entry."""
        if (row := self.selected_row) is not None:
            self.host.copy_json(entry_line(row, self.state))
