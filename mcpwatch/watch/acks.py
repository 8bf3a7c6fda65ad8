"""Who acknowledged what, when and why: kept on this machine, never changed, never deleted."""

import sqlite3
from pathlib import Path

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private
from mcpwatch.model.alerts import AckEvent, AckKind, Severity

FILE = "acknowledgements.sqlite"
BUSY_S = 5.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS acknowledgement (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL,
    kind TEXT NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    time REAL NOT NULL,
    last_index INTEGER NOT NULL,
    severity INTEGER
) STRICT
"""
_INSERT = (
    "INSERT INTO acknowledgement (alert, kind, author, note, time, last_index, severity) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_SELECT = "SELECT alert, kind, author, note, time, last_index, severity FROM acknowledgement WHERE seq > ? ORDER BY seq"


class AckStore:
    """An append-only table of acknowledgement events (SQLite, WAL, 0600).

    Several watchers on one machine may hold it open; each reads what was there when it started. Every method raises
    LocalError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        create_private(path, b"")
        try:
            self._base = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute(_SCHEMA)
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def load(self) -> list[tuple[str, AckEvent]]:
        """All events with their alert's id, oldest first."""
        try:
            rows = self._base.execute(_SELECT, (0,)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        return [(alert, _event(*columns)) for alert, *columns in rows]

    def append(self, alert: str, event: AckEvent) -> None:
        """Write one event; it is on disk when this returns."""
        severity = None if event.severity is None else int(event.severity)
        values = (alert, event.kind.value, event.author, event.note, event.time, event.last_index, severity)
        try:
            self._base.execute(_INSERT, values)
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def close(self) -> None:
        self._base.close()

    def _failure(self, error: sqlite3.Error) -> LocalError:
        return LocalError(
            f"the acknowledgements in {self.path} cannot be read or written: {error}",
            "What was acknowledged holds until this program ends. Free space on the disk, or move the file away.",
        )


def _event(kind: str, author: str, note: str, time: float, last_index: int, severity: int | None) -> AckEvent:
    return AckEvent(
        kind=AckKind(kind),
        author=author,
        note=note,
        time=time,
        last_index=last_index,
        severity=None if severity is None else Severity(severity),
    )
