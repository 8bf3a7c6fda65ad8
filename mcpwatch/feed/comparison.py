"""Whether two checkpoints are of one log, as far as signatures and proofs can show it."""

from enum import Enum

from msgspec import Struct

from mcpwatch.feed.continuity import Discontinued, Proofs, right_edge
from mcpwatch.model.feed import Checkpoint


class Verdict(Enum):
    SAME = "the same log"
    FORK = "fork"
    UNKNOWN = "cannot tell"


class Comparison(Struct, frozen=True):
    """What came of it, and why, in words."""

    verdict: Verdict
    why: str
    contradicted: Checkpoint | None = None
    """A third checkpoint of the log, where that is what speaks against one of the two."""


def compare_at_once(a: Checkpoint, b: Checkpoint) -> Comparison | None:
    """What two checkpoints under one key say without any proof; None where it takes one."""
    if not a.size or not b.size:
        return Comparison(Verdict.UNKNOWN, "a checkpoint of an empty log says nothing")
    if a.size != b.size:
        return None
    if a.root == b.root:
        return Comparison(Verdict.SAME, f"both are the checkpoint of its first {a.size:,} entries")
    return Comparison(Verdict.FORK, f"the log signed two roots for its first {a.size:,} entries")


def asks(a: Checkpoint, b: Checkpoint, newest: Checkpoint) -> tuple[int, ...]:
    """The sizes for which the log has to prove that `newest` goes on from them."""
    return tuple(sorted({each.size for each in (a, b) if each.size < newest.size}))


def compare(a: Checkpoint, b: Checkpoint, newest: Checkpoint, proofs: Proofs) -> Comparison:
    """Hold both against what the log signed last, by the proofs it gave for what `asks` said.

    Who gives a wrong proof, or none, shows nothing: a fork is told only where a proof leads to a root that was signed.
    """
    strays: list[Checkpoint] = []
    for each in (a, b):
        if each.size > newest.size:
            why = f"the log has {newest.size:,} entries now, by its own word, and once signed for {each.size:,}"
            return Comparison(Verdict.UNKNOWN, why)
        try:
            root = _root_at(each.size, newest, proofs)
        except Discontinued as discontinued:
            return Comparison(Verdict.UNKNOWN, str(discontinued))
        if root is None:
            return Comparison(Verdict.UNKNOWN, "the gateway gives no proofs of consistency")
        if root != each.root:
            strays.append(each)
    if not strays:
        why = f"the log that the gateway signed at {newest.size:,} entries begins with both"
        return Comparison(Verdict.SAME, why)
    why = f"the log that the gateway signed at {newest.size:,} entries begins with other {strays[0].size:,} entries"
    return Comparison(Verdict.FORK, why, newest)


def _root_at(size: int, newest: Checkpoint, proofs: Proofs) -> bytes | None:
    """The root that the log proves to have had at `size`; None without a proof. Raises Discontinued."""
    if size == newest.size:
        return newest.root
    answer = proofs.get(size)
    return right_edge(answer, size, newest).root() if answer is not None else None
