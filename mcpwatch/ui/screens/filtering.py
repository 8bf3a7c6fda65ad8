"""Filtering while one types: what Live and the entries of a session share."""

import asyncio
from collections.abc import Sequence

from textual import on

from mcpwatch.ui.asks import Ask
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.ui.widgets.offers import Offer, filter_offers
from mcpwatch.ui.widgets.prompt import Prompt
from mcpwatch.watch.query import ALL, BadQuery, Query, parse
from mcpwatch.watch.row import Row
from mcpwatch.watch.view import View

_TURN_S = 0.001
"""Seconds between two helpings of rows that are waited for: with none, others would have their turn after two."""


class Filtering(WatchScreen, inherit_bindings=False):
    """A screen with a view that can be filtered; the last good filter stays until there is another good one."""

    fault = ""
    """Why what was typed is no filter."""
    _before: Query = ALL

    @property
    def filtered(self) -> View:
        """The view to filter."""
        raise TypeError(f"{type(self).__name__} filters nothing")

    def go_with_cursor(self, bottom: bool) -> None:
        """Take over where a person moved the grid's cursor; at the bottom it follows."""
        view, at = self.filtered, self.grid.cursor
        if not at and view.is_filling:
            view.first()
        else:
            view.move_to(at)
        if bottom:
            view.follow = True

    async def have_all(self) -> None:
        """Have all rows tested before one of them is looked for, with turns for others between two helpings."""
        while self.filtered.is_filling:
            self.filtered.sync()
            await asyncio.sleep(_TURN_S)

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.filtered.selected

    @property
    def grid(self) -> Grid:
        """The list that shows it."""
        return self.query_one("#list", Grid)

    def action_filter(self, argument: str = "") -> None:
        """Filter, or ask what by."""
        if argument:
            self.filter_by(argument)
            return
        self._before = self.filtered.query
        self.ask(Ask.FILTER, str(self.filtered.query), self._offers)

    def filter_by(self, text: str) -> bool:
        """Filter by `text`; a bad filter is told, with its mistake marked where it is typed, and the last one stays."""
        try:
            query = parse(text, self.watcher.filters)
        except BadQuery as error:
            self.fault = error.told(text)
            self.prompt.mark(error.position)
        else:
            self.fault = ""
            self.prompt.mark(None)
            self.filtered.set_query(query)
        self.look()
        if not self.fault:
            self.grid.reveal()
        return not self.fault

    @on(Prompt.Typed)
    def _filter_typed(self, event: Prompt.Typed) -> None:
        if event.kind is self.prompt.kind is Ask.FILTER and event.text == self.prompt.text:
            self.filter_by(event.text)

    def entered(self, kind: Ask, text: str) -> None:
        """A bad filter is asked for again, with its mistake marked."""
        if kind is not Ask.FILTER:
            super().entered(kind, text)
        elif self.filter_by(text):
            self.close_prompt()
            self.grid.focus()
        else:
            self.ask(Ask.FILTER, text, self._offers)
            self.filter_by(text)

    def _offers(self, text: str) -> Sequence[Offer]:
        return filter_offers(text, self.watcher, self.filtered)

    def prompt_left(self, kind: Ask) -> None:
        """The prompt was left without entering: the filter is what it was."""
        if kind is Ask.FILTER:
            self.fault = ""
            self.filtered.set_query(self._before)
            self.look()
            self.grid.reveal()

    def go_back(self) -> bool:
        """Out of what is open, then back from a filter that was none."""
        if super().go_back():
            return True
        if not self.fault:
            return False
        self.fault = ""
        self.look()
        return True
