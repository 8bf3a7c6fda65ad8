"""Open calls by a key of their own: a JSON-RPC id or a progress token, apart for the two directions."""

from typing import Final

from mcpwatch.model.traffic import Call, Direction

_TO_SERVER = Direction.TO_SERVER
Key = str | int

MAX_SAME: Final = 64
"""Calls held under one key; past it the oldest is found by its exchange only."""

MAX_DIGITS: Final = 20
"""Characters of a text that may be read as a whole number."""


class Pending:
    """Open calls of one session; several may share a key, since some clients use one id for everything."""

    __slots__ = ("_calls",)

    def __init__(self) -> None:
        self._calls: dict[tuple[bool, Key], list[Call]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._calls.values()))

    def add(self, key: Key, call: Call) -> None:
        """Put a call under `key`."""
        calls = self._calls.setdefault((call.direction is _TO_SERVER, key), [])
        calls.append(call)
        if len(calls) > MAX_SAME:
            del calls[0]

    def remove(self, key: Key, call: Call) -> None:
        """Take a call out again; nothing happens where it is not there."""
        place = (call.direction is _TO_SERVER, key)
        calls = self._calls.get(place)
        if calls is None:
            return
        if len(calls) == 1 and calls[0] is call:
            del self._calls[place]
        elif kept := [other for other in calls if other is not call]:
            self._calls[place] = kept

    def find(self, direction: Direction, key: Key) -> list[Call]:
        """Calls of that direction under `key`, oldest first; where there are none, those under its other spelling."""
        to_server = direction is _TO_SERVER
        calls = self._calls.get((to_server, key))
        if calls is None and (other := respelled(key)) is not None:
            calls = self._calls.get((to_server, other))
        return calls or []


def respelled(key: Key) -> Key | None:
    """`7` for `"7"` and the other way round, which the official clients take for one; None for any other text."""
    if isinstance(key, int):
        return str(key)
    try:
        return int(key) if len(key) <= MAX_DIGITS else None
    except ValueError:
        return None
