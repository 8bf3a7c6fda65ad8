"""The journal's file: an SQLite database of leaves, checkpoints and the tree over them."""

import logging
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from mcpwatch.errors import IntegrityError, LocalError
from mcpwatch.feed.merkle import HASH_SIZE, Frontier
from mcpwatch.feed.proofs import frontier_at
from mcpwatch.files import create_private
from mcpwatch.gateway.hash_tree import (
    TABLES,
    TILE,
    TILE_LEVEL,
    HashTree,
    Node,
    add_nodes,
    leaf_hashes,
    make_nodes,
    missing_tiles,
    perfect_root,
)
from mcpwatch.model.entries import AlertActedEntry
from mcpwatch.text import count

Leaf = tuple[int, bytes]
"""An entry's index and its octets."""
SizedNote = tuple[int, bytes]
"""A checkpoint's tree size and its signed note."""

MAX_CHECKED = 65_536
"""Of the newest entries, how many are hashed again when a journal is opened."""
LARGE = 1_000_000
"""Entries whose tree takes seconds to make."""
SPARSE_TILES = 256
"""Of the checkpoints over removed entries, the newest in one of so many tiles is kept."""
SPARE_PAGES = 4_096
"""Free pages, of 4 KiB, that the file keeps for entries to come; those above go back to the disk."""
SHRINK_PAGES = 512
"""How many of them at a time."""

_SCHEMA = """
CREATE TABLE entries (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL);
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL);
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""
_ACTS = "CREATE TABLE IF NOT EXISTS acts (idx INTEGER PRIMARY KEY)"
"""Which entries are acts on alerts; journals that have none may lack the table."""
_ACT = f'{{"type":"{AlertActedEntry.__struct_config__.tag}"'.encode()
"""How the leaf of an act begins: the type comes first in an entry's one form."""


_OCTETS = "octets"
_OF_THE_DISK = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
_ROOM = "Make room on its disk, and see that this user may write there; nothing in the journal was changed."

logger = logging.getLogger(__name__)


