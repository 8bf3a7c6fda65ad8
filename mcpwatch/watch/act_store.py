"""What people did to alerts where no log would take it: kept on this machine, never changed, never deleted."""

import sqlite3
from pathlib import Path

import msgspec
from msgspec.structs import replace

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private
from mcpwatch.model.alerts import Act, AlertEvent, EventKind, Kept, Severity
from mcpwatch.model.entries import AlertActed
from mcpwatch.watch.operators import ANYBODY, Operators
from mcpwatch.watch.read_acts import act_kept_here

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
    severity INTEGER,
    act TEXT
) STRICT
"""
_COLUMNS = "alert, kind, author, note, time, last_index, severity, act"
_INSERT = f"INSERT INTO acknowledgement ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 (our own words)
_SELECT = f"SELECT seq, {_COLUMNS} FROM acknowledgement WHERE seq > ? ORDER BY seq"  # noqa: S608 (our own words)

_decoder = msgspec.json.Decoder(AlertActed)


class ActStore:
    """An append-only table of signed acts (SQLite, WAL, 0600).

    Several watchers on one machine may hold it open; `others` tells each what the rest wrote. Rows of a table that
    was made before acts were signed count without a key, unless the configuration lists whose acts count. Every method
    raises LocalError where the file cannot be read or written.
    """

    def __init__(self, path: Path, operators: Operators = ANYBODY) -> None:
        self.path = path
        self._operators = operators
        self._last = 0
        self._own: set[int] = set()
        create_private(path, b"")
        try:
            self._base = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            self._base.execute("PRAGMA journal_mode = WAL")
            self._base.execute("PRAGMA synchronous = FULL")
            self._base.execute(_SCHEMA)
            self._widen()
            self._version = self._data_version()
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def load(self) -> list[Act]:
        """All acts, oldest first."""
        self._last = 0
        return [act for _, act in self._read()]

    def others(self) -> list[Act]:
        """Acts that others wrote since the last `load` or `others`, oldest first."""
        try:
            version = self._data_version()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        if version == self._version:
            return []
        written = [act for seq, act in self._read() if seq not in self._own]
        self._version = version
        self._own.clear()
        return written

    def append(self, acted: AlertActed) -> Act:
        """Write one act; it is on disk when this returns. Returns it as it will be read."""
        act = act_kept_here(acted, operators=self._operators)
        event = act.event
        severity = None if event.severity is None else int(event.severity)
        text = msgspec.json.encode(acted).decode()
        values = (act.id, acted.kind, acted.author, acted.note, event.time, event.last_index, severity, text)
        try:
            seq = self._base.execute(_INSERT, values).lastrowid
        except sqlite3.Error as error:
            raise self._failure(error) from None
        self._own.add(seq or 0)
        return replace(act, event=replace(event, seq=seq))

    def close(self) -> None:
        self._base.close()

    def _widen(self) -> None:
        """Add the column of a table that was made without it; another watcher may do so at the same moment."""
        columns = {row[1] for row in self._base.execute("PRAGMA table_info(acknowledgement)")}
        if "act" in columns:
            return
        try:
            self._base.execute("ALTER TABLE acknowledgement ADD COLUMN act TEXT")
        except sqlite3.OperationalError as error:
            if "duplicate column" not in str(error):
                raise

    def _read(self) -> list[tuple[int, Act]]:
        """Acts after the last that was read."""
        try:
            rows = self._base.execute(_SELECT, (self._last,)).fetchall()
        except sqlite3.Error as error:
            raise self._failure(error) from None
        self._last = rows[-1][0] if rows else self._last
        read = ((seq, _act(self._operators, seq, *columns)) for seq, *columns in rows)
        return [(seq, act) for seq, act in read if act is not None]

    def _data_version(self) -> int:
        """A number that changes when another connection has written."""
        (version,) = self._base.execute("PRAGMA data_version").fetchone()
        return int(version)

    def _failure(self, error: sqlite3.Error) -> LocalError:
        return LocalError(
            f"the acts on alerts in {self.path} cannot be read or written: {error}",
            "Nothing was changed. Free space on the disk, or move the file away.",
        )


def _act(
    operators: Operators,
    seq: int,
    alert: str,
    kind: str,
    author: str,
    note: str,
    time: float,
    last_index: int,
    severity: int | None,
    act: str | None,
) -> Act | None:
    """The act in a row; None for one of a kind that this version does not know."""
    try:
        if act is not None:
            return act_kept_here(_decoder.decode(act), seq, operators)
        risk = None if severity is None else Severity(severity)
        done, fault = EventKind(kind), operators.fault("")
        event = AlertEvent(done, author, note, time, last_index, risk, kept=Kept.HERE, seq=seq, fault=fault)
    except (ValueError, msgspec.MsgspecError):
        return None
    return Act(alert, event)
