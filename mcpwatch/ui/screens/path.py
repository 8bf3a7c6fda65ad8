"""The path of an alert: the calls that led there, across sessions, and everything about the one under the cursor."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType

from mcpwatch.model.alerts import Alert
from mcpwatch.model.traffic import Call
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.pages.call import row_parts
from mcpwatch.ui.pages.path import tie_lines
from mcpwatch.ui.pages.reasons import GONE
from mcpwatch.ui.rows.path_rows import PATH_COLUMNS, PathRows
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.lines import BLANK
from mcpwatch.ui.widgets.page import Page
from mcpwatch.watch.json_lines import alert_line
from mcpwatch.watch.path import path
from mcpwatch.watch.row import Row
from mcpwatch.watch.watcher import Watcher

_MOST = 8
"""Steps shown at once."""


class PathScreen(WatchScreen):
    """Steps above, the page of one below; enter opens its call."""

    scope = Scope.PATH
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.PATH)]

    def __init__(self, watcher: Watcher, alert: Alert, call: Call | None = None) -> None:
        """With a call, the cursor begins at its step; else at the last."""
        super().__init__(watcher)
        self.alert = alert
        self._rows = PathRows(watcher.state)
        self._selected = call.id if call is not None else None

    def compose_body(self) -> ComposeResult:
        """Steps and page."""
        yield Grid(PATH_COLUMNS, id="list", heads={"when": self._rows.head}, moved=self._go_with_cursor)
        yield Page(id="about")

    @property
    def grid(self) -> Grid:
        """The steps."""
        return self.query_one("#list", Grid)

    @property
    def selected_call(self) -> Call | None:
        """The call under the cursor."""
        return self._rows.steps[self.grid.cursor].call if self._rows.steps else None

    @property
    def _selected_row(self) -> Row | None:
        call = self.selected_call
        return self.state.row(call.index, call.source) if call is not None else None

    def crumbs(self) -> list[str]:
        """From the alert down to its path."""
        return ["Alerts", self.alert.title, "path"]

    def sync(self) -> None:
        """Bring steps and page up to the state; what has left the state stays as it was."""
        self._rows.steps = path(self.alert, self.state) or self._rows.steps
        found = (at for at, step in enumerate(self._rows.steps) if step.call.id == self._selected)
        self.grid.styles.height = min(len(self._rows), _MOST) + 1
        self.grid.show_rows(self._rows, next(found, len(self._rows) - 1))
        self.grid.reveal()
        self._look_at_step()

    def _look_at_step(self) -> None:
        page, call, row = self.query_one("#about", Page), self.selected_call, self._selected_row
        if call is None or row is None:
            page.show_lines(why_empty(self, GONE))
            return
        self._selected = call.id
        ties = tie_lines(self._rows.steps, self.grid.cursor)
        page.show_lines([*ties, BLANK, *row_parts(row, self.watcher)], call.id)

    def _go_with_cursor(self, bottom: bool) -> None:
        self._selected = call.id if (call := self.selected_call) is not None else None

    @on(Grid.Moved, "#list")
    def _moved(self) -> None:
        self._look_at_step()

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        if (call := self.selected_call) is not None:
            self.host.show_call(call)

    def action_open(self) -> None:
        """From the page too the call opens; the list has the command itself."""
        self._opened()

    def its_filter(self) -> str:
        """The alert's evidence."""
        return f"alert:{self.alert.id}"

    def action_acknowledge(self) -> None:
        """Acknowledge the alert."""
        self.host.acknowledge(self.state.alerts.get(self.alert.id, self.alert))

    def action_its_identity(self) -> None:
        """The identity that signed the step."""
        call = self.selected_call
        self.host.show_signer(call.verdict.signer if call is not None else None)

    def action_its_session(self) -> None:
        """The session of the step, at its call."""
        row = self._selected_row
        self.host.show_session(row.session if row is not None else None, self.selected_call)

    def action_copy(self) -> None:
        """Copy the alert."""
        self.host.copy_json(alert_line(self.alert))
