"""The inclusion proof of one entry out of a log that passes by once, whatever its length."""

from collections.abc import Iterable, Mapping, Sequence

from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.feed.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proofs import prove_inclusion, range_hash
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.tlog_proof import TlogProof
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.feed import Checkpoint


def right_edge_nodes(size: int, frontier: Sequence[bytes]) -> list[tuple[int, int, bytes]]:
    """Level, place and hash of the perfect subtrees that a tree splits into, largest first; raises ValueError."""
    nodes, at = [], 0
    for node in Frontier.load(size, frontier).hashes():
        level = (size - at).bit_length() - 1
        nodes.append((level, at >> level, node))
        at += 1 << level
    return nodes


class InclusionPath:
    """The nodes that the path from leaf `index` needs, of a tree that grows: at most 128 hashes.

    It starts at `first` leaves from the right edge there. Raises ValueError where that is not one.
    """

    def __init__(self, index: int, first: int = 0, frontier: Sequence[bytes] = ()) -> None:
        self.index = index
        self.size = first
        self._edge = right_edge_nodes(first, frontier)
        self._kept: dict[tuple[int, int], bytes] = {}
        self._keep(self._edge)

    def append(self, leaf: bytes) -> None:
        """Go on by the leaf of this hash."""
        level, at, node = 0, self.size, leaf
        self._keep([(level, at, node)])
        while at & 1:
            level, at, node = level + 1, at >> 1, node_hash(self._edge.pop()[2], node)
            self._keep([(level, at, node)])
        self._edge.append((level, at, node))
        self.size += 1

    def root(self) -> bytes:
        """Of the tree as it is now."""
        return range_hash(0, self.size, self._node) if self.size else EMPTY_ROOT

    def path(self) -> tuple[bytes, ...]:
        """From the leaf, lowest first, to the root of the tree as it is now."""
        return tuple(prove_inclusion(self.index, self.size, self._node))

    def _keep(self, nodes: Iterable[tuple[int, int, bytes]]) -> None:
        """Keep those that stand beside the path."""
        self._kept.update(((level, at), node) for level, at, node in nodes if at == (self.index >> level) ^ 1)

    def _node(self, level: int, at: int) -> bytes:
        kept = self._kept.get((level, at))
        return kept if kept is not None else next(node for *place, node in self._edge if place == [level, at])


class InclusionPass:
    """Takes in a log from entry `first` on, with its right edge there, until `proof` is there.

    That is by the earliest checkpoint that covers the entry and comes right after its own last entry, or before.
    Raises UsageError where the log begins after the entry, IntegrityError where the right edge is none.
    """

    def __init__(self, index: int, verifier: NoteVerifier, first: int = 0, frontier: Sequence[bytes] = ()) -> None:
        if index < first:
            raise UsageError(f"Entry {index} is not in it", f"It begins with entry {first}.")
        self.proof: TlogProof | None = None
        self._index = index
        self._verifier = verifier
        self._tree = _tree(index, first, frontier)
        self._edges: dict[int, Sequence[bytes]] = {}
        self._leaf: bytes | None = None
        self._due: list[Checkpoint] = []

    def note(self, note: bytes) -> Checkpoint:
        """Take in a signed note; raises IntegrityError where it does not hold."""
        try:
            checkpoint = self._verifier.open(note)
        except BadNote as bad:
            raise IntegrityError(f"a checkpoint in it does not hold: {bad.reason}") from None
        if checkpoint.size >= self._tree.size:
            # The next to come due and the newest; one that is past covers what a later one covers too.
            known = sorted([*self._due, checkpoint], key=lambda each: each.size)
            self._due = known[:1] + known[1:][-1:]
        self._weigh()
        return checkpoint

    def edges(self, edges: Mapping[int, Sequence[bytes]]) -> None:
        """Learn right edges, by size, at which the log may go on past entries that are missing."""
        self._edges = dict(edges)

    def entry(self, frame: Frame) -> None:
        """Take in the next entry; raises IntegrityError where it is another."""
        if frame.id is not None and frame.id != str(self._tree.size):
            self._pass_over(frame.id)
        if frame.id != str(self._tree.size):
            raise IntegrityError(f"entry {frame.id} came where {self._tree.size} was due")
        if self._tree.size == self._index:
            self._leaf = frame.data
        self._tree.append(leaf_hash(frame.data))
        self._weigh()

    def missing(self) -> UsageError:
        """Why there is no proof at the end."""
        if self._leaf is None:
            return UsageError(f"Entry {self._index} is not in it", f"It ends before entry {self._tree.size}.")
        return UsageError(f"No checkpoint in it covers entry {self._index}", "It is pending, as at a recording's end.")

    def _pass_over(self, id: str) -> None:
        size = next((size for size in self._edges if str(size) == id), None)
        if size is not None and size > self._tree.size:
            self._tree, self._leaf = _tree(self._index, size, self._edges[size]), None

    def _weigh(self) -> None:
        size = self._tree.size
        if self.proof is not None or not self._due or self._due[0].size > size:
            return
        for checkpoint in self._due:
            if checkpoint.size == size and checkpoint.root != self._tree.root():
                raise IntegrityError(f"the log's root at {size} is not that of the entries before it")
        if self._leaf is not None and self._due[0].size == size:
            self.proof = TlogProof(self._index, self._tree.path(), self._due[0].note, self._leaf)
        self._due = [each for each in self._due if each.size > size]


def _tree(index: int, first: int, frontier: Sequence[bytes]) -> InclusionPath:
    try:
        return InclusionPath(index, first, frontier)
    except ValueError as error:
        raise IntegrityError(f"the right edge that it begins with is none: {error}") from None
