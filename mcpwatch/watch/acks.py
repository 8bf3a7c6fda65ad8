"""Who acknowledged what, when and why: kept on this machine, never changed, never deleted."""

import sqlite3
from pathlib import Path

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private
from mcpwatch.model.alerts import AlertEvent, EventKind, Severity

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
_SELECT = (
    "SELECT seq, alert, kind, author, note, time, last_index, severity FROM acknowledgement WHERE seq > ? ORDER BY seq"
)


class AckStore:
    """An append-only table of acknowledgement events (SQLite, WAL, 0600).

    Several watchers on one machine may hold it open; `others` tells each what the rest wrote. Every method raises
    LocalError where the file cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last = 0
        self._own: set[int] = set()
        create_private(path, b"")
        try:
            self._base = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute(_SCHEMA)
            self._version = self._data_version()
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def load(self) -> list[tuple[str, AlertEvent]]:
        """All events with their alert's id, oldest first."""
        self._last = 0
        return [(alert, event) for _, alert, event in self._read()]

    def others(self) -> list[tuple[str, AlertEvent]]:
        """Events that others wrote since the last `load` or `others`, with their alert's id, oldest first."""
        try:
            version = self._data_version()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        if version == self._version:
            return []
        written = [(alert, event) for seq, alert, event in self._read() if seq not in self._own]
        self._version = version
        self._own.clear()
        return written

    def append(self, alert: str, event: AlertEvent) -> None:
        """Write one event; it is on disk when this returns."""
        severity = None if event.severity is None else int(event.severity)
        values = (alert, event.kind.value, event.author, event.note, event.time, event.last_index, severity)
        try:
            self._own.add(self._base.execute(_INSERT, values).lastrowid or 0)
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def close(self) -> None:
        self._base.close()

    def _read(self) -> list[tuple[int, str, AlertEvent]]:
        """Events after the last that was read."""
        try:
            rows = self._base.execute(_SELECT, (self._last,)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        read = [(seq, alert, _event(*columns)) for seq, alert, *columns in rows]
        self._last = read[-1][0] if read else self._last
        return read

    def _data_version(self) -> int:
        """A number that changes when another connection has written."""
        (version,) = self._base.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _failure(self, error: sqlite3.Error) -> LocalError:
        return LocalError(
            f"the acknowledgements in {self.path} cannot be read or written: {error}",
            "What was acknowledged holds until this program ends. Free space on the disk, or move the file away.",
        )


def _event(kind: str, author: str, note: str, time: float, last_index: int, severity: int | None) -> AlertEvent:
    return AlertEvent(
        kind=EventKind(kind),
        author=author,
        note=note,
        time=time,
        last_index=last_index,
        severity=None if severity is None else Severity(severity),
    )
