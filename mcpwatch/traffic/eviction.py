"""A bounded dictionary that gives up what is finished before what still runs."""

from collections import OrderedDict
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class EvictingTable(Generic[K, V]):
    """At most `limit` items; past it the one finished longest ago goes, else the one put or touched longest ago.

    `evicted` counts what went.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.items: OrderedDict[K, V] = OrderedDict()
        self.evicted = 0
        self._finished: OrderedDict[K, None] = OrderedDict()

    def put(self, key: K, value: V) -> V | None:
        """Add an item; returns the one that had to go, if any."""
        gone = self._evict() if len(self.items) >= self.limit and key not in self.items else None
        self.items[key] = value
        return gone

    def touch(self, key: K) -> None:
        """Make an item the last in line to go."""
        if key in self.items:
            self.items.move_to_end(key)

    def finish(self, key: K) -> None:
        """Say that an item is over."""
        if key in self.items:
            self._finished[key] = None

    def revive(self, key: K) -> None:
        """Say that an item that was over goes on."""
        self._finished.pop(key, None)

    def remove(self, key: K) -> None:
        """Take an item out."""
        self.items.pop(key, None)
        self._finished.pop(key, None)

    def _evict(self) -> V | None:
        self.evicted += 1
        key = next(iter(self._finished or self.items))
        self._finished.pop(key, None)
        return self.items.pop(key)
