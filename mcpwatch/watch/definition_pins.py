"""Which definitions of tools are trusted: kept on this machine, never changed, never deleted."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import msgspec

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private
from mcpwatch.model.entries import Json
from mcpwatch.model.tools import DefinitionPin, DefinitionPins, Tool, ToolKey

FILE = "definitions.sqlite"
BUSY_S = 5.0
MAX_TOOLS: Final = 1_000
"""Tools of one server that are trusted on first use: what came first is kept, however many follow."""
MAX_OCTETS: Final = 64 * 1024
"""Of a definition; of a longer one only the digest is kept."""

NO_NAMES: Mapping[str, str] = MappingProxyType({})

_SCHEMA = """
CREATE TABLE IF NOT EXISTS definition (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    upstream TEXT NOT NULL,
    tool TEXT NOT NULL,
    digest TEXT NOT NULL,
    time REAL NOT NULL,
    author TEXT NOT NULL,
    note TEXT NOT NULL,
    definition TEXT
) STRICT
"""
_INDEX = "CREATE INDEX IF NOT EXISTS definition_of ON definition (source, upstream, tool)"
_INSERT = """
INSERT INTO definition (source, upstream, tool, digest, time, author, note, definition) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
_FIRST = """
INSERT INTO definition (source, upstream, tool, digest, time, author, note, definition)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8
WHERE NOT EXISTS (SELECT 1 FROM definition WHERE source = ?1 AND upstream = ?2 AND tool = ?3)
"""
_SELECT = """
SELECT seq, source, upstream, tool, digest, time, author, note, definition FROM definition WHERE seq > ? ORDER BY seq
"""


class DefinitionStore:
    """An append-only table of trusted definitions (SQLite, WAL, 0600).

    Several watchers on one machine may hold it open; `read` tells each what the rest wrote. Every method raises
    LocalError where the file cannot be read or written.
    """

    def __init__(self, path: Path, kept_as: Mapping[str, str] = NO_NAMES) -> None:
        """`kept_as` says under which names feeds are kept that the operator calls otherwise."""
        self.path = path
        self._kept_as = kept_as
        self._called = {kept: source for source, kept in kept_as.items()}
        self._last = 0
        self._pins: dict[str, dict[tuple[str, str], tuple[DefinitionPin, ...]]] = {}
        self._trusted: dict[tuple[str, str], int] = {}
        """Feed and server -> tools with a pin."""
        create_private(path, b"")
        try:
            self._base = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
            for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", _SCHEMA, _INDEX):
                self._base.execute(statement)
        except sqlite3.Error as error:
            raise self._failure(error) from None
        self.read()

    def of(self, source: str) -> DefinitionPins:
        """What is trusted of a feed's tools; grows as this store does."""
        return self._pins.setdefault(source, {})

    def read(self) -> list[ToolKey]:
        """Take in what was written since this was called last, here or elsewhere; the tools that it is about."""
        read: list[ToolKey] = []
        try:
            for seq, source, upstream, tool, *columns in self._base.execute(_SELECT, (self._last,)).fetchall():
                self._last = seq
                key = (self._called.get(source, source), upstream, tool)
                self._keep(key, _pin(*columns))
                read.append(key)
        except (sqlite3.Error, msgspec.DecodeError) as error:
            raise self._failure(error) from None
        return read

    def trust(self, tools: Iterable[Tool]) -> list[ToolKey]:
        """Pin tools on first use, unless another watcher was quicker; which tools are pinned now that were not."""
        rows = list(self._rows(tools))
        if rows:
            self._write(_FIRST, rows)
        return self.read()

    def accept(self, tool: Tool, author: str, note: str, time: float) -> None:
        """Pin the definition that a tool has now; it is on disk when this returns."""
        pin = DefinitionPin(tool.digest, time, tool.definition, author, note)
        self._write(_INSERT, [self._row(tool, pin)])
        self.read()

    def close(self) -> None:
        self._base.close()

    def _rows(self, tools: Iterable[Tool]) -> Iterator[tuple[str | float | None, ...]]:
        """What is to be written of tools trusted on first use."""
        room: dict[tuple[str, str], int] = {}
        for tool in tools:
            server = (tool.source, tool.upstream)
            left = room.setdefault(server, MAX_TOOLS - self._trusted.get(server, 0))
            if left > 0 and (tool.upstream, tool.name) not in self.of(tool.source):
                room[server] = left - 1
                yield self._row(tool, tool.pins[0])

    def _keep(self, key: ToolKey, pin: DefinitionPin) -> None:
        source, upstream, name = key
        pins = self._pins.setdefault(source, {})
        if (upstream, name) not in pins:
            self._trusted[source, upstream] = self._trusted.get((source, upstream), 0) + 1
        pins[upstream, name] = (*pins.get((upstream, name), ()), pin)

    def _write(self, statement: str, rows: list[tuple[str | float | None, ...]]) -> None:
        try:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                self._base.executemany(statement, rows)
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._failure(error) from None

    def _row(self, tool: Tool, pin: DefinitionPin) -> tuple[str | float | None, ...]:
        text = msgspec.json.encode(pin.definition)
        kept = text.decode() if len(text) <= MAX_OCTETS else None
        source = self._kept_as.get(tool.source, tool.source)
        return source, tool.upstream, tool.name, pin.digest, pin.time, pin.author, pin.note, kept

    def _failure(self, error: Exception) -> LocalError:
        return LocalError(
            f"the trusted definitions in {self.path} cannot be read or written: {error}",
            "What was accepted before holds. Free space on the disk, or move the file away.",
        )


def _pin(digest: str, time: float, author: str, note: str, definition: str | None) -> DefinitionPin:
    value: Json = None if definition is None else msgspec.json.decode(definition)
    return DefinitionPin(digest, time, value, author, note)
