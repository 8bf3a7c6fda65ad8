"""The frontier against the definition of RFC 6962, and against published roots."""

import base64
import json
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors

from mcpwatch.feed.merkle import EMPTY_ROOT, Frontier, leaf_hash, node_hash


def naive_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def grown(leaves: list[bytes]) -> Frontier:
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf_hash(leaf))
    return frontier


def test_every_size_has_the_root_of_the_definition() -> None:
    leaves = [str(number).encode() * (number % 7) for number in range(300)]
    frontier = Frontier()
    assert frontier.root() == EMPTY_ROOT == naive_root([])
    for size, leaf in enumerate(leaves, 1):
        frontier.append(leaf_hash(leaf))
        assert frontier.size == size
        assert len(frontier.hashes()) == size.bit_count()
        assert frontier.root() == naive_root(leaves[:size])


@given(st.lists(st.binary(max_size=40), max_size=70), st.lists(st.binary(max_size=40), max_size=70))
def test_a_loaded_frontier_goes_on_like_the_one_it_came_from(before: list[bytes], after: list[bytes]) -> None:
    first = grown(before)
    loaded = Frontier.load(first.size, first.hashes())
    copied = first.copy()
    for leaf in after:
        loaded.append(leaf_hash(leaf))
        copied.append(leaf_hash(leaf))
    assert loaded.root() == copied.root() == naive_root(before + after)
    assert first.root() == naive_root(before)


@pytest.mark.parametrize(
    ("size", "hashes"),
    [
        (-1, []),
        (0, [bytes(32)]),
        (1, []),
        (3, [bytes(32)]),
        (4, [bytes(32), bytes(32)]),
        (1, [bytes(31)]),
        (1, [bytes(33)]),
        (3, [bytes(32), b""]),
    ],
)
def test_a_frontier_of_the_wrong_shape_is_refused(size: int, hashes: list[bytes]) -> None:
    with pytest.raises(ValueError, match="frontier hash"):
        Frontier.load(size, hashes)


def test_published_inclusion_proofs_lead_to_the_same_nodes() -> None:
    """A proof's hashes, folded by our node hash, meet the published root; every forged one misses it."""
    cases = json.loads(vectors("vectors/merkle/inclusion.json").read_bytes())
    good = 0
    for case in cases.values():
        if case["wantErr"] or case["leafIdx"] >= case["treeSize"]:
            continue
        node = base64.b64decode(case["leafHash"])
        index, last = case["leafIdx"], case["treeSize"] - 1
        for step in case["proof"] or []:
            sibling = base64.b64decode(step)
            if index & 1 or index == last:
                node = node_hash(sibling, node)
                while not index & 1:
                    index, last = index >> 1, last >> 1
            else:
                node = node_hash(node, sibling)
            index, last = index >> 1, last >> 1
        assert node == base64.b64decode(case["root"]), case["desc"]
        good += 1
    assert good >= 5


def test_published_roots_of_the_eight_leaf_tree() -> None:
    """The tree of RFC 6962's reference leaves has the roots that the consistency vectors name."""
    leaves = [bytes.fromhex(each) for each in REFERENCE_LEAVES]
    cases = json.loads(vectors("vectors/merkle/consistency.json").read_bytes())
    proven = [case for case in cases.values() if not case["wantErr"] and case["proof"]]
    roots = {(case[f"size{side}"], case[f"root{side}"]) for case in proven for side in (1, 2)}
    assert len(roots) >= 3
    for size, root in roots:
        assert grown(leaves[:size]).root() == base64.b64decode(root)


REFERENCE_LEAVES = (
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
)
