"""Requests that wait for their signer's key."""

MAX_WAITING = 10_000

Place = tuple[str, int]
"""(source, index)."""


class Waiting:
    """Places of waiting requests by the identity they name; past the limit the identity asked for first goes."""

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self.limit = limit
        self._places: dict[str, list[Place]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, identity: str, source: str, index: int) -> None:
        """Note that a request waits for the key of `identity`."""
        self._places.setdefault(identity, []).append((source, index))
        self._count += 1
        while self._count > self.limit:
            oldest = next(iter(self._places))
            self._places[oldest].pop(0)
            self._count -= 1
            if not self._places[oldest]:
                del self._places[oldest]

    def take(self, identity: str) -> list[Place]:
        """The requests that waited for it, in the order they came; they wait no more."""
        places = self._places.pop(identity, [])
        self._count -= len(places)
        return places