class Store:
    """An open journal file. What changes it belongs to one thread; what reads it may be called from any."""

    def __init__(self, path: Path) -> None:
        self.frontier = Frontier()
        """The right edge of the tree over the entries that were there when the file was opened."""
        self.size = 0
        """How many entries the log has, removed ones included."""
        self.oldest = 0
        """Index of the first entry still kept; a multiple of `TILE`."""
        self.octets = 0
        """Of the leaves still kept."""
        self.signed = 0
        """The newest checkpoint's tree size."""
        self._writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._reader = _read_only(path)
        self._reading = threading.Lock()
        self._tree_reader = _read_only(path)
        self.node = HashTree(self._tree_reader).node
        """The hash of any perfect subtree of the log's tree."""
        self.path = path
        self._inode = _inode(path)

    @classmethod
    def create(cls, path: Path, origin: str, hash_key: bytes) -> "Store":
        """A new, empty journal of the log `origin`."""
        create_private(path, b"")
        store = cls(path)
        # Has to be said before anything is in the file.
        store._writer.execute("PRAGMA auto_vacuum = INCREMENTAL")
        store._prepare()
        store._writer.executescript(f"BEGIN;{_SCHEMA}COMMIT;")
        store._writer.executemany(
            "INSERT INTO meta VALUES (?, ?)",
            [("origin", origin.encode()), ("hash_key", hash_key), ("frontier", b""), (_OCTETS, b"0")],
        )
        return store

    @classmethod
    def open(cls, path: Path) -> "Store":
        """The journal at `path`.

        Raises IntegrityError when it does not hold together, and LocalError when the disk does not let it be opened.
        """
        store = cls(path)
        try:
            store._prepare()
            store._load()
        except (sqlite3.DatabaseError, ValueError) as error:
            store.close()
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_OK) & 0xFF in _OF_THE_DISK:
                raise LocalError(f"The journal {path} cannot be opened: {error}", _ROOM) from None
            raise damaged(path, str(error)) from None
        return store

    @property
    def origin(self) -> str:
        return self._meta("origin").decode()

    @property
    def hash_key(self) -> bytes:
        return self._meta("hash_key")

    def write(
        self, leaves: Sequence[Leaf], frontier: Frontier, nodes: Sequence[Node], notes: Sequence[SizedNote]
    ) -> None:
        """Add leaves, the tree's new edge and nodes, and checkpoints, all or nothing; on the disk when this returns.

        Raises sqlite3.Error, and has then changed nothing; so, too, where the file is not at its path any more,
        though SQLite would go on writing what nobody can open again.
        """
        if _inode(self.path) != self._inode:
            raise sqlite3.OperationalError(f"{self.path} was removed or replaced")
        octets = self.octets + sum(len(leaf) for _, leaf in leaves)
        with self._transaction() as journal:
            if leaves:
                journal.executemany("INSERT INTO entries VALUES (?, ?)", leaves)
                add_nodes(journal, nodes)
                self._set("frontier", b"".join(frontier.hashes()))
                self._set(_OCTETS, b"%d" % octets)
                acts = [(index,) for index, leaf in leaves if leaf.startswith(_ACT)]
                journal.executemany("INSERT INTO acts VALUES (?)", acts)
            journal.executemany("INSERT OR REPLACE INTO checkpoints VALUES (?, ?)", notes)
        self.octets, self.size = octets, frontier.size
        self.signed = max([self.signed, *(size for size, _ in notes)])

    def remove_tile(self) -> None:
        """Let the oldest tile of entries go, but for their hashes.

        Raises sqlite3.Error, and ValueError where they are not those that were signed for; has then changed nothing.
        """
        first, end = self.oldest, self.oldest + TILE
        hashes = list(leaf_hashes(self._writer, first, end))
        if perfect_root(hashes) != self.node(TILE_LEVEL, first // TILE):
            raise ValueError(f"entries {first} to {end - 1} are not those its tree was made of")
        lengths = "SELECT sum(length(leaf)) FROM entries WHERE idx >= ? AND idx < ?"
        (removed,) = self._writer.execute(lengths, (first, end)).fetchone()
        newest = "SELECT max(size) FROM checkpoints WHERE size >= ? AND size < ? AND ? = 0"
        (kept,) = self._writer.execute(newest, (first, end, first // TILE % SPARSE_TILES)).fetchone()
        with self._transaction() as journal:
            journal.execute("INSERT INTO tiles VALUES (?, ?)", (first // TILE, b"".join(hashes)))
            for table, key in (("entries", "idx"), ("acts", "idx"), ("checkpoints", "size")):
                delete = f"DELETE FROM {table} WHERE {key} >= ? AND {key} < ? AND {key} IS NOT ?"  # noqa: S608 (ours)
                journal.execute(delete, (first, end, kept if table == "checkpoints" else None))
            self._set(_OCTETS, b"%d" % (self.octets - removed))
        self.octets -= removed
        self.oldest = end

    def shrink(self) -> None:
        """Give a little of the file back to the disk where much of it is free; raises sqlite3.Error."""
        (free,) = self._writer.execute("PRAGMA freelist_count").fetchone()
        if free > SPARE_PAGES:
            # A script is run to its end; of a statement that gives rows without columns one step would be taken.
            self._writer.executescript(f"PRAGMA incremental_vacuum({min(free - SPARE_PAGES, SHRINK_PAGES)})")

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
        self._tree_reader.close()
        self._writer.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """On the disk at the end, or undone."""
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            yield self._writer
            self._writer.execute("COMMIT")
        except sqlite3.Error:
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise

    def _prepare(self) -> None:
        self._writer.execute("PRAGMA journal_mode = WAL")
        # Nothing is shown before it is on the disk, so a commit has to be on the disk.
        self._writer.execute("PRAGMA synchronous = FULL")
        self._writer.execute(_ACTS)
        for table in TABLES.split(";"):
            self._writer.execute(table)

    def _meta(self, key: str) -> bytes:
        row = self._writer.execute("SELECT value FROM meta WHERE key = ?", (key,)).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise ValueError(f"it has no {key}")
        return row[0]

    def _set(self, key: str, value: bytes) -> None:
        self._writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def _load(self) -> None:
        """Read what there is and hold it together; makes what older journals lack. Raises ValueError."""
        number = self._writer.execute
        (self.size,) = number("SELECT coalesce(max(idx) + 1, 0) FROM entries").fetchone()
        (tiles,) = number("SELECT coalesce(max(idx) + 1, 0) FROM tiles").fetchone()
        (self.signed,) = number("SELECT coalesce(max(size), 0) FROM checkpoints").fetchone()
        (first,) = number("SELECT min(idx) FROM entries").fetchone()
        self.oldest = tiles * TILE
        self.frontier = frontier = self._checked_frontier(self.size)
        if first is not None and first != self.oldest:
            raise ValueError(f"entry {self.oldest} is missing")
        tiles = missing_tiles(self._writer, self.size)
        if len(tiles) * TILE >= LARGE:
            logger.warning("making the tree of %s, once; this takes a while", count(len(tiles) * TILE, "entry"))
        make_nodes(self._writer, tiles)
        edge = frontier_at(self.size // TILE * TILE, self.node)
        if edge != list(frontier.hashes()[: len(edge)]):
            raise ValueError("its entries are not those its tree was made of")
        row = number("SELECT value FROM meta WHERE key = ?", (_OCTETS,)).fetchone()
        if row is None:
            row = number("SELECT coalesce(sum(length(leaf)), 0) FROM entries").fetchone()
            self._set(_OCTETS, b"%d" % row[0])
        self.octets = int(row[0])

    def _checked_frontier(self, size: int) -> Frontier:
        """The right edge as stored, held against the newest entries; raises ValueError when it does not fit them."""
        edge = self._meta("frontier")
        hashes = [edge[at : at + HASH_SIZE] for at in range(0, len(edge), HASH_SIZE)]
        frontier = Frontier.load(size, hashes)
        # Each bit of the size is a subtree; walk those that end the log, while they are small enough.
        begin = size & ~(MAX_CHECKED - 1)
        tail = Frontier()
        for hashed in leaf_hashes(self._writer, begin, size):
            tail.append(hashed)
        if tail.hashes() != frontier.hashes()[begin.bit_count() :]:
            raise ValueError("its entries are not those its tree was made of")
        return frontier


def _read_only(path: Path) -> sqlite3.Connection:
    address = f"file:{quote(str(path))}?mode=ro"
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


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
