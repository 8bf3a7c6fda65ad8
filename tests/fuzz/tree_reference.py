"""Merkle trees a second time: the recursive definitions of RFC 9162, section 2.1, over all leaves."""

from collections.abc import Sequence
from hashlib import sha256

Leaves = Sequence[bytes]


def tree_hash(leaves: Leaves) -> bytes:
    """MTH(D[n]), section 2.1.1."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


def inclusion(m: int, leaves: Leaves) -> list[bytes]:
    """PATH(m, D[n]), section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*inclusion(m, leaves[:k]), tree_hash(leaves[k:])]
    return [*inclusion(m - k, leaves[k:]), tree_hash(leaves[:k])]


def consistency(m: int, leaves: Leaves, whole: bool = True) -> list[bytes]:
    """PROOF(m, D[n]), section 2.1.4.1: SUBPROOF(m, D[n], true)."""
    if m == len(leaves):
        return [] if whole else [tree_hash(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*consistency(m, leaves[:k], whole), tree_hash(leaves[k:])]
    return [*consistency(m - k, leaves[k:], False), tree_hash(leaves[:k])]


def included(leaf: bytes, m: int, n: int, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to from a leaf's hash; None where its length is not that of such a tree's paths."""
    if n == 1:
        return None if path else leaf
    if not path:
        return None
    k = split(n)
    *lower, last = path
    below = included(leaf, m, k, lower) if m < k else included(leaf, m - k, n - k, lower)
    if below is None:
        return None
    return sha256(b"\x01" + (below + last if m < k else last + below)).digest()


def grown(m: int, n: int, path: Sequence[bytes], first: bytes | None) -> tuple[bytes, bytes] | None:
    """The two roots that a consistency path leads to; `first` is the root that the path leaves out, while it does.

    None where the path's length is not that of such trees' paths.
    """
    if m == n:
        if first is not None:
            return None if path else (first, first)
        return (path[0], path[0]) if len(path) == 1 else None
    if not path:
        return None
    k = split(n)
    *lower, last = path
    if m <= k:
        roots = grown(m, k, lower, first)
        return None if roots is None else (roots[0], sha256(b"\x01" + roots[1] + last).digest())
    roots = grown(m - k, n - k, lower, None)
    return (
        None
        if roots is None
        else (sha256(b"\x01" + last + roots[0]).digest(), sha256(b"\x01" + last + roots[1]).digest())
    )


def split(n: int) -> int:
    """The largest power of two smaller than n."""
    k = 1
    while 2 * k < n:
        k *= 2
    return k
