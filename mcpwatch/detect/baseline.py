"""What a legacy session began with, to hold later requests against."""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from mcpwatch.detect.recent import Recent
from mcpwatch.model.traffic import CallState, Observation, Session, SessionKey, SessionKind

_LEGACY = SessionKind.LEGACY
T = TypeVar("T")
_OPENING = 2_000


class Known(NamedTuple, Generic[T]):
    """A request in a known session."""

    key: SessionKey
    session: Session
    first: T
    """What the session began with."""
    since: int
    """Entry that says so."""
    value: T
    """What this request has."""
    here: int
    """This request's index."""


class Baseline(Generic[T]):
    """`read` of the request that opened each legacy session; of the first one seen where the opening was missed.

    The request that opens a session does not carry its id, so what it had waits until an answer brings the
    session. An `initialize` that carries the id of a live session is held against that session first, and opens it
    anew once it is answered.
    """

    def __init__(self, read: Callable[[Observation], T], limit: int) -> None:
        self._read = read
        self._opening: Recent[tuple[str, int], T] = Recent(_OPENING)
        self._first: Recent[SessionKey, tuple[T, int]] = Recent(limit)

    def compare(self, seen: Observation) -> Known[T] | None:
        """This request beside the session's first one; None where there is nothing to compare, or both are the same."""
        exchange, session = seen.exchange, seen.session
        if exchange is None:
            return None
        if seen.kind != "request":
            if seen.updated and self._opening and session is not None and session.kind is _LEGACY:
                self._settle(seen, exchange.index, session)
            return None
        if seen.request is None:
            return None
        value = self._read(seen)
        opening = opens(seen)
        if opening:
            self._opening.put((seen.source, seen.index), value)
        if session is None or session.kind is not _LEGACY:
            return None
        place = (seen.source, session.key)
        first = self._first.get(place)
        if first is None:
            if not opening:
                self._first.put(place, (value, seen.index))
            return None
        if first[0] == value:
            return None
        return Known(place, session, first[0], first[1], value, seen.index)

    def learn(self, known: Known[T]) -> None:
        """Let this request be what later ones are held against."""
        self._first.put(known.key, (known.value, known.here))

    def _settle(self, seen: Observation, exchange: int, session: Session) -> None:
        if any(call.method == "initialize" and call.state is CallState.DONE for call in seen.updated):
            value = self._opening.pop((seen.source, exchange))
            if value is not None:
                self._first.put((seen.source, session.key), (value, exchange))


def opens(seen: Observation) -> bool:
    """Whether a request asks for a session."""
    return any(call.method == "initialize" for call in seen.opened)
