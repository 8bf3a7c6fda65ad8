"""How long entries are kept: the oldest tiles of the journal go, one at a time, when they are too old or too many."""

import time
from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from mcpwatch.gateway.hash_tree import TILE
from mcpwatch.gateway.keep import Keep
from mcpwatch.gateway.store import Store

PACE_SECONDS = 0.05
"""How long a journal that has nothing to write waits from one tile to the next."""


class _Dated(Struct, frozen=True):
    """All that has to be read of an entry; the rest may be of another version's making."""

    time: datetime


class Retention:
    """Lets tiles of a journal go; belongs to the thread that writes it."""

    def __init__(self, store: Store, keep: Keep, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._keep = keep
        self._clock = clock
        self._dated = -1, 0.0
        """Index of the last tile that was looked into, and the time of its newest entry."""

    @property
    def due(self) -> bool:
        """Whether the oldest tile is to go; never what no checkpoint covers, nor the newest entry."""
        store = self._store
        end = store.oldest + TILE
        if self._keep.is_everything or end > store.signed or end >= store.size:
            return False
        return store.octets > self._keep.octets or self._clock() - self._newest_time(end - 1) > self._keep.seconds

    def step(self) -> bool:
        """Let one tile go if it is due; whether the next one is. Raises as `Store.remove_tile` does."""
        if not self.due:
            return False
        self._store.remove_tile()
        self._store.shrink()
        return self.due

    def _newest_time(self, index: int) -> float:
        if self._dated[0] != index:
            ((_, leaf),) = self._store.leaves(index, index + 1, 0)
            self._dated = index, msgspec.json.decode(leaf, type=_Dated).time.timestamp()
        return self._dated[1]
