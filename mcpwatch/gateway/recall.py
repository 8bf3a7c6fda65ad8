"""The requests that came before this run, from the log: signed ones must not pass again after a restart."""

from msgspec import Struct

from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.store import Store
from mcpwatch.model.entries import Request

MAX_ENTRIES = 50_000
"""The newest ones that are looked through, which takes about a second."""
_BLOCK = 1_000
_OCTETS = 1 << 30


class Past(Struct, frozen=True):
    """A request of an earlier run."""

    index: int
    request: Request
    time: float
    """Seconds since the epoch."""


class Recalled(Struct, frozen=True):
    """The requests since some time, in order."""

    requests: list[Past]
    missing_until: float | None = None
    """The time before which there may be more of them that were not looked for; None where these are all."""


def recall(store: Store, since: float, limit: int = MAX_ENTRIES) -> Recalled:
    """The requests that came at `since` or later, seconds since the epoch, among the newest `limit` entries."""
    found: list[Past] = []
    size = end = store.frontier.size
    time = since
    while end > max(size - limit, 0):
        first = max(end - _BLOCK, size - limit, 0)
        block: list[Past] = []
        for index, leaf in reversed(store.leaves(first, end, _OCTETS)):
            record = decode(leaf)
            time = record.time.timestamp()
            if time < since:
                return Recalled([*reversed(block), *found])
            if isinstance(record.data, Request):
                block.append(Past(index, record.data, time))
        found[:0] = reversed(block)
        end = first
    return Recalled(found, time if end else None)
