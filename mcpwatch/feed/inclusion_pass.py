"""The inclusion proof of one entry out of a log that passes by once, whatever its length."""

from collections.abc import Iterable, Sequence

from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.feed.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proofs import prove_inclusion, range_hash
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.tlog_proof import TlogProof
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.feed import Checkpoint


class InclusionPath:
    """The nodes that the path from leaf `index` needs, of a tree that grows: at most 128 hashes.

    It starts at `first` leaves from the right edge there. Raises ValueError where that is not one.
    """

    def __init__(self, index: int, first: int = 0, frontier: Sequence[bytes] = ()) -> None:
        self.index = index
        self.size = first
        self._edge: list[tuple[int, int, bytes]] = []
        """Level, place and hash of the perfect subtrees at the right edge, largest first."""
        self._kept: dict[tuple[int, int], bytes] = {}
        at = 0
        for node in Frontier.load(first, frontier).hashes():
            level = (first - at).bit_length() - 1
            self._edge.append((level, at >> level, node))
            at += 1 << level
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


def prove_from_pass(
    frames: Iterable[Frame],
    index: int,
    verifier: NoteVerifier,
    *,
    first: int = 0,
    frontier: Sequence[bytes] = (),
    notes: Iterable[bytes] = (),
) -> TlogProof:
    """The proof of entry `index` by the earliest checkpoint that covers it and stands right after its last entry.

    `frames` are those of a log from entry `first` on, `frontier` its right edge there, `notes` checkpoints known
    before. Raises UsageError where the entry, or such a checkpoint, is not among them, IntegrityError
    where they do not hold.
    """
    if index < first:
        raise UsageError(f"Entry {index} is not in it", f"It begins with entry {first}.")
    tree, leaf, due = _tree(index, first, frontier), None, list[Checkpoint]()
    for note in notes:
        due = _await(due, _open(verifier, note), tree)
    for frame in frames:
        if frame.event == "checkpoint":
            due = _await(due, _open(verifier, frame.data + b"\n"), tree)
        elif frame.event == "entry":
            if frame.id != str(tree.size):
                raise IntegrityError(f"entry {frame.id} came where {tree.size} was due")
            if tree.size == index:
                leaf = frame.data
            tree.append(leaf_hash(frame.data))
        if due and due[0].size == tree.size:
            if due[0].root != tree.root():
                raise IntegrityError(f"the log's root at {tree.size} is not that of the entries before it")
            if leaf is not None:
                return TlogProof(index, tree.path(), due[0].note, leaf)
            due = [each for each in due if each.size > tree.size]
    if leaf is None:
        raise UsageError(f"Entry {index} is not in it", f"Its last entry is {tree.size - 1}." if tree.size else "")
    raise UsageError(
        f"No checkpoint in it covers entry {index}", "It is pending, as at the end of a cut-off recording."
    )


def _tree(index: int, first: int, frontier: Sequence[bytes]) -> InclusionPath:
    try:
        return InclusionPath(index, first, frontier)
    except ValueError as error:
        raise IntegrityError(f"the right edge that it begins with is none: {error}") from None


def _open(verifier: NoteVerifier, note: bytes) -> Checkpoint:
    try:
        return verifier.open(note)
    except BadNote as bad:
        raise IntegrityError(f"a checkpoint in it does not hold: {bad.reason}") from None


def _await(due: list[Checkpoint], checkpoint: Checkpoint, tree: InclusionPath) -> list[Checkpoint]:
    """The next checkpoint to come due and the newest; one that is past covers what a later one covers too."""
    if checkpoint.size < tree.size:
        return due
    known = sorted([*due, checkpoint], key=lambda each: each.size)
    return known[:1] + known[1:][-1:]
