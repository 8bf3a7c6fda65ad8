"""Where entries come from: the one shape that every kind of feed has for the rest of the watcher."""

import time
from collections.abc import AsyncGenerator, Callable
from typing import Protocol

from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import FeedStatus

Clock = Callable[[], float]
"""Seconds since the epoch."""


class Source(Protocol):
    """A feed being watched."""

    name: str
    """What the operator calls it."""
    address: str

    @property
    def status(self) -> FeedStatus:
        """How the feed stands at this moment."""

    def batches(self) -> AsyncGenerator[list[Entry], None]:
        """Entries in order of their index, as they arrive; an empty list when only the status changed.

        Ends when nothing more can come; whatever the other end does, it does not raise.
        """

    async def close(self) -> None:
        """Stop, and let `batches` end."""


def steady_clock() -> Clock:
    """A clock that reads the epoch once and then only runs forward, whatever is done to the system's."""
    start = time.time() - time.monotonic()
    return lambda: start + time.monotonic()
