"""The pipeline without a screen: everything as lines, in order, for a person's eyes or a pipe."""

import asyncio
import os
from collections.abc import Sequence
from typing import TextIO

from msgspec import Struct

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.printer import JsonPrinter, Printer, TextPrinter
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised, State
from mcpwatch.watch.watcher import Watcher


class TailOptions(Struct, frozen=True):
    """What to print and when to stop."""

    query: Query = ALL
    """Entries that pass, and the alerts they raise."""
    json: bool = False
    count: int | None = None
    """Stop after that many entries."""
    until_idle: float | None = None
    """Stop when no entry came for that many seconds."""


async def tail(watcher: Watcher, out: TextIO, options: TailOptions = TailOptions()) -> None:  # noqa: B008
    """Print until the sources end, the options say stop, the reader goes away, or the task is cancelled."""
    printer = JsonPrinter() if options.json else TextPrinter(several=len(watcher.sources) > 1)
    tape = Tape(watcher.state, out, printer, options)
    running = asyncio.ensure_future(watcher.run(tape))
    try:
        while not running.done() and not tape.finished.is_set():
            finished = asyncio.ensure_future(tape.finished.wait())
            await asyncio.wait({running, finished}, timeout=tape.patience(), return_when=asyncio.FIRST_COMPLETED)
            finished.cancel()
            if tape.patience() == 0:
                break
        if running.done():
            running.result()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
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
        self._told: dict[str, tuple[Severity, AlertState]] = {}
        self._flushing = False
        self._loop = asyncio.get_running_loop()
        self._last = self._loop.time()

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """Print the entry if it passes, then the alerts it raised."""
        self._last = self._loop.time()
        if not self._passes(row):
            return
        self._line(self._printer.entry(row, self._state))
        self.alerts(raised)
        self._printed += 1
        if self._printed == self._options.count:
            self.finished.set()

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """Print the newer verdict, then the alerts it raised."""
        if self._passes(row):
            self._line(self._printer.verdict(row, self._state))
            self.alerts(raised)

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Print the alerts that are new, rose, fired again, or reached a round count."""
        for _, alert in raised:
            if self._is_news(alert):
                self._line(self._printer.alert(alert))

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """Print a feed whose state or gaps changed."""
        if before is None or (before.state, before.gaps) != (after.state, after.gaps):
            self._line(self._printer.feed(after))

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

    def _passes(self, row: Row) -> bool:
        query = self._options.query
        if row.plumbing and not self._options.json and not query.asks("kind", "index"):
            return False
        return query.matches(row, self._state)

    def _is_news(self, alert: Alert) -> bool:
        known = self._told.get(alert.id)
        self._told[alert.id] = (alert.severity, alert.state)
        rose = known is not None and alert.severity > known[0]
        again = known is not None and alert.state is AlertState.FIRING and known[1] is not AlertState.FIRING
        return known is None or rose or again or str(alert.count).strip("0") == "1"

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
