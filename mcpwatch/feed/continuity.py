"""Whether a log goes on from what it was seen to sign before (SPEC.md, section 6.5)."""

from collections.abc import Iterable, Mapping, Sequence

from mcpwatch.feed.edge import Edge
from mcpwatch.feed.merkle import Frontier
from mcpwatch.feed.proof_answers import ConsistencyAnswer
from mcpwatch.feed.proofs import BadProof, verify_consistency
from mcpwatch.model.feed import Checkpoint

Proofs = Mapping[int, ConsistencyAnswer | None]
"""What the log answered, by the size that was asked for; None where it gives no proof."""

MOST_HELD = 6
"""Checkpoints that wait for a log which gives no proofs; those seen first stay."""


class Discontinued(Exception):
    """The log is not the one that signed `note`; the reason is in words."""

    def __init__(self, reason: str, note: bytes = b"") -> None:
        super().__init__(reason)
        self.note = note


class Continuity:
    """Checkpoints of this log that it was not yet held against: of an earlier run, or from before a gap."""

    def __init__(self) -> None:
        self._held: list[Checkpoint] = []
        self._remedy = ""

    @property
    def held(self) -> tuple[Checkpoint, ...]:
        return tuple(self._held)

    def doubt(self, read: int) -> str:
        """What stays unproven at entry `read`, in words; empty when all before is, or will be as it is read."""
        sizes = " and ".join(f"{each.size:,}" for each in self._held if each.size < read)
        return f"not proven to go on from the first {sizes} entries, which were verified before" if sizes else ""

    def hold(self, checkpoint: Checkpoint | None) -> None:
        """Remember a checkpoint that the log must go on from; an empty log says nothing."""
        if checkpoint is not None and checkpoint.size and checkpoint not in self._held:
            self._held = [*self._held, checkpoint][:MOST_HELD]

    def recall(self, checkpoint: Checkpoint | None, remedy: str) -> None:
        """Hold a checkpoint of an earlier run; `remedy` is what an operator does who knows why a log left its own."""
        self.hold(checkpoint)
        self._remedy = remedy

    @property
    def remedy(self) -> str:
        """What to do about a log that left what it had signed, to follow the reason."""
        return f"; {self._remedy}" if self._remedy else ""

    def is_due(self, size: int) -> bool:
        """Whether there is a checkpoint to hold against the first `size` entries."""
        return bool(self._held) and any(each.size == size for each in self._held)

    def passing(self, size: int, root: bytes) -> list[Checkpoint]:
        """The checkpoints whose turn it is, `size` entries with this root having been read; they are no longer held.

        Raises Discontinued where one has another root.
        """
        due = [each for each in self._held if each.size == size]
        self._held = [each for each in self._held if each.size != size]
        for each in due:
            if each.root != root:
                raise self._another(each)
        return due

    def asks(
        self, proven: int, read: int, onward: int, newest: Checkpoint, seen: Iterable[Checkpoint]
    ) -> tuple[int, ...]:
        """The sizes to prove that `newest` goes on from, where entries from `read` to `onward` are passed over.

        `seen` is what the log signed on this side of them; of what was read, entries from `proven` on still wait for a
        checkpoint.
        """
        is_gap = read < onward
        known = [*self._held, *seen] if is_gap else self._held
        sizes = {each.size for each in known if each.size < min(onward, newest.size)}
        if is_gap and proven < read:
            sizes.add(read)
        if is_gap and onward < newest.size:
            sizes.add(onward)
        return tuple(sorted(sizes - {0}))

    def settle(self, newest: Checkpoint, proofs: Proofs) -> None:
        """Let go of all that `proofs`, or the newest checkpoint itself, show to lie within the log.

        Raises Discontinued where they show that one does not.
        """
        for each in self.held:
            if each.size == newest.size:
                if each.root != newest.root:
                    raise self._another(each)
            elif (answer := proofs.get(each.size)) is None:
                continue
            elif right_edge(answer, each.size, newest, each.note).root() != each.root:
                raise self._another(each)
            self._held.remove(each)

    def _another(self, held: Checkpoint) -> Discontinued:
        words = f"the log is another: its first {held.size} entries are not those that were verified before"
        return Discontinued(words + self.remedy, held.note)


def right_edge(answer: ConsistencyAnswer, size: int, newest: Checkpoint, note: bytes = b"") -> Frontier:
    """The frontier at `size` that the answer proves to be that of the log which `newest` is of.

    Raises Discontinued, with `note`, where it does not.
    """
    try:
        if (answer.first, answer.second) != (size, newest.size):
            raise BadProof(f"it is for {answer.first} and {answer.second}")
        edge = Frontier.load(size, answer.frontier)
        verify_consistency(size, newest.size, edge.root(), newest.root, answer.hashes)
    except ValueError as error:
        reason = f"the gateway's proof that {size} entries are the first of {newest.size} does not hold: {error}"
        raise Discontinued(reason, note) from None
    return edge


def hold_read(edge: Edge, newest: Checkpoint, answer: ConsistencyAnswer | None) -> None:
    """Hold what was read and still waits for a checkpoint against one behind a gap: no other will be held against it.

    Raises Discontinued where it is not what the log has; without an answer it stays unproven.
    """
    if edge.proven < edge.size and answer is not None:
        proven = right_edge(answer, edge.size, newest)
        if proven.root() != edge.root():
            raise Discontinued(f"the log's first {edge.size} entries are not those that it sent")
        edge.prove(proven)


def edge_of(checkpoint: Checkpoint, frontier: Sequence[bytes]) -> Frontier:
    """The right edge at a checkpoint; raises Discontinued where it does not hash to the root that was signed."""
    try:
        edge = Frontier.load(checkpoint.size, frontier)
    except ValueError as error:
        raise Discontinued(f"the gateway's frontier does not fit its checkpoint: {error}") from None
    if edge.root() != checkpoint.root:
        raise Discontinued("the gateway's frontier does not hash to the root it signed")
    return edge
