"""A filtered window over the state's rows: what a grid draws and where its cursor is."""

from bisect import bisect_left
from collections.abc import Callable
from typing import Literal

from mcpwatch.model.traffic import SessionKey
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State

SWEEP = 2_000
"""Rows tested again at each sync when the filter depends on the time."""
HELPING = 5_000
"""Rows tested at a time when another filter is set: the newest at once, older ones at each sync."""


class View:
    """Rows that pass a filter, in order of arrival, with a cursor, follow and freeze.

    `sync` brings it up to the state and tests only what is new or changed; the whole is tested when the filter
    changes, a helping at a time from the newest back (`is_filling`), and at once by what has to go through all of it.
    The cursor belongs to a row, not to a line: it stays with it while rows come, go and are filtered, and
    when its row is not shown it stands on the nearest one until that comes back. Heads of good answers and quiet
    ends are left out unless `plumbing` is set or the filter asks for `kind:`.
    """

    def __init__(
        self,
        state: State,
        query: Query = ALL,
        *,
        session: SessionKey | None = None,
        plumbing: bool = False,
        helping: int = HELPING,
    ) -> None:
        self.state = state
        self._helping = helping
        self.follow = True
        """The cursor stays on the newest row."""
        self.frozen = False
        self.pending = 0
        """Rows that passed the filter while frozen."""
        self._query = query
        self._session = session
        self._plumbing = plumbing
        self._rows: list[Row] = []
        self._seqs: list[int] = []
        self._target: int | None = None
        self._next = 0
        self._stop = 0
        self._untested = 0
        self._touches = 0
        self._alert_changes = 0
        self._swept = 0
        self._version = -1
        self._refill()

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def query(self) -> Query:
        return self._query

    @property
    def plumbing(self) -> bool:
        """Whether heads of good answers and quiet ends are shown."""
        return self._plumbing

    @property
    def hidden(self) -> int:
        """Rows held by the state that are not shown."""
        return max(len(self.state.rows) - len(self._rows), 0)

    @property
    def is_filling(self) -> bool:
        """Whether older rows wait to be tested by the filter."""
        return self._untested > self.state.rows.first

    def set_query(self, query: Query) -> None:
        """Filter by another query; the cursor's row stays selected if it passes."""
        if query != self._query:
            self._query = query
            self._refill()

    def set_plumbing(self, shown: bool) -> None:
        """Show or hide heads of good answers and quiet ends."""
        if shown != self._plumbing:
            self._plumbing = shown
            self._refill()

    def sync(self) -> bool:
        """Take in what happened; True when the rows, their content or `pending` may have changed."""
        filled = self.is_filling
        self._fill(self._helping)
        if self.state.version == self._version and not self._query.is_timed:
            return filled
        self._version = self.state.version
        if self.frozen:
            new = self.state.rows.since(self._next)
            self._next = self.state.rows.end
            self.pending += sum(map(self.passes, new))
            return True
        touched = self.state.touched_since(self._touches)
        if touched is None or (self._query.asks("ack") and self._alert_changes != self.state.alert_changes):
            self._refill()
            self._fill_up()
            return True
        self._drop_evicted()
        self._touches = self.state.touches
        self._append(self.state.rows.since(self._next))
        for seq in touched:
            self._retest(seq)
        if self._query.is_timed:
            self._sweep()
        self._settle()
        return True

    def passes(self, row: Row) -> bool:
        """Whether the row belongs here, as of now."""
        return self._passes(row, self._query)

    def would_show(self, query: Query, newest: int) -> int:
        """How many rows, of so many of the newest, would be here with another query."""
        held = self.state.rows
        return sum(self._passes(row, query) for row in held.since(max(held.end - newest, held.first)))

    def _passes(self, row: Row, query: Query) -> bool:
        if self._session is not None and (
            row.seen.session is None or (row.source, row.seen.session.key) != self._session
        ):
            return False
        if row.plumbing and not self._plumbing and not query.asks("kind", "index"):
            return False
        return query.matches(row, self.state)

    def rows(self, top: int, height: int) -> list[Row]:
        """The rows on lines `top` to `top + height - 1`; fewer at the end."""
        return self._rows[max(top, 0) : max(top + height, 0)]

    @property
    def cursor(self) -> int:
        """The cursor's line; 0 in an empty view."""
        if not self._rows or self._target is None:
            return 0
        return min(bisect_left(self._seqs, self._target), len(self._rows) - 1)

    @property
    def selected(self) -> Row | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if self._rows else None

    def move_to(self, line: int) -> None:
        """Put the cursor on a line; upward ends following."""
        if not self._rows:
            return
        line = min(max(line, 0), len(self._rows) - 1)
        if line < self.cursor:
            self.follow = False
        self._target = self._seqs[line]

    def move(self, lines: int) -> None:
        """Move the cursor down, or up where negative."""
        self.move_to(self.cursor + lines)

    def first(self) -> None:
        """To the oldest row, also while it waits for its test; ends following."""
        self.follow = False
        self._target = self.state.rows.first

    def last(self) -> None:
        """To the newest row, and follow."""
        self.follow = True
        self.move_to(len(self._rows) - 1)

    def select(self, index: int, source: str = "") -> bool:
        """Put the cursor on a log entry; False, and no move, when it is not shown."""
        self._fill_up()
        row = self.state.rows.find(source, index)
        line = self.line_of(row) if row else None
        if line is None:
            return False
        self.follow = False
        self.move_to(line)
        return True

    def select_time(self, time: float) -> bool:
        """Put the cursor on the first row from that time on, else the last; False where there is none at all."""
        self._fill_up()
        if not self._rows:
            return False
        line = next((line for line, row in enumerate(self._rows) if row.time >= time), len(self._rows) - 1)
        self.follow = False
        self.move_to(line)
        return True

    def line_of(self, row: Row) -> int | None:
        """The line a row is on."""
        line = bisect_left(self._seqs, row.seq)
        return line if line < len(self._seqs) and self._seqs[line] == row.seq else None

    def freeze(self) -> None:
        """Stop; the state goes on and `pending` counts. Another filter then looks at what had come so far."""
        self.frozen = True
        self._stop = self._next
        self.pending = 0

    def thaw(self) -> None:
        """Go on, with all that came meanwhile."""
        if self.frozen:
            self.frozen = False
            self._refill()

    def jump(self, step: Literal[1, -1], wanted: Callable[[Row], bool]) -> bool:
        """Put the cursor on the next (1) or previous (-1) row that is wanted, going round at the ends."""
        self._fill_up()
        count, start = len(self._rows), self.cursor
        for distance in range(1, count + 1):
            line = (start + step * distance) % count
            if wanted(self._rows[line]):
                self.follow = False
                self.move_to(line)
                return True
        return False

    def jump_to_match(self, step: Literal[1, -1], query: Query) -> bool:
        """To the next or previous row that passes another query."""
        return self.jump(step, lambda row: query.matches(row, self.state))

    def jump_to_alert(self, step: Literal[1, -1]) -> bool:
        """To the next or previous row that an alert was raised at."""
        return self.jump(step, lambda row: row.severity is not None)

    def _refill(self) -> None:
        held = self.state.rows
        stop = self._stop if self.frozen else held.end
        self._rows, self._seqs = [], []
        self._untested = stop
        self._next = held.end
        self._touches = self.state.touches
        self._alert_changes = self.state.alert_changes
        self._version = self.state.version
        self.pending = sum(map(self.passes, held.since(stop)))
        self._fill(self._helping)

    def _fill(self, count: int) -> None:
        """Test so many more of the rows that wait for it, the newest first."""
        held = self.state.rows
        start = max(self._untested - count, held.first)
        if start < self._untested:
            passed = [row for row in held.since(start, self._untested) if self.passes(row)]
            self._rows[:0] = passed
            self._seqs[:0] = [row.seq for row in passed]
            self._untested = start
        self._settle()

    def _fill_up(self) -> None:
        self._fill(self._untested)

    def _append(self, new: list[Row]) -> None:
        passed = [row for row in new if self.passes(row)]
        self._rows += passed
        self._seqs += [row.seq for row in passed]
        self._next = self.state.rows.end

    def _drop_evicted(self) -> None:
        gone = bisect_left(self._seqs, self.state.rows.first)
        if gone:
            del self._rows[:gone]
            del self._seqs[:gone]

    def _retest(self, seq: int) -> None:
        row = self.state.rows.get(seq)
        if row is None or seq < self._untested:
            return
        line = bisect_left(self._seqs, seq)
        shown = line < len(self._seqs) and self._seqs[line] == seq
        if self.passes(row) == shown:
            return
        if shown:
            del self._rows[line], self._seqs[line]
        else:
            self._rows.insert(line, row)
            self._seqs.insert(line, seq)

    def _sweep(self) -> None:
        rows = self.state.rows
        start = max(self._swept, rows.first)
        stop = min(start + SWEEP, rows.end)
        for seq in range(start, stop):
            self._retest(seq)
        self._swept = rows.first if stop == rows.end else stop

    def _settle(self) -> None:
        if self._seqs and ((self.follow and not self.frozen) or self._target is None):
            self._target = self._seqs[-1]
