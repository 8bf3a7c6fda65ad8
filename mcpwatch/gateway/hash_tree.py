"""The log's tree in its journal: the hashes that any proof is made of, whatever entries have been removed.

A tile is 256 leaves. The journal keeps the perfect subtrees of whole tiles and of all above them (`nodes`); what is
below is hashed from the entries when it is asked for, and of entries that were removed their hashes stay (`tiles`).
"""

import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator

from mcpwatch.bounded import keep
from mcpwatch.feed.merkle import HASH_SIZE, Frontier, leaf_hash, node_hash
from mcpwatch.feed.proofs import frontier_at

TILE_LEVEL = 8
TILE = 1 << TILE_LEVEL
"""Leaves."""
BLOCK = 256 * TILE
"""Leaves whose nodes are made at a time, for a journal that lacks them."""
MAX_TILES = 64
"""Tiles whose leaf hashes stay in memory, 8 KiB each."""

TABLES = """
CREATE TABLE IF NOT EXISTS nodes (
    level INTEGER NOT NULL, idx INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, idx)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tiles (idx INTEGER PRIMARY KEY, hashes BLOB NOT NULL);
"""

Node = tuple[int, int, bytes]
"""A perfect subtree's level, index and hash."""


def completed(frontier: Frontier, leaf: bytes) -> Iterator[Node]:
    """The nodes from tiles upwards that are whole once the leaf of this hash follows `frontier`, lowest first."""
    hashed, size = leaf, frontier.size
    for level, left in enumerate(reversed(frontier.hashes()), 1):
        if not size >> (level - 1) & 1:
            return
        hashed = node_hash(left, hashed)
        if level >= TILE_LEVEL:
            yield level, size >> level, hashed


def perfect_root(hashes: list[bytes]) -> bytes:
    """The root over leaf hashes whose number is a power of two."""
    while len(hashes) > 1:
        hashes = [node_hash(*pair) for pair in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]


def leaf_hashes(journal: sqlite3.Connection, first: int, end: int) -> Iterator[bytes]:
    """The hashes of entries `first` to `end` (not included), also of those removed; ValueError where one is missing."""
    at = first
    tiles = "SELECT idx, hashes FROM tiles WHERE idx >= ? AND idx < ? ORDER BY idx"
    for tile, hashes in journal.execute(tiles, (first >> TILE_LEVEL, -(-end >> TILE_LEVEL))):
        begin = tile << TILE_LEVEL
        if tile != at >> TILE_LEVEL or not isinstance(hashes, bytes) or len(hashes) != TILE * HASH_SIZE:
            raise ValueError(f"the hash of entry {at} is missing")
        for place in range(at - begin, min(TILE, end - begin)):
            yield hashes[place * HASH_SIZE : (place + 1) * HASH_SIZE]
            at += 1
    entries = "SELECT idx, leaf FROM entries WHERE idx >= ? AND idx < ? ORDER BY idx"
    for index, leaf in journal.execute(entries, (at, end)):
        if index != at or not isinstance(leaf, bytes):
            break
        yield leaf_hash(leaf)
        at += 1
    if at < end:
        raise ValueError(f"entry {at} is missing")


def missing_tiles(journal: sqlite3.Connection, size: int) -> range:
    """The whole tiles of a log of `size` entries that have no node; ValueError for nodes of entries there are not."""
    (have,) = journal.execute("SELECT coalesce(max(idx) + 1, 0) FROM nodes WHERE level = ?", (TILE_LEVEL,)).fetchone()
    if have > size >> TILE_LEVEL:
        raise ValueError("its tree is of more entries than it has")
    return range(have, size >> TILE_LEVEL)


def make_nodes(journal: sqlite3.Connection, tiles: range) -> None:
    """Make the nodes of these tiles, the next ones, and of all above that they complete."""
    if not tiles:
        return
    end = tiles.stop << TILE_LEVEL
    begin = tiles.start << TILE_LEVEL
    edge = Frontier.load(begin, frontier_at(begin, HashTree(journal).node))
    for first in range(begin, end, BLOCK):
        nodes = list[Node]()
        for hashed in leaf_hashes(journal, first, min(first + BLOCK, end)):
            nodes += completed(edge, hashed)
            edge.append(hashed)
        journal.execute("BEGIN IMMEDIATE")
        add_nodes(journal, nodes)
        journal.execute("COMMIT")


def add_nodes(journal: sqlite3.Connection, nodes: Iterable[Node]) -> None:
    """Keep nodes, in the transaction that is open."""
    journal.executemany("INSERT INTO nodes VALUES (?, ?, ?)", nodes)


class HashTree:
    """Gives out the hash of any perfect subtree; may be called from any thread, one at a time."""

    def __init__(self, journal: sqlite3.Connection) -> None:
        """`journal` is used for nothing else meanwhile."""
        self._journal = journal
        self._tiles: OrderedDict[int, list[bytes]] = OrderedDict()
        self._reading = threading.Lock()

    def node(self, level: int, index: int) -> bytes:
        """The hash over leaves `index << level` to `index + 1 << level`; raises ValueError where it cannot be had."""
        with self._reading:
            if level >= TILE_LEVEL:
                query = "SELECT hash FROM nodes WHERE level = ? AND idx = ?"
                row = self._journal.execute(query, (level, index)).fetchone()
                if row is None or not isinstance(row[0], bytes):
                    raise ValueError(f"its tree has no node {index} of level {level}")
                return row[0]
            first = index << level
            begin = first % TILE
            return perfect_root(self._tile(first >> TILE_LEVEL, begin + (1 << level))[begin : begin + (1 << level)])

    def _tile(self, tile: int, count: int) -> list[bytes]:
        """The first `count` leaf hashes of a tile, or more."""
        hashes = self._tiles.get(tile, [])
        if len(hashes) < count:
            # In one transaction, so that entries that are being removed are seen either as such or as hashes.
            self._journal.execute("BEGIN")
            try:
                hashes = list(leaf_hashes(self._journal, tile << TILE_LEVEL, (tile << TILE_LEVEL) + count))
            finally:
                self._journal.execute("ROLLBACK")
            keep(self._tiles, tile, hashes, MAX_TILES)
        return hashes
