"""A call, or an exchange without one: its entries, then both its sides, or all about the entry under the cursor."""

from enum import Enum
from functools import partial
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container

from mcpwatch.model.entries import Body
from mcpwatch.model.traffic import Call
from mcpwatch.ui.acts import acknowledge_of, first_to_see
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Command, Scope, bindings
from mcpwatch.ui.pages.call import exact_row_lines, row_parts
from mcpwatch.ui.pages.payload import Layout
from mcpwatch.ui.pages.reasons import GONE
from mcpwatch.ui.pages.sides import answer_parts, cover_of, request_parts, sources_of
from mcpwatch.ui.rows.live_rows import HeldRows, LiveRows, TimeStyle, live_columns
from mcpwatch.ui.screens.empty import why_empty
from mcpwatch.ui.screens.view_tabs import view_tabs
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.json_outline import Cover, JsonOutline
from mcpwatch.ui.widgets.page import Page
from mcpwatch.ui.widgets.reader import Reader
from mcpwatch.ui.widgets.ribbon import Ribbon
from mcpwatch.watch.json_lines import entry_line
from mcpwatch.watch.row import Row
from mcpwatch.watch.watcher import Watcher

_NEAR = 2_000
"""How many entries after its request an exchange without a call is looked for."""
_COLUMNS = {"mark", "time", "index", "verdict", "arrow", "kind", "what", "outcome", "duration"}
_BESIDE = 120
"""From this width on both sides stand beside each other, and a call opens with them."""
_OUTLINES = 200
"""Bodies whose lines are kept, with what is folded."""


class CallView(Enum):
    """What stands below the entries."""

    SIDES = "request and answer"
    ENTRY = "entry"
    EXACT = "exact"


_TITLES = {view.name: view.value for view in CallView}
_KEYS = "v turns to the next, / searches"


