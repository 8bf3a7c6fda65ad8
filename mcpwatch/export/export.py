"""Writes what a watcher holds or takes in: rows through a filter into a format, under a head that says of what."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TextIO

from msgspec.structs import replace

from mcpwatch.export.csv import CsvWriter
from mcpwatch.export.har import HarWriter
from mcpwatch.export.head import Extent, Head, covers, head
from mcpwatch.export.jsonl import JsonlWriter
from mcpwatch.export.markdown import MarkdownWriter
from mcpwatch.export.spool import Spool
from mcpwatch.export.tree_file import TreeSource
from mcpwatch.export.writer import Covered, Piece, Writer
from mcpwatch.model.feed import FeedStatus
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised, State

FORMATS: dict[str, Callable[[], Writer]] = {
    "jsonl": JsonlWriter,
    "csv": CsvWriter,
    "markdown": MarkdownWriter,
    "har": HarWriter,
}
"""Name -> what writes it."""
PROVABLE = "jsonl"
"""The format that carries leaves, and so can carry their proofs."""


class Export:
    """One export: takes rows in order and writes it all at the end, with no more in memory than the state holds anyway.

    It is a pipeline's listener: a row is written when the state lets go of it, so that it tells how the call went, and
    of a key that came late. `trees`, by source, are for `PROVABLE` to have proofs from.
    """

    def __init__(
        self, format: str, state: State, query: Query = ALL, *, filter: str = "", trees: Mapping[str, TreeSource] = {}
    ) -> None:
        self._format = format
        self._filter = filter
        self._writer = FORMATS[format]()
        self._state = state
        self._query = query
        self._trees = trees
        self._spool = Spool()
        self._rows: deque[Row] = deque()
        self._extents: dict[str, Extent] = {}
        self._standing: dict[str, FeedStatus] = {}

    def __enter__(self) -> "Export":
        return self

    def __exit__(self, *of_error: object) -> None:
        self._spool.close()

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        """Keep a row, and write those that the state has let go of."""
        self._rows.append(row)
        while self._rows[0].seq < self._state.rows.first:
            self.take(self._rows.popleft())

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        """Nothing: a row tells its newest verdict when it is written."""

    def alerts(self, raised: Sequence[Raised]) -> None:
        """Nothing: alerts are told of as they stand at the end."""

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """Nothing: feeds are told of as they stand at the end."""

    def take(self, row: Row) -> None:
        """Write a row if it passes."""
        passes = self._query.matches(row, self._state)
        if passes:
            self._extents.setdefault(row.source, Extent()).take(row.index)
        self._put(self._writer.row(row, self._state, passes))

    def write(self, out: TextIO) -> Head:
        """Write everything, with the feeds as they stand now; returns the head."""
        told = self.finish()
        out.writelines(self.texts(told))
        return told

    def finish(self) -> Head:
        """Take in what is left, and say of what it all is, with the feeds as they stand now."""
        while self._rows:
            self.take(self._rows.popleft())
        self._put(self._writer.rest(self._state))
        feeds = [self._proven_by(status) for status in self._state.feeds.values()]
        self._standing = {status.name: status for status in feeds}
        return head(self._format, self._filter, feeds, self._extents)

    def texts(self, told: Head) -> Iterator[str]:
        """The file bit by bit; `told` is what `finish` said."""
        yield self._writer.head(told)
        for piece in self._spool.pieces():
            yield self._writer.sealed(piece, self._covered(piece))
        yield self._writer.foot(told, self._state)

    def _put(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._spool.add(piece)

    def _proven_by(self, status: FeedStatus) -> FeedStatus:
        """The feed with the checkpoint that its proofs lead to, where there are any."""
        tree = self._trees.get(status.name)
        if tree is None or tree.checkpoint is None:
            return status
        return replace(status, checkpoint=tree.checkpoint, verified_size=tree.checkpoint.size)

    def _covered(self, piece: Piece) -> Covered:
        status, tree = self._standing.get(piece.source), self._trees.get(piece.source)
        is_proven = status is not None and covers(status, piece.index)
        return Covered(is_proven, tree.path(piece.index) if tree is not None and is_proven else None)
