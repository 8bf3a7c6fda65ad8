"""The requests that came before this run, from the log: signed ones must not pass again after a restart."""

from collections.abc import Iterable, Iterator

from msgspec import Struct

from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.store import Store
from mcpwatch.model.entries import Request

MAX_ENTRIES = 50_000
"""The newest ones that are looked through, which takes about a second."""
_BLOCK = 1_000
_OCTETS = 1 << 24


class Past(Struct, frozen=True):
    """A request of an earlier run."""

    index: int
    request: Request
    time: float
    """Seconds since the epoch."""

    @property
    def size(self) -> int:
        """Octets of body that are held of it, about."""
        body = self.request.body
        return len(body.text or body.base64 or "") if body is not None else 0


class Recalled(Struct, frozen=True):
    """The requests since some time."""

    requests: Iterable[Past]
    """In order, read as they are asked for."""
    missing_until: float | None = None
    """The time before which there may be more of them that were not looked for; None where these are all."""


def recall(store: Store, since: float, limit: int = MAX_ENTRIES) -> Recalled:
    """The requests that came at `since` or later, seconds since the epoch, among the newest `limit` entries."""
    size = first = store.frontier.size
    last = max(size - limit, store.oldest)
    time = since
    while first > last and time >= since:
        first = max(first - _BLOCK, last)
        ((_, leaf),) = store.leaves(first, first + 1, _OCTETS)
        time = decode(leaf).time.timestamp()
    return Recalled(_read(store, first, size, since), time if first and time >= since else None)


def _read(store: Store, first: int, end: int, since: float) -> Iterator[Past]:
    """The requests among some entries, a few entries at a time: what agents sent may be large."""
    while first < end:
        leaves = store.leaves(first, end, _OCTETS)
        for index, leaf in leaves:
            record = decode(leaf)
            time = record.time.timestamp()
            if time >= since and isinstance(record.data, Request):
                yield Past(index, record.data, time)
        first += len(leaves)
