"""The replay window: which signed octets came before, in a fixed amount of memory."""

import os
from array import array
from hashlib import blake2b

from msgspec import Struct

CAPACITY = 200_000
_EMPTY = 0
_NEVER = float("-inf")
_INDEX_BITS = 48
_INDEX_MASK = (1 << _INDEX_BITS) - 1


class Sighting(Struct, frozen=True, gc=False):
    """What the window knows about signed octets."""

    first: int | None = None
    """Index of the request that brought them first; None when this one does."""
    source: str = ""
    """The feed that request was on."""
    decidable: bool = True
    """False when an earlier one may have been forgotten."""


_NEW = Sighting()
_MAYBE = Sighting(decidable=False)


class _Half:
    """A hash table of fixed size: tag to place, both 64 bits, open addressing."""

    __slots__ = ("count", "mask", "newest", "places", "tags")

    def __init__(self, capacity: int) -> None:
        slots = 1 << (2 * capacity).bit_length()
        self.tags = array("Q", (0,)) * slots
        self.places = array("Q", (0,)) * slots
        self.mask = slots - 1
        self.count = 0
        self.newest = _NEVER
        """The latest time of a request in it."""

    def slot(self, tag: int) -> int:
        """Where `tag` is, or would go."""
        tags, mask = self.tags, self.mask
        slot = tag & mask
        while (found := tags[slot]) != tag and found != _EMPTY:
            slot = (slot + 1) & mask
        return slot


class ReplayWindow:
    """Remembers at least the newest `capacity` / 2 signed messages, at most `capacity`, with who brought them first.

    A message is known by its key and signed octets, the nonce being among them, and never by its signature: a signer
    can make many signatures of one message. When the memory is full its older half goes; a message that may have
    been in there is undecidable.
    """

    def __init__(self, capacity: int = CAPACITY, *, by_index: bool = True) -> None:
        """`by_index`: of two requests of one source the one with the lower index came first, whichever is seen first.

        Where a request is acted on as soon as it is judged it must be False: then the one that is seen first is first.
        """
        self._by_index = by_index
        self._half = max(1, capacity // 2)
        self._young = _Half(self._half)
        self._old = _Half(self._half)
        self._hash = blake2b(digest_size=8, key=os.urandom(16))
        self._sources: dict[str, int] = {}
        self._names: list[str] = []
        self.forgotten_until = _NEVER
        """The latest time of a request that was forgotten, seconds since the epoch."""

    def see(
        self, key: bytes, signed: bytes, index: int, now: float, *, since: float | None, source: str = ""
    ) -> Sighting:
        """Note that request `index` of `source` brought these octets at `now`.

        `since` is the earliest time the message can have come, None when nothing says. Seeing the same request again
        is no replay; when an earlier one of the same source comes after a later one, it takes its place.
        """
        tag = self._tag(key, signed)
        place = (self._number(source) << _INDEX_BITS) | (index & _INDEX_MASK)
        for half in (self._young, self._old):
            if not half.count:
                continue
            slot = half.slot(tag)
            if half.tags[slot] == tag:
                first = half.places[slot]
                if (
                    first >> _INDEX_BITS != place >> _INDEX_BITS
                    or first < place
                    or not (self._by_index or first == place)
                ):
                    return Sighting(first & _INDEX_MASK, self._names[first >> _INDEX_BITS])
                half.places[slot] = place
                break
        else:
            self._put(tag, place, now)
        forgotten = self.forgotten_until
        return _NEW if forgotten == _NEVER or (since is not None and since > forgotten) else _MAYBE

    def _put(self, tag: int, place: int, now: float) -> None:
        if self._young.count >= self._half:
            if self._old.count:
                self.forgotten_until = max(self.forgotten_until, self._old.newest)
            self._old, self._young = self._young, _Half(self._half)
        young = self._young
        slot = young.slot(tag)
        young.tags[slot] = tag
        young.places[slot] = place
        young.count += 1
        young.newest = max(young.newest, now)

    def _tag(self, key: bytes, signed: bytes) -> int:
        """64 bits that nobody outside can aim at, the hash being keyed; never 0. `key` is of fixed length."""
        hashed = self._hash.copy()
        hashed.update(key + signed)
        return int.from_bytes(hashed.digest(), "big") or 1

    def _number(self, source: str) -> int:
        number = self._sources.get(source)
        if number is None:
            number = self._sources[source] = len(self._names)
            self._names.append(source)
        return number
