"""Inclusion and consistency proofs of a Merkle tree: made, and held against roots (RFC 9162, section 2.1)."""

from collections.abc import Callable, Iterator, Sequence

from mcpwatch.feed.merkle import HASH_SIZE, node_hash

Node = Callable[[int, int], bytes]
"""`node(level, index)` is the hash of the perfect subtree over `1 << level` leaves from `index << level` on."""


class BadProof(ValueError):
    """The proof does not show what it is for."""


def verify_inclusion(leaf_hash: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Hold that the leaf stands at `index` of the tree of `size` leaves with this root (section 2.1.3.2).

    Raises BadProof; every hash has 32 octets.
    """
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} leaves has no leaf {index}")
    _check_hashes(leaf_hash, root, *path)
    at, last, computed = index, size - 1, leaf_hash
    for each in path:
        if last == 0:
            raise BadProof("the path is too long")
        if at & 1 or at == last:
            computed = node_hash(each, computed)
            # A subtree without a right sibling goes up as it is.
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, each)
        at, last = at >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")
    if computed != root:
        raise BadProof("the path leads to another root")


def verify_consistency(first: int, second: int, first_root: bytes, second_root: bytes, path: Sequence[bytes]) -> None:
    """Hold that the tree of `second` leaves begins with the tree of `first` leaves (section 2.1.4.2).

    Raises BadProof; every hash has 32 octets.
    """
    if not 1 <= first <= second:
        raise BadProof(f"a tree of {second} leaves does not go on from one of {first}")
    _check_hashes(first_root, second_root, *path)
    if first == second:
        if path or first_root != second_root:
            raise BadProof("one size has one root, and an empty path")
        return
    rest = list(path) if first & (first - 1) else [first_root, *path]
    if not rest:
        raise BadProof("the path is too short")
    at, last = first - 1, second - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    before = after = rest[0]
    for each in rest[1:]:
        if last == 0:
            raise BadProof("the path is too long")
        if at & 1 or at == last:
            before, after = node_hash(each, before), node_hash(each, after)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            after = node_hash(after, each)
        at, last = at >> 1, last >> 1
    if last:
        raise BadProof("the path is too short")
    if before != first_root:
        raise BadProof("the path does not begin at the first root")
    if after != second_root:
        raise BadProof("the path leads to another second root")


def prove_inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The path from leaf `index` to the root of the tree of `size` leaves, lowest first (section 2.1.3.1)."""
    if not 0 <= index < size:
        raise BadProof(f"a tree of {size} leaves has no leaf {index}")
    begin, end, siblings = 0, size, list[tuple[int, int]]()
    while end - begin > 1:
        middle = begin + _left(end - begin)
        if index < middle:
            siblings.append((middle, end))
            end = middle
        else:
            siblings.append((begin, middle))
            begin = middle
    return [range_hash(*each, node) for each in reversed(siblings)]


def prove_consistency(first: int, second: int, node: Node) -> list[bytes]:
    """The path by which the tree of `second` leaves is seen to begin with that of `first` (section 2.1.4.1)."""
    if not 1 <= first <= second:
        raise BadProof(f"a tree of {second} leaves does not go on from one of {first}")
    begin, end, others = 0, second, list[tuple[int, int]]()
    while end != first:
        middle = begin + _left(end - begin)
        if first <= middle:
            others.append((middle, end))
            end = middle
        else:
            others.append((begin, middle))
            begin = middle
    # The first tree's own root is known to whoever asks; a part of it is not.
    if begin:
        others.append((begin, end))
    return [range_hash(*each, node) for each in reversed(others)]


def frontier_at(size: int, node: Node) -> list[bytes]:
    """The roots of the perfect subtrees that a tree of `size` leaves splits into, largest first."""
    return [node(level, begin >> level) for level, begin in _perfect(0, size)]


def range_hash(begin: int, end: int, node: Node) -> bytes:
    """The hash of the leaves `begin` to `end` (not included), where the tree of `end` leaves has a node for them."""
    hashes = [node(level, at >> level) for level, at in _perfect(begin, end)]
    computed = hashes.pop()
    while hashes:
        computed = node_hash(hashes.pop(), computed)
    return computed


def _perfect(begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The perfect subtrees, level and first leaf, that these leaves split into, largest first."""
    while begin < end:
        level = (end - begin).bit_length() - 1
        yield level, begin
        begin += 1 << level


def _left(count: int) -> int:
    """The largest power of two below `count`, which is at least 2."""
    return 1 << ((count - 1).bit_length() - 1)


def _check_hashes(*hashes: bytes) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise BadProof("a hash is not 32 octets long")
