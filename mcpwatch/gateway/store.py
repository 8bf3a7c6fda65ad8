"""The journal's file: an SQLite database of leaves, checkpoints and the right edge of their tree."""

import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from mcpwatch.errors import IntegrityError
from mcpwatch.feed.merkle import HASH_SIZE, Frontier, leaf_hash
from mcpwatch.files import create_private
from mcpwatch.model.entries import AlertActedEntry

Leaf = tuple[int, bytes]
"""An entry's index and its octets."""
SizedNote = tuple[int, bytes]
"""A checkpoint's tree size and its signed note."""

MAX_CHECKED = 65_536
"""Of the newest entries, how many are hashed again when a journal is opened."""

_SCHEMA = """
CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL);
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_ACTS = "CREATE TABLE IF NOT EXISTS acts (idx INTEGER PRIMARY KEY)"
"""Which entries are acts on alerts; journals that have none may lack the table."""
_ACT = f'{{"type":"{AlertActedEntry.__struct_config__.tag}"'.encode()
"""How the leaf of an act begins: the type comes first in an entry's one form."""


class Store:
    """An open journal file. `write` belongs to one thread; `leaves` and `notes` may be called from any."""

    def __init__(self, path: Path) -> None:
        self.frontier = Frontier()
        """The right edge of the tree over the entries that were there when the file was opened."""
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._reader = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True, check_same_thread=False)
        self._reading = threading.Lock()
        self._path = path
        self._inode = _inode(path)

    @classmethod
    def create(cls, path: Path, origin: str, hash_key: bytes) -> "Store":
        """A new, empty journal of the log `origin`."""
        create_private(path, b"")
        store = cls(path)
        store._prepare()
        store._writer.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        store._writer.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("origin", origin.encode()), ("hash_key", hash_key), ("frontier", b"")],
        )
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """The journal at `path`; raises IntegrityError when it does not hold together."""
        store = cls(path)
        try:
            store._prepare()
            store.frontier = store._checked_frontier()
        except (sqlite3.DatabaseError, ValueError) as error:
            store.close()
            raise damaged(path, str(error)) from None
        return store

    @property
    def origin(self) -> str:
        return self._meta("origin").decode()

    @property
    def hash_key(self) -> bytes:
        return self._meta("hash_key")

    def write(self, leaves: Sequence[Leaf], frontier: Frontier, notes: Sequence[SizedNote]) -> None:
        """Add leaves, the tree's new edge and checkpoints, all or nothing; on the disk when this returns.

        Raises sqlite3.Error, and has then changed nothing; so, too, where the file is not at its path any more,
        though SQLite would go on writing what nobody can open again.
        """
        if _inode(self._path) != self._inode:
            raise sqlite3.OperationalError(f"{self._path} was removed or replaced")
        run = self._writer.execute
        run("BEGIN IMMEDIATE")
        try:
            if leaves:
                self._writer.executemany("INSERT INTO entries VALUES (?, ?)", leaves)
                run("UPDATE meta SET value = ? WHERE key = 'frontier'", (b"".join(frontier.hashes()),))
                acts = [(index,) for index, leaf in leaves if leaf.startswith(_ACT)]
                self._writer.executemany("INSERT INTO acts VALUES (?)", acts)
            self._writer.executemany("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", notes)
            run("COMMIT")
        except sqlite3.Error:
            if self._writer.in_transaction:
                run("ROLLBACK")
            raise

    def leaves(self, first: int, end: int, octets: int) -> list[Leaf]:
        """Entries `first` to `end` (not included), in order, as many as fit in `octets` and at least one."""
        found: list[Leaf] = []
        query = "SELECT idx, leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"
        with self._reading:
            for index, leaf in self._reader.execute(query, (first, end)):
                octets -= len(leaf)
                if found and octets < 0:
                    break
                found.append((index, leaf))
        return found

    def acts(self) -> list[Leaf]:
        """The entries that are acts on alerts, in order."""
        with self._reading:
            return list(self._reader.execute("SELECT idx, leaf FROM acts JOIN entries USING (idx) ORDER BY idx"))

    def notes(self, above: int, upto: int) -> list[SizedNote]:
        """The checkpoints of tree sizes over `above`, up to and with `upto`."""
        query = "SELECT size, note FROM checkpoints WHERE size > ? AND size <= ? ORDER BY size"
        with self._reading:
            return list(self._reader.execute(query, (above, upto)))

    def newest_note(self) -> bytes | None:
        row = self._writer.execute("SELECT note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
        return None if row is None else bytes(row[0])

    def close(self) -> None:
        with self._reading:
            self._reader.close()
        self._writer.close()

    def _prepare(self) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        # Nothing is shown before it is on the disk, so a commit has to be on the disk.
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute(_ACTS)

    def _meta(self, key: str) -> bytes:
        row = self._writer.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise ValueError(f"it has no {key}")
        return row[0]

    def _checked_frontier(self) -> Frontier:
        """The right edge as stored, held against the newest entries; raises ValueError when it does not fit them."""
        (size,) = self._writer.execute("SELECT coalesce(max(idx) + 1, 0) FROM entries").fetchone()
        edge = self._meta("frontier")
        hashes = [edge[at : at + HASH_SIZE] for at in range(0, len(edge), HASH_SIZE)]
        frontier = Frontier.load(size, hashes)
        # Each bit of the size is a subtree; walk those that end the log, while they are small enough.
        begin = size & ~(MAX_CHECKED - 1)
        tail = Frontier()
        for expected, (index, leaf) in enumerate(
            self._writer.execute("SELECT idx, leaf FROM entries WHERE idx >= ? ORDER BY idx", (begin,)), begin
        ):
            if index != expected or not isinstance(leaf, bytes):
                raise ValueError(f"entry {expected} is missing")
            tail.append(leaf_hash(leaf))
        if tail.size != size - begin or tail.hashes() != frontier.hashes()[begin.bit_count() :]:
            raise ValueError("its entries are not those its tree was made of")
        return frontier


def _inode(path: Path) -> tuple[int, int] | None:
    """Which file is at `path`: device and inode; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def damaged(path: Path, why: str) -> IntegrityError:
    """The error for a journal that does not hold."""
    return IntegrityError(
        f"The journal {path} is damaged: {why}",
        "Keep it as evidence: move it elsewhere, and the gateway begins a new log.",
    )
