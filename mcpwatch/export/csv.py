"""Comma-separated values (RFC 4180) with fixed columns, for spreadsheets; nothing in a cell is taken for a formula."""

import re
from collections.abc import Callable, Iterable

from msgspec import Struct

from mcpwatch.export.head import Head
from mcpwatch.export.notice import notice
from mcpwatch.export.writer import Covered, Piece
from mcpwatch.text import show
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import State
from mcpwatch.watch.times import rfc3339

_FORMULA = frozenset("=+-@\t\r\n＝＋－＠")
"""With what a spreadsheet lets a formula begin, in full width too."""
_AFTER_SEMICOLON = re.compile(r""";(?=["' ]*[=+\-@＝＋－＠])""")
"""Where the list separator of a locale is a semicolon, a spreadsheet begins a cell there, in quotes or not."""
_END = "\r\n"


class CsvColumn(Struct, frozen=True):
    """One column: its name and what stands in it."""

    name: str
    text: Callable[[Row, State], str]


def _signer(row: Row, state: State) -> str:
    signer = row.verdict.signer if row.verdict else None
    return signer.id if signer is not None else ""


def _duration(row: Row, state: State) -> str:
    value = None if row.is_running else row.duration(state.gateway_now(row.source))
    return "" if value is None else f"{value:.6f}"


COLUMNS: tuple[CsvColumn, ...] = (
    CsvColumn("source", lambda row, state: row.source),
    CsvColumn("index", lambda row, state: str(row.index)),
    CsvColumn("time", lambda row, state: rfc3339(row.time)),
    CsvColumn("kind", lambda row, state: row.kind),
    CsvColumn("verdict", lambda row, state: row.word),
    CsvColumn("signer", _signer),
    CsvColumn("identity", lambda row, state: row.who.id),
    CsvColumn("evidence", lambda row, state: row.who.evidence.value),
    CsvColumn("session", lambda row, state: row.session.key if row.session else ""),
    CsvColumn("server", lambda row, state: row.upstream),
    CsvColumn("direction", lambda row, state: row.direction),
    CsvColumn("method", lambda row, state: row.method),
    CsvColumn("tool", lambda row, state: row.tool),
    CsvColumn("outcome", lambda row, state: row.outcome(state.gateway_now(row.source))),
    CsvColumn("status", lambda row, state: "" if row.status is None else str(row.status)),
    CsvColumn("seconds", _duration),
    CsvColumn("alerts", lambda row, state: " ".join(row.alerts)),
    CsvColumn("note", lambda row, state: row.seen.note or row.entry.fault),
)
PROVEN = "proven"
"""The last column, known when everything was read."""


class CsvWriter:
    """Writes comma-separated values; the head stands before the names of the columns, in lines that begin with `#`."""

    def row(self, row: Row, state: State, passes: bool) -> Iterable[Piece]:
        """A record for each entry that passes."""
        if passes:
            text = ",".join(cell(column.text(row, state)) for column in COLUMNS)
            yield Piece(row.source, row.index, text)

    def rest(self, state: State) -> Iterable[Piece]:
        """Nothing is held back."""
        return ()

    def head(self, head: Head) -> str:
        """The head and the names of the columns."""
        names = ",".join(cell(name) for name in (*(column.name for column in COLUMNS), PROVEN))
        return "".join(f"{line}{_END}" for line in (*map(remark, notice(head)), names))

    def sealed(self, piece: Piece, covered: Covered) -> str:
        """The record, whole."""
        return f"{piece.text},{cell('yes' if covered.is_proven else 'no')}{_END}"

    def foot(self, head: Head, state: State) -> str:
        """None."""
        return ""


def cell(text: str) -> str:
    """A cell, quoted, on one line; text that a spreadsheet would take for a formula gets an apostrophe before it."""
    shown = show(text)
    first = shown.lstrip(" \xa0")[:1]
    guard = "'" if first in _FORMULA and first else ""
    return '"' + guard + _AFTER_SEMICOLON.sub(r"\\x3b", shown).replace('"', '""') + '"'


def remark(text: str) -> str:
    """A line beside the records that every reader takes for one cell."""
    shown = "".join(f"\\x{ord(char):02x}" if char in '",;|' else char for char in show(text))
    return f"# {shown}"
