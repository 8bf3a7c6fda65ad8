"""The proof of any entry comes out of one pass over a log, from any beginning, and nothing false does."""

import tracemalloc
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_log import TinyLog, frames

from mcpwatch.errors import IntegrityError, UsageError
from mcpwatch.feed.inclusion_pass import InclusionPath, prove_from_pass
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.tlog_proof import verify_proof


@given(st.data())
def test_the_path_holds_from_any_beginning_to_any_size(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 200))
    index = data.draw(st.integers(0, size - 1))
    first = data.draw(st.integers(0, index))
    log = TinyLog()
    log.grow(size)
    proof = prove_from_pass(
        frames(*map(log.entry, range(first, size)), log.checkpoint()),
        index,
        log.verifier,
        first=first,
        frontier=log.at(first).hashes(),
    )
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
    known = prove_from_pass(frames(*entries), 3, log.verifier, notes=[log.note(12)])
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
        prove_from_pass(frames(), 2, log.verifier, first=4, frontier=log.at(4).hashes())


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
            prove_from_pass(frames(*entries[4:], log.checkpoint()), 8, log.verifier, first=4, frontier=edge)


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
