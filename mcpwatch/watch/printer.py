"""Entries, alerts and feed changes as lines: text for a person, JSON for a program."""

import json
from typing import Protocol

import msgspec

from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.entries import Json
from mcpwatch.model.feed import FeedStatus
from mcpwatch.text import cut, is_hidden, show, width
from mcpwatch.watch.columns import LIVE
from mcpwatch.watch.json_lines import alert_line, entry_line, feed_line, verdict_line
from mcpwatch.watch.names import short_feed, short_signer
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import clock_time

_TEXT_COLUMNS = {"time": 12, "verdict": 11, "who": 29, "session": 8, "arrow": 1, "method": 26, "tool": 24, "outcome": 0}
"""Cells of each column of `LIVE` that a line of text has; the last is never cut."""


class Printer(Protocol):
    """What one thing looks like as a line, without its end."""

    def entry(self, row: Row, state: State) -> str: ...
    def verdict(self, row: Row, state: State) -> str: ...
    def alert(self, alert: Alert) -> str: ...
    def feed(self, status: FeedStatus) -> str: ...


class TextPrinter:
    """Columns for a person; everything from outside goes through the text door."""

    def __init__(self, several: bool = False) -> None:
        self._columns = [column for column in LIVE if column.id in _TEXT_COLUMNS]
        self._several = several

    def entry(self, row: Row, state: State) -> str:
        """One line: time, verdict, who, session, method, tool, and the outcome once there is one."""
        if row.seen.exchange is None:
            return (
                f"{self._from(row.source)}{clock_time(row.time)} {row.kind.upper():11} {show(row.seen.note)}".rstrip()
            )
        columns = self._columns[:-1] if row.is_open else self._columns
        cells = [self._cell(column.text(row, state), _TEXT_COLUMNS[column.id]) for column in columns]
        return self._from(row.source) + " ".join(cells).rstrip() + _server(row)

    def verdict(self, row: Row, state: State) -> str:
        """The row once more; what it was and that it was judged again are not to be confused with a second request."""
        return f"{self.entry(row, state)}  (judged again: entry {row.index})"

    def alert(self, alert: Alert) -> str:
        """One line: time, severity, what, about what, how often, why, which entries; who lets it rest, and why."""
        newest = " ".join(f"#{index}" for index in alert.evidence[-4:]) or f"as of #{alert.last_index}"
        return (
            f"{self._from(alert.source)}{clock_time(alert.last_time)} ! {alert.severity.name} {show(alert.rule)}"
            f" {show(alert.subject, 60)} ×{alert.count}: {show(alert.reason, 160)} [{newest}] {show(alert.id)}"
            f"{_rest(alert)}"
        )

    def feed(self, status: FeedStatus) -> str:
        """One line: which feed stands how, and why."""
        name = show(status.name or status.address, 60)
        return f"{'':12} = {status.state.value} {name} {show(status.detail, 160)}".rstrip()

    def _from(self, source: str) -> str:
        return f"{self._cell(short_feed(source), 12)} " if self._several else ""

    @staticmethod
    def _cell(raw: str, cells: int) -> str:
        if not cells:
            return show(raw)
        text = cut(show(raw, cells), cells)
        return text + " " * (cells - width(text))


class JsonPrinter:
    """One JSON object a line, raw strings; no character that a terminal would act on is left unescaped."""

    def entry(self, row: Row, state: State) -> str:
        return encode(entry_line(row, state))

    def verdict(self, row: Row, state: State) -> str:
        return encode(verdict_line(row))

    def alert(self, alert: Alert) -> str:
        return encode(alert_line(alert))

    def feed(self, status: FeedStatus) -> str:
        return encode(feed_line(status))


def _rest(alert: Alert) -> str:
    """That an alert does not fire, and who said what; empty where it does."""
    if alert.state is AlertState.FIRING:
        return ""
    said = next((event for event in reversed(alert.history) if event.author), None)
    return show(f"  ({alert.state.value}{f' by {said.author}: {said.note}' if said else ''})", 160)


def _server(row: Row) -> str:
    """What the server's own signature on an answer proves; empty where there is none."""
    proof = row.seen.proof
    return "" if proof is None else show(f"  (server {proof.word.value} {short_signer(proof.signer)})", 60)


def encode(line: msgspec.Struct | dict[str, Json]) -> str:
    """JSON on one line, with every control, format, bidirectional and unassigned character as `\\uXXXX`."""
    try:
        text = msgspec.json.encode(line).decode()
    except UnicodeEncodeError:
        # Half a surrogate pair: JSON can carry it escaped, UTF-8 cannot.
        text = json.dumps(msgspec.to_builtins(line), separators=(",", ":"))
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(char) if is_hidden(char) else char for char in text)


def _escape(char: str) -> str:
    return json.dumps(char)[1:-1] if char != "\x7f" else "\\u007f"
