"""The pipeline without a screen: everything as lines, in order, for a person's eyes or a pipe."""

import asyncio
import os
from collections.abc import Sequence
from typing import TextIO

from msgspec import Struct

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.catchup import CatchUp, Held
from mcpwatch.watch.printer import JsonPrinter, Printer, TextPrinter
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised, State
from mcpwatch.watch.watcher import Watcher

LOOK_S = 0.5
"""Seconds between two looks at what people and time did to alerts."""


class TailOptions(Struct, frozen=True):
    """What to print and when to stop."""

    query: Query = ALL
    """Entries that pass, and the alerts they raise."""
    json: bool = False
    lines: int | None = 10
    """How many of the entries that were there before are printed, the last ones; None for no limit."""
    since: float | None = None
    """Of those, only entries of that many seconds."""
    count: int | None = None
    """Stop after that many entries."""
    until_idle: float | None = None
    """Stop when no entry came for that many seconds."""


async def tail(watcher: Watcher, out: TextIO, options: TailOptions = TailOptions()) -> None:  # noqa: B008
    """Print until the sources end, the options say stop, the reader goes away, or the task is cancelled."""
    printer = JsonPrinter() if options.json else TextPrinter(several=len(watcher.sources) > 1)
    tape = Tape(watcher.state, out, printer, options)
    running = asyncio.ensure_future(watcher.run(tape))
    looking = asyncio.ensure_future(tape.look_always())
    try:
        while not running.done() and not tape.finished.is_set():
            finished = asyncio.ensure_future(tape.finished.wait())
            await asyncio.wait({running, finished}, timeout=tape.patience(), return_when=asyncio.FIRST_COMPLETED)
            finished.cancel()
            if tape.patience() == 0:
                break
        if running.done():
            running.result()
        tape.finish()
    finally:
        running.cancel()
        looking.cancel()
        await asyncio.gather(running, looking, return_exceptions=True)
        tape.flush()


class Tape:
    """A pipeline's listener that writes lines; what it wrote in one turn of the loop goes out together."""

    def __init__(self, state: State, out: TextIO, printer: Printer, options: TailOptions) -> None:
        self.finished = asyncio.Event()
        """Nothing more will be printed."""
        self._state = state
        self._out = out
        self._printer = printer
        self._options = options
        self._printed = 0
        self._past: dict[str, CatchUp] = {}
        self._first: dict[str, int] = {}
        """Source -> index of the first entry that was printed."""
        self._told: dict[str, tuple[Severity, AlertState]] = {}
        self._alert_changes = state.alert_changes
        self._flushing = False
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """Print the entry if it passes, then the alerts it raised; of the past, what was asked for."""
        self._last = self._loop.time()
        past = self._past_of(row.source)
        if past.is_over:
            if self._passes(row):
                self._entry(row)
                self.alerts(raised)
            return
        if self._passes(row):
            self._take_past(past, row, raised)
        if past.passed(row.index):
            self._end_past(past)

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """Print the newer verdict of an entry that was printed, then the alerts it raised."""
        past = self._past_of(row.source)
        held = past.find(row)
        if held is not None:
            held.alerts += [alert for _, alert in raised]
        elif self._passes(row) and row.index >= self._first.get(row.source, row.index + 1):
            self._line(self._printer.verdict(row, self._state))
            if past.is_over:
                self.alerts(raised)
            else:
                past.alerts.update((alert.id, alert) for _, alert in raised)

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Print the alerts that are new, rose, changed their state, or reached a round count."""
        for _, alert in raised:
            if self._is_news(alert):
                self._line(self._printer.alert(alert))

    def look(self) -> None:
        """Print the alerts that were printed before and whose state people or time have changed."""
        if self._alert_changes == self._state.alert_changes:
            return
        self._alert_changes = self._state.alert_changes
        for id, (_, told) in list(self._told.items()):
            alert = self._state.alerts[id]
            if alert.state is not told and self._is_news(alert):
                self._line(self._printer.alert(alert))

    async def look_always(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """Print a feed whose state or gaps changed."""
        if before is None or (before.state, before.gaps) != (after.state, after.gaps):
            self._line(self._printer.feed(after))
        past = self._past_of(after.name)
        if not past.is_over and past.hear(after):
            self._end_past(past)

    def finish(self) -> None:
        """Print what is still held back."""
        for past in self._past.values():
            self._end_past(past)
        self.look()

    def patience(self) -> float | None:
        """Seconds until the feed counts as idle; None where that is not asked for."""
        if self._options.until_idle is None:
            return None
        return max(self._last + self._options.until_idle - self._loop.time(), 0)

    def flush(self) -> None:
        """Hand everything written so far to the reader, if there still is one."""
        self._flushing = False
        try:
            self._out.flush()
        except BrokenPipeError:
            self._reader_left()

    def _past_of(self, source: str) -> CatchUp:
        past = self._past.get(source)
        if past is None:
            past = self._past[source] = CatchUp(self._options.lines or 0)
        return past

    def _take_past(self, past: CatchUp, row: Row, raised: Sequence[Raised]) -> None:
        """Print or keep an entry of the past; its alerts wait until all of it is known."""
        options = self._options
        if options.since is not None and row.entry.received - row.time > options.since:
            return
        alerts = [alert for _, alert in raised]
        if options.lines is None:
            self._entry(row)
            past.alerts.update((alert.id, alert) for alert in alerts)
        else:
            past.rows.append(Held(row, alerts))

    def _end_past(self, past: CatchUp) -> None:
        """Print the rows that were kept, then the alerts of the past that are open: each once, as it stands."""
        alerts = dict(past.alerts)
        for held in past.rows:
            self._entry(held.row)
            alerts.update((alert.id, alert) for alert in held.alerts)
        past.rows.clear()
        past.alerts.clear()
        is_all = self._options.lines is None and self._options.since is None
        for alert in alerts.values():
            if (is_all or alert.state is AlertState.FIRING) and self._is_news(alert):
                self._line(self._printer.alert(alert))

    def _entry(self, row: Row) -> None:
        self._line(self._printer.entry(row, self._state))
        self._first.setdefault(row.source, row.index)
        self._printed += 1
        if self._printed == self._options.count:
            self.finished.set()

    def _passes(self, row: Row) -> bool:
        query = self._options.query
        if row.plumbing and not self._options.json and not query.asks("kind", "index"):
            return False
        return query.matches(row, self._state)

    def _is_news(self, alert: Alert) -> bool:
        known = self._told.get(alert.id)
        self._told[alert.id] = (alert.severity, alert.state)
        rose = known is not None and alert.severity > known[0]
        changed = known is not None and alert.state is not known[1]
        return known is None or rose or changed or str(alert.count).strip("0") == "1"

    def _line(self, line: str) -> None:
        if self.finished.is_set():
            return
        try:
            self._out.write(line + "\n")
        except BrokenPipeError:
            self._reader_left()
        if not self._flushing:
            self._flushing = True
            self._loop.call_soon(self.flush)

    def _reader_left(self) -> None:
        self.finished.set()
        # What is still buffered would raise again when Python closes the file.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._out.fileno())
        os.close(nowhere)
