"""Requests that wait for a key."""

import asyncio
from collections import deque
from collections.abc import Iterable

MAX_WAITING = 50_000
"""As many as the rows kept by default: a registry that takes 120 questions a minute has many requests wait."""
MAX_UNNAMED = 500
_LOOK_S = 0.05

Place = tuple[str, int]
"""(source, index)."""


class Waiting:
    """Places of waiting requests by the identity whose key they wait for; past the limit the oldest is given up.

    A request with several signatures may wait for one that its verdict does not name: such go under the empty
    identity and are given out whenever any identity is settled.
    """

    def __init__(self, limit: int = MAX_WAITING, unnamed_limit: int = MAX_UNNAMED) -> None:
        self.limit = limit
        self.unnamed_limit = unnamed_limit
        self._places: dict[str, deque[Place]] = {}
        self._unnamed: deque[Place] = deque()
        self._given_up: list[Place] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count + len(self._unnamed)

    def add(self, identity: str, place: Place) -> None:
        """Note that a request waits for the key of `identity`: a DID, or a DID URL."""
        if not identity:
            self._unnamed.append(place)
            if len(self._unnamed) > self.unnamed_limit:
                self._given_up.append(self._unnamed.popleft())
            return
        self._places.setdefault(_base(identity), deque()).append(place)
        self._count += 1
        if self._count > self.limit:
            self._count -= 1
            oldest, places = next(iter(self._places.items()))
            self._given_up.append(places.popleft())
            if not places:
                del self._places[oldest]

    def take(self, identities: Iterable[str]) -> list[Place]:
        """The requests that waited for them, of each in the order they came, and the unnamed; they wait no more."""
        places = [place for identity in identities for place in self._places.pop(_base(identity), ())]
        self._count -= len(places)
        places += self._unnamed
        self._unnamed.clear()
        return places

    async def emptied(self, judging: asyncio.Lock) -> None:
        """Return once nothing waits; `judging` is held while what waited is judged again, and may wait once more."""
        while True:
            async with judging:
                if not len(self):
                    return
            await asyncio.sleep(_LOOK_S)

    def given_up(self) -> list[Place]:
        """The requests that had to make room since this was asked; no key that comes gives them out any more."""
        if not self._given_up:
            return []
        given_up, self._given_up = self._given_up, []
        return given_up


def _base(identity: str) -> str:
    return identity.partition("#")[0]
