"""The Merkle tree of RFC 6962, section 2.1, kept as its right edge only."""

from collections.abc import Sequence
from hashlib import sha256

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf: SHA-256(0x00 || leaf), 32 octets."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node: SHA-256(0x01 || left || right), 32 octets."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The roots of the perfect subtrees a tree of `size` leaves splits into, largest first.

    There is one for each bit set in `size`: at most 64 hashes stand for any log, appending costs two
    hashes on average, and the tree's root can be computed at any time.
    """

    __slots__ = ("_hashes", "size")

    def __init__(self) -> None:
        self.size = 0
        self._hashes: list[bytes] = []

    @classmethod
    def load(cls, size: int, hashes: Sequence[bytes]) -> "Frontier":
        """A frontier from its parts; they prove nothing until `root` is compared with a signed one.

        Raises ValueError unless there are as many hashes, of 32 octets each, as bits set in `size`.
        """
        if size < 0 or len(hashes) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves does not have {len(hashes)} frontier hashes")
        if any(len(each) != HASH_SIZE for each in hashes):
            raise ValueError("a frontier hash is not 32 octets long")
        loaded = cls()
        loaded.size = size
        loaded._hashes = [bytes(each) for each in hashes]
        return loaded

    def append(self, leaf_hash: bytes) -> None:
        """Add the leaf whose hash is `leaf_hash`, 32 octets."""
        hashes, rest = self._hashes, self.size
        while rest & 1:
            leaf_hash = node_hash(hashes.pop(), leaf_hash)
            rest >>= 1
        hashes.append(leaf_hash)
        self.size += 1

    def root(self) -> bytes:
        """The Merkle tree hash of all leaves so far, 32 octets."""
        if not self._hashes:
            return EMPTY_ROOT
        root = self._hashes[-1]
        for left in self._hashes[-2::-1]:
            root = node_hash(left, root)
        return root

    def hashes(self) -> tuple[bytes, ...]:
        """The frontier itself, largest subtree first."""
        return tuple(self._hashes)

    def copy(self) -> "Frontier":
        """A frontier that goes its own way from here."""
        return Frontier.load(self.size, self._hashes)
