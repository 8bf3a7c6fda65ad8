"""Every node of a log's tree on disk, so that each entry can be proven when its last checkpoint is known."""

import tempfile
from collections.abc import AsyncGenerator, Sequence

from mcpwatch.feed.inclusion_pass import right_edge_nodes
from mcpwatch.feed.merkle import HASH_SIZE, leaf_hash, node_hash
from mcpwatch.feed.proofs import prove_inclusion, range_hash
from mcpwatch.feed.source import Source
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedStatus


class TreeFile:
    """The tree of a log from leaf `first` on, with its right edge there, on 64 octets of disk a leaf.

    The file has no name. Raises ValueError where that is no right edge.
    """

    def __init__(self, first: int = 0, frontier: Sequence[bytes] = ()) -> None:
        begun = right_edge_nodes(first, frontier)
        self.size = self._first = first
        self._edge = [node for _, _, node in begun]
        self._begun = {(level, at): node for level, at, node in begun}
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with this object)

    def append(self, leaf: bytes) -> None:
        """Go on by the leaf of this hash."""
        nodes, rest = [leaf], self.size
        while rest & 1:
            nodes.append(node_hash(self._edge.pop(), nodes[-1]))
            rest >>= 1
        self._edge.append(nodes[-1])
        self._file.seek(self._place(self.size))
        self._file.write(b"".join(nodes))
        self.size += 1

    def root(self, size: int) -> bytes:
        """Of the tree when it had `size` leaves, at least one."""
        return range_hash(0, size, self._node)

    def path(self, index: int, size: int) -> tuple[bytes, ...]:
        """From leaf `index`, lowest first, to the root of the tree of `size` leaves."""
        return tuple(prove_inclusion(index, size, self._node))

    def close(self) -> None:
        """Let the disk go."""
        self._file.close()

    def _node(self, level: int, at: int) -> bytes:
        last = ((at + 1) << level) - 1
        if last < self._first:
            return self._begun[level, at]
        self._file.seek(self._place(last) + level * HASH_SIZE)
        return self._file.read(HASH_SIZE)

    def _place(self, leaf: int) -> int:
        """Where the nodes begin that are complete with `leaf`."""
        return (_nodes(leaf) - _nodes(self._first)) * HASH_SIZE


def _nodes(leaves: int) -> int:
    """How many perfect subtrees a tree of so many leaves has."""
    return 2 * leaves - leaves.bit_count()


class TreeSource:
    """A source whose log's tree is kept while it is read, from `first` on; it takes no acts."""

    def __init__(self, source: Source, first: int = 0, frontier: Sequence[bytes] = ()) -> None:
        self.name = source.name
        self.address = source.address
        self.checkpoint: Checkpoint | None = None
        """The newest that covers no more than was read; None where entries are missing among those."""
        self._source = source
        self._tree = TreeFile(first, frontier)
        self._is_whole = True

    @property
    def status(self) -> FeedStatus:
        """How the feed stands."""
        return self._source.status

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """The source's own."""
        batches = self._source.batches()
        try:
            async for batch in batches:
                for entry in batch:
                    self._is_whole = self._is_whole and entry.index == self._tree.size
                    if self._is_whole:
                        self._tree.append(leaf_hash(entry.leaf))
                self._look()
                yield batch
            self._look()
        finally:
            await batches.aclose()

    async def close(self) -> None:
        """Stop, and let `batches` end; the tree stays for `path`."""
        await self._source.close()

    def discard(self) -> None:
        """Let the tree go."""
        self._tree.close()

    def path(self, index: int) -> tuple[bytes, ...] | None:
        """The inclusion proof of an entry that was read under `checkpoint`; None where that does not cover it."""
        checkpoint = self.checkpoint
        return None if checkpoint is None or index >= checkpoint.size else self._tree.path(index, checkpoint.size)

    def _look(self) -> None:
        checkpoint = self._source.status.checkpoint
        if not self._is_whole:
            self.checkpoint = None
            return
        if checkpoint is None or checkpoint is self.checkpoint or not 0 < checkpoint.size <= self._tree.size:
            return
        if self._tree.root(checkpoint.size) == checkpoint.root:
            self.checkpoint = checkpoint