class CallScreen(WatchScreen):
    """Entries above; `v` turns the view below them."""

    scope = Scope.CALL
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(Scope.CALL)]

    def __init__(self, watcher: Watcher, call: Call | None, row: Row | None) -> None:
        super().__init__(watcher)
        self.call = call
        self.shows: CallView | None = None
        self._first = row
        self._held = HeldRows([row] if row is not None else [])
        self._rows = LiveRows(self._held, watcher.state)
        self._rows.times = TimeStyle.CLOCK
        self._selected = row.seq if row is not None else None
        self._outlines: dict[tuple[object, ...], JsonOutline] = {}

    def compose_body(self) -> ComposeResult:
        """Entries, then the pages of the views."""
        yield Grid(live_columns(), id="list", chosen=_COLUMNS, moved=self._go_with_cursor)
        yield Ribbon(id="views")
        with Container(id="sides"):
            yield Reader(id="request")
            yield Reader(id="answer")
        yield Reader(id="about")

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
        """Bring entries and pages up to the state."""
        if self.shows is None:
            self.shows = CallView.SIDES if self.size.width >= _BESIDE else CallView.ENTRY
        self._held.rows = self._find_rows()
        at = next((at for at, row in enumerate(self._held.rows) if row.seq == self._selected), self.grid.cursor)
        self.grid.styles.height = min(len(self._held.rows), 6) + 1
        self.grid.show_rows(self._rows, at)
        self.grid.reveal()
        self.query_one("#views", Ribbon).show_lines(view_tabs(_TITLES, self.shows.name, _KEYS))
        both = self.shows is CallView.SIDES
        self.query_one("#sides").display = both
        for name, shown in (("request", both), ("answer", both), ("about", not both)):
            self.query_one(f"#{name}", Reader).display = shown
        self._look_at_pages()

    def _find_rows(self) -> list[Row]:
        state = self.state
        if self.call is not None:
            return state.rows_of_call(self.call) or ([self._first] if self._first else [])
        first = self._first
        if first is None or first.seen.exchange is None:
            return [first] if first else []
        near = state.rows.since(first.seq, first.seq + _NEAR)
        return [row for row in near if row.seen.exchange is first.seen.exchange] or [first]

    def _look_at_pages(self) -> None:
        row, about = self.selected_row, self.query_one("#about", Reader)
        if row is not None:
            self._selected = row.seq
        if self.shows is CallView.SIDES:
            self._look_at_sides()
        elif row is None:
            about.show_lines(why_empty(self, GONE))
        elif self.shows is CallView.EXACT:
            about.show_lines(exact_row_lines(row, self.state), (row.seq, self.shows))
        else:
            about.show_lines(row_parts(row, self.watcher, self._layout(row)), (row.seq, self.shows))

    def _look_at_sides(self) -> None:
        rows = self._held.rows
        asked = next((row for row in rows if row.http_request is not None), None)
        request = request_parts(asked, self.watcher, self._layout(asked))
        answer = answer_parts([row for row in rows if row is not asked], self.call, self.watcher, self._layout(None))
        self.query_one("#request", Reader).show_lines(request, "request")
        self.query_one("#answer", Reader).show_lines(answer, "answer")

    def _layout(self, row: Row | None) -> Layout:
        """Lays out the bodies of a request's entry, or of entries without a verdict, and what is folded stays so."""
        cover = cover_of(row.verdict if row is not None else None)
        calls = row.seen.opened if row is not None else ()
        return partial(self._outline, cover, tuple(sources_of(calls).items()))

    def _outline(self, cover: Cover, sources: tuple[tuple[str, str], ...], body: Body) -> list[JsonOutline]:
        key = (body.sha256, body.text, cover, sources)
        found = self._outlines.get(key)
        if found is None:
            if len(self._outlines) >= _OUTLINES:
                self._outlines.clear()
            found = JsonOutline(body.text or "", cover=cover, masked=bool(body.masked), sources=dict(sources))
            self._outlines[key] = found
        return [found]

    def _go_with_cursor(self, bottom: bool) -> None:
        self._selected = row.seq if (row := self.selected_row) is not None else None

    @on(Grid.Moved, "#list")
    def _moved(self) -> None:
        self._look_at_pages()

    @on(Grid.Opened, "#list")
    def _opened(self) -> None:
        """The page takes the keys; of both sides, the one that the entry stands on."""
        row = self.selected_row
        side = "#request" if row is not None and row.http_request is not None else "#answer"
        self.query_one(side if self.shows is CallView.SIDES else "#about", Page).focus()

    def action_maximise(self) -> None:
        """Give a page the whole screen, whichever pane has the keys: the entries beside it are few."""
        if self.maximized is not None:
            self.minimize()
            return
        page = self.focused if isinstance(self.focused, Page) else self.pages()[0]
        page.focus()
        self.maximize(page)

    def action_view(self) -> None:
        """The next view."""
        views = list(CallView)
        at = views.index(self.shows) if self.shows is not None else 0
        self.action_show(views[(at + 1) % len(views)].name)

    def action_show(self, view: str) -> None:
        """This view; the keys stay with a page where one had them."""
        on_page = isinstance(self.focused, Page)
        if self.maximized is not None:
            self.minimize()
        self.shows = CallView[view]
        self.look()
        if on_page:
            self.pages()[0].focus()

    def its_filter(self) -> str:
        """The entries of its session."""
        row = self.selected_row
        if row is None or row.session is None:
            return ""
        return f"sess:{row.session_label}{self.within_feed(row.source)}"

    def _hinted(self) -> list[Command]:
        """Without what only a call with an alert needs, where it has none."""
        is_idle = first_to_see(self._held.rows, self.state) is None
        return [command for command in super()._hinted() if not (is_idle and command.id == "acknowledge")]

    def action_acknowledge(self) -> None:
        """Acknowledge the worst alert that its entries are part of."""
        acknowledge_of(self._held.rows, self.state, self.host)

    def action_traffic(self) -> None:
        """The entries of its session, at the one under the cursor."""
        if filter := self.its_filter():
            self.host.show_traffic(filter, self.selected_row)

    def action_its_identity(self) -> None:
        """The identity that signed the request."""
        row = self.selected_row
        verdict = row.request_verdict if row is not None else None
        self.host.show_signer(verdict.signer if verdict is not None else None)

    def action_its_session(self) -> None:
        """The session it belongs to, at this call."""
        row = self.selected_row
        self.host.show_session(row.session if row is not None else None, self.call)

    def action_copy(self) -> None:
        """Copy the entry."""
        if (row := self.selected_row) is not None:
            self.host.copy_json(entry_line(row, self.state))
