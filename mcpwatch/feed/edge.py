"""The right edge of a log as it is read: where it ends, where it was last proven, and the leaves since."""

from collections import deque
from itertools import islice

from mcpwatch.feed.merkle import Frontier

REMEMBERED = 8_192
"""Leaf hashes kept, to tell an entry that came again from one that was changed."""


class Edge:
    """The frontier at the end of what was read, and at any size between the last proof and there."""

    def __init__(self) -> None:
        self._now = Frontier()
        self._proven = Frontier()
        self._recent: deque[bytes] = deque(maxlen=REMEMBERED)

    @property
    def size(self) -> int:
        """Entries of the log up to here."""
        return self._now.size

    @property
    def proven(self) -> int:
        """Entries of the log up to where it was last proven, or gone on from."""
        return self._proven.size

    def root(self) -> bytes:
        """The root of the tree over all entries up to here."""
        return self._now.root()

    def append(self, leaf_hash: bytes) -> None:
        """Go on by one entry."""
        self._now.append(leaf_hash)
        self._recent.append(leaf_hash)

    def remembers(self, index: int, leaf_hash: bytes) -> bool | None:
        """Whether entry `index`, which was read, has this hash; None when it lies too far back to say."""
        back = self.size - index
        return self._recent[-back] == leaf_hash if 0 < back <= len(self._recent) else None

    def at(self, size: int) -> Frontier | None:
        """The frontier when the log had `size` entries, of the proven ones or more; None when it lies too far back."""
        if size == self.size:
            return self._now.copy()
        skip = len(self._recent) - (self.size - self._proven.size)
        if skip < 0 or size < self._proven.size:
            return None
        frontier = self._proven.copy()
        for leaf_hash in islice(self._recent, skip, skip + size - frontier.size):
            frontier.append(leaf_hash)
        return frontier

    def prove(self, frontier: Frontier) -> None:
        """Take a frontier that `at` gave as proven."""
        self._proven = frontier

    def leap(self, frontier: Frontier) -> None:
        """Go on from a frontier whose entries were not read."""
        self._now = frontier
        self._proven = frontier.copy()
        self._recent.clear()
