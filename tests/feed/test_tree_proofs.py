"""Proofs of the Merkle tree against the definition, word for word, and against published vectors."""

import base64
import json
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shared import vectors

from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.proofs import (
    BadProof,
    frontier_at,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)

MOST = 70
LEAVES = [b"leaf %d" % index for index in range(MOST)]


def split(count: int) -> int:
    """The largest power of two below `count`."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def tree_hash(leaves: Sequence[bytes]) -> bytes:
    """MTH of RFC 9162, section 2.1.1."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def inclusion_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH of section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*inclusion_path(m, leaves[:k]), tree_hash(leaves[k:])]
    return [*inclusion_path(m - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency_path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF of section 2.1.4.1."""
    return _subproof(m, leaves, known=True)


def _subproof(m: int, leaves: Sequence[bytes], *, known: bool) -> list[bytes]:
    if m == len(leaves):
        return [] if known else [tree_hash(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*_subproof(m, leaves[:k], known=known), tree_hash(leaves[k:])]
    return [*_subproof(m - k, leaves[k:], known=False), tree_hash(leaves[:k])]


def node(level: int, index: int) -> bytes:
    begin, end = index << level, (index + 1) << level
    assert end <= MOST, "a node that the tree does not have"
    return tree_hash(LEAVES[begin:end])


sizes = st.integers(1, MOST)
places = sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))
pairs = sizes.flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size)))


@given(places)
def test_an_inclusion_proof_is_that_of_the_definition_and_holds(place: tuple[int, int]) -> None:
    index, size = place
    path = prove_inclusion(index, size, node)
    assert path == inclusion_path(index, LEAVES[:size])
    verify_inclusion(leaf_hash(LEAVES[index]), index, size, path, tree_hash(LEAVES[:size]))


@given(pairs)
def test_a_consistency_proof_is_that_of_the_definition_and_holds(pair: tuple[int, int]) -> None:
    first, second = pair
    path = prove_consistency(first, second, node)
    assert path == consistency_path(first, LEAVES[:second])
    verify_consistency(first, second, tree_hash(LEAVES[:first]), tree_hash(LEAVES[:second]), path)


@given(sizes)
def test_the_frontier_out_of_nodes_is_the_one_that_grew(size: int) -> None:
    grown = Frontier()
    for leaf in LEAVES[:size]:
        grown.append(leaf_hash(leaf))
    assert tuple(frontier_at(size, node)) == grown.hashes()


Path = list[bytes]


def flipped(hash: bytes, bit: int) -> bytes:
    return (int.from_bytes(hash, "big") ^ 1 << bit).to_bytes(len(hash), "big")


def altered(path: Path, place: int, bit: int) -> Path:
    return [*path[:place], flipped(path[place], bit), *path[place + 1 :]]


@st.composite
def mutated(draw: st.DrawFn, path: Path) -> Path:
    """Another path than this one."""
    kinds: list[Callable[[], Path]] = [lambda: [*path, draw(st.binary(min_size=32, max_size=32))]]
    if path:
        place = draw(st.integers(0, len(path) - 1))
        kinds += [
            lambda: altered(path, place, draw(st.integers(0, 255))),
            lambda: path[:place] + path[place + 1 :],
            lambda: [*path[:place], path[place], *path[place:]],
            lambda: [*path[:place], path[place][: draw(st.integers(0, 31))], *path[place + 1 :]],
            lambda: [*path[:place], path[place] + b"\x00", *path[place + 1 :]],
        ]
    if len(path) > 1:
        kinds.append(lambda: path[::-1])
    return draw(st.sampled_from(kinds))()


@given(st.data(), places)
def test_no_mutation_of_an_inclusion_proof_holds(data: st.DataObject, place: tuple[int, int]) -> None:
    index, size = place
    leaf, root, path = leaf_hash(LEAVES[index]), tree_hash(LEAVES[:size]), inclusion_path(index, LEAVES[:size])
    bit = data.draw(st.integers(0, 255))
    forged = [
        (leaf, index, size, data.draw(mutated(path)), root),
        (flipped(leaf, bit), index, size, path, root),
        (leaf, index, size, path, flipped(root, bit)),
        (leaf, data.draw(st.integers(-2, size + 2).filter(lambda each: each != index)), size, path, root),
        (leaf[:-1], index, size, path, root),
        (leaf, index, size, path, root + b"\x00"),
    ]
    for each in forged:
        with pytest.raises(BadProof):
            verify_inclusion(*each)


@given(st.data(), pairs)
def test_no_mutation_of_a_consistency_proof_holds(data: st.DataObject, pair: tuple[int, int]) -> None:
    first, second = pair
    before, after = tree_hash(LEAVES[:first]), tree_hash(LEAVES[:second])
    path = consistency_path(first, LEAVES[:second])
    bit = data.draw(st.integers(0, 255))
    forged = [
        (first, second, before, after, data.draw(mutated(path))),
        (first, second, flipped(before, bit), after, path),
        (first, second, before, flipped(after, bit), path),
        (0, second, before, after, path),
        (second + 1, second, before, after, path),
        (first, second, before[:-1], after, path),
        (first, second, before, after + b"\x00", path),
    ]
    for each in forged:
        with pytest.raises(BadProof):
            verify_consistency(*each)


@given(st.data(), pairs)
def test_the_path_of_one_size_does_not_lead_from_another(data: st.DataObject, pair: tuple[int, int]) -> None:
    first, second = pair
    other, path = data.draw(st.integers(1, second)), consistency_path(first, LEAVES[:second])
    assume(consistency_path(other, LEAVES[:second]) != path)
    with pytest.raises(BadProof):
        verify_consistency(other, second, tree_hash(LEAVES[:other]), tree_hash(LEAVES[:second]), path)


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0), (4, 3)])
def test_there_is_no_inclusion_proof_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(BadProof, match=f"has no leaf {index}"):
        prove_inclusion(index, size, node)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3), (0, 0)])
def test_there_is_no_consistency_proof_with_a_tree_that_is_empty_or_larger(first: int, second: int) -> None:
    with pytest.raises(BadProof, match="does not go on"):
        prove_consistency(first, second, node)


def test_the_largest_proofs_are_short() -> None:
    """The nodes asked for of a log of 2^53 - 1 entries are as many as it has levels."""
    asked: list[tuple[int, int]] = []

    def counted(level: int, index: int) -> bytes:
        asked.append((level, index))
        return bytes(32)

    assert len(prove_consistency(2**52 + 1, 2**53 - 1, counted)) <= 64
    assert len(prove_inclusion(0, 2**53 - 1, counted)) <= 64
    assert len(asked) < 2_000


Case = dict[str, Any]


def test_published_inclusion_proofs() -> None:
    def check(case: Case) -> None:
        verify_inclusion(
            octets(case["leafHash"]), case["leafIdx"], case["treeSize"], path_of(case), octets(case["root"])
        )

    assert misjudged("vectors/merkle/inclusion.json", check) == []


def test_published_consistency_proofs() -> None:
    """All are judged as published, but for the one whose roots are 12 octets."""

    def check(case: Case) -> None:
        verify_consistency(case["size1"], case["size2"], octets(case["root1"]), octets(case["root2"]), path_of(case))

    (other,) = misjudged("vectors/merkle/consistency.json", check)
    assert len(octets(other["root1"])) == 12
    assert not other["wantErr"]


def misjudged(file: str, check: Callable[[Case], None]) -> list[Case]:
    cases = json.loads(vectors(file).read_bytes())
    wrong = []
    for case in cases.values():
        try:
            check(case)
            refused = False
        except BadProof:
            refused = True
        if refused is not case["wantErr"]:
            wrong.append(case)
    assert len(cases) > 90
    return wrong


def octets(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def path_of(case: Case) -> Path:
    return [octets(each) for each in case["proof"] or ()]
