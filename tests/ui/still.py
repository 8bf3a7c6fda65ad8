"""A watcher that reads no feed: its state is filled by the test, its clock is the test's."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from mcpwatch.detect.book import AlertBook
from mcpwatch.watch.acks import AckStore
from mcpwatch.watch.pipeline import Listener
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher


class StillWatcher(Watcher):
    """State and alerts as given; acknowledgements go into a real store."""

    def __init__(self, state: State, book: AlertBook, acks: Path, clock: Callable[[], float]) -> None:
        self.state = state
        self.sources = tuple(state.feeds)
        self.author = "ann@desk"
        self.files = (("state", "state"), ("config", "config.toml"))
        self._book = book
        self._acks = AckStore(acks)
        self._clock = clock

    async def run(self, listener: Listener | None = None) -> None:
        """Wait to be stopped."""
        await asyncio.Event().wait()
