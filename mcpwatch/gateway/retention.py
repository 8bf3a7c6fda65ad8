"""How long entries are kept: the oldest tiles of the journal go, one at a time, when they are too old or too many."""

import math
import re
import time
from collections.abc import Callable

from msgspec import Struct

from mcpwatch.errors import UsageError
from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.hash_tree import TILE
from mcpwatch.gateway.store import Store

DAY = 86_400.0
PACE_SECONDS = 0.05
"""How long a journal that has nothing to write waits from one tile to the next."""
SMALLEST = 1 << 20
"""Octets that may be kept, at least."""

_SIZE = re.compile(r"([0-9]{1,9})([KMGT])?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Keep(Struct, frozen=True):
    """What is kept of a log; everything, unless told otherwise."""

    seconds: float = math.inf
    """An entry's age."""
    octets: float = math.inf
    """Of the leaves together. The hashes of entries stay when they go, 32 octets each."""

    @property
    def is_everything(self) -> bool:
        return self.seconds == self.octets == math.inf


EVERYTHING = Keep()


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
            self._dated = index, decode(leaf).time.timestamp()
        return self._dated[1]


def parse_days(text: str) -> float:
    """Seconds, from a number of days such as `30` or `0.5`; raises UsageError."""
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days < math.inf:
        raise UsageError(f"{text} is not a number of days", "Write it as --keep-days 30, or 0.5 for twelve hours.")
    return days * DAY


def parse_size(text: str) -> int:
    """Octets, from a size such as `500M` or `2G`, in powers of 1,024; raises UsageError."""
    found = _SIZE.fullmatch(text)
    octets = int(found[1]) * _UNITS[(found[2] or "").upper()] if found else 0
    if octets < SMALLEST:
        raise UsageError(f"{text} is not a size of at least 1M", "Write it as --keep-size 500M or 2G.")
    return octets
