"""The proof of any entry comes out of one pass over a log, from any beginning, and nothing false does."""

import tracemalloc
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_log import TinyLog, frames

from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.feed.inclusion_pass import InclusionPass, InclusionPath
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.tlog_proof import TlogProof, verify_proof


def prove_from_pass(frames: Iterable[Frame], index: int, verifier: NoteVerifier) -> TlogProof:
    """The proof of entry `index` out of the events of a log from its first entry on."""
    passing = InclusionPass(index, verifier)
    for frame in frames:
        if frame.event == "checkpoint":
            passing.note(frame.data + b"\n")
        elif frame.event == "entry":
            passing.entry(frame)
        if passing.proof is not None:
            return passing.proof
    raise passing.missing()


def taken(passing: InclusionPass, *events: bytes) -> TlogProof:
    """The proof when these events were taken in."""
    for frame in frames(*events):
        if frame.event == "checkpoint":
            passing.note(frame.data + b"\n")
        else:
            passing.entry(frame)
    if passing.proof is None:
        raise passing.missing()
    return passing.proof


@given(st.data())
def test_the_path_holds_from_any_beginning_to_any_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(0, index))
    log = TinyLog()
    log.grow(size)
    passing = InclusionPass(index, log.verifier, first, log.at(first).hashes())
    proof = taken(passing, *map(log.entry, range(first, size)), log.checkpoint())
    assert proof.leaf == log.leaves[index]
    assert verify_proof(proof, (log.key.verifier_key, log.key.time_verifier_key)).size == size


def test_the_earliest_checkpoint_that_covers_it_is_taken() -> None:
    log = TinyLog()
    stream = frames(*log.grow(64, every=8))
    for index in (0, 7, 8, 30, 63):
        proof = prove_from_pass(stream, index, log.verifier)
        checkpoint = verify_proof(proof, (log.key.verifier_key, log.key.time_verifier_key))
        assert checkpoint.size == (index // 8 + 1) * 8


def test_checkpoints_that_came_before_their_entries_serve() -> None:
    log = TinyLog()
    log.grow(20)
    entries = [log.entry(index) for index in range(20)]
    early = frames(log.checkpoint(16), log.checkpoint(20), log.checkpoint(9), *entries)
    passing = InclusionPass(3, log.verifier)
    passing.note(log.note(12))
    known = taken(passing, *entries)
    for proof, size in ((prove_from_pass(early, 17, log.verifier), 20), (known, 12)):
        checkpoint = verify_proof(proof, (log.key.verifier_key, log.key.time_verifier_key))
        assert checkpoint.size == size


def test_heartbeats_of_one_size_hold_nothing_up() -> None:
    log = TinyLog()
    log.grow(12)
    entries = [log.entry(index) for index in range(12)]
    beats = [log.checkpoint(6, time=time) for time in (1, 2, 3)]
    proof = prove_from_pass(frames(*beats, *entries[:6], *beats, *entries[6:], log.checkpoint()), 8, log.verifier)
    assert verify_proof(proof, (log.key.verifier_key, log.key.time_verifier_key)).size == 12


def test_missing_entries_are_passed_over_at_an_edge_that_was_told() -> None:
    log = TinyLog()
    log.grow(40)
    before, after = [log.entry(index) for index in range(10)], [log.entry(index) for index in range(16, 40)]
    for index in (3, 20, 39):
        passing = InclusionPass(index, log.verifier)
        passing.edges({16: log.at(16).hashes()})
        proof = taken(passing, *before, log.checkpoint(10), *after, log.checkpoint())
        size = verify_proof(proof, (log.key.verifier_key, log.key.time_verifier_key)).size
        assert size == (10 if index == 3 else 40)
    passing = InclusionPass(12, log.verifier)
    passing.edges({16: log.at(16).hashes()})
    with pytest.raises(UsageError, match="Entry 12 is not in it"):
        taken(passing, *before, *after, log.checkpoint())
    passing = InclusionPass(20, log.verifier)
    passing.edges({16: log.at(3).hashes() * 8})
    with pytest.raises(IntegrityError):
        taken(passing, *before, *after, log.checkpoint())
    passing = InclusionPass(20, log.verifier)
    passing.edges({16: (b"x" * 32,)})
    with pytest.raises(IntegrityError, match="root at 40"):
        taken(passing, *before, *after, log.checkpoint())


def test_what_is_not_there_or_not_covered_is_said() -> None:
    log = TinyLog()
    log.grow(10)
    entries = [log.entry(index) for index in range(10)]
    late = frames(*entries, log.checkpoint(5))
    for stream, index, words in (
        (frames(*entries, log.checkpoint()), 10, "Entry 10 is not in it"),
        (frames(*entries), 3, "No checkpoint in it covers entry 3"),
        (late, 7, "No checkpoint in it covers entry 7"),
        (frames(), 0, "Entry 0 is not in it"),
    ):
        with pytest.raises(UsageError, match=words):
            prove_from_pass(stream, index, log.verifier)
    with pytest.raises(UsageError, match="Entry 2 is not in it"):
        InclusionPass(2, log.verifier, 4, log.at(4).hashes())


def test_what_does_not_hold_is_refused() -> None:
    log, other = TinyLog(), TinyLog(seed=5)
    for each in (log, other):
        each.grow(10)
    entries = [log.entry(index) for index in range(10)]
    changed = frames(*entries[:4], log.entry(4).replace(b"200", b"500"), *entries[5:], log.checkpoint())
    for stream in (
        changed,
        frames(*entries[:4], *entries[5:], log.checkpoint()),
        frames(*entries, other.checkpoint()),
        frames(*entries[:6], log.entry(5), *entries[6:], log.checkpoint()),
    ):
        with pytest.raises(IntegrityError):
            prove_from_pass(stream, 8, log.verifier)
    for edge in (log.at(5).hashes(), (b"x" * 32,), (b"short",)):
        with pytest.raises(IntegrityError):
            taken(InclusionPass(8, log.verifier, 4, edge), *entries[4:], log.checkpoint())


def test_the_root_is_that_of_the_frontier_at_every_size() -> None:
    tree, frontier = InclusionPath(5), Frontier()
    assert tree.root() == frontier.root()
    for number in range(100):
        hashed = leaf_hash(str(number).encode())
        tree.append(hashed)
        frontier.append(hashed)
        assert tree.root() == frontier.root()


def test_a_long_log_takes_no_more_memory_than_a_short_one() -> None:
    def passing(size: int) -> int:
        log = TinyLog()

        def stream() -> Iterator[Frame]:
            frontier = Frontier()
            for index in range(size):
                leaf = b"%d" % index * 50
                frontier.append(leaf_hash(leaf))
                yield Frame("entry", leaf, str(index))
            yield Frame("checkpoint", log.key.sign_checkpoint(size, frontier.root(), 1).removesuffix(b"\n"))

        tracemalloc.start()
        try:
            prove_from_pass(stream(), size // 3, log.verifier)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert passing(20_000) < 2 * passing(1_000)
