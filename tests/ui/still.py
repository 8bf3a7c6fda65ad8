"""A watcher that reads no feed: its state is filled by the test, its clock is the test's."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from mcpwatch.detect.book import AlertBook
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, pins_path
from mcpwatch.model.identity import Resolution
from mcpwatch.model.trust import Standing
from mcpwatch.policy.policy import Policy
from mcpwatch.watch.act_store import FILE, ActStore
from mcpwatch.watch.acting import Acting, Post
from mcpwatch.watch.definition_trust import DefinitionTrust
from mcpwatch.watch.listener import Listener
from mcpwatch.watch.state import State
from mcpwatch.watch.watcher import Watcher

OPERATOR = AgentKey(bytes(range(32)))
"""Ann's key."""


class StillWatcher(Watcher):
    """State and alerts as given; acknowledgements and pinned keys go into real files."""

    def __init__(
        self, state: State, book: AlertBook, folder: Path, clock: Callable[[], float], definitions: DefinitionTrust
    ) -> None:
        self.state = state
        self.sources = tuple(state.feeds)
        self.author = "ann@desk"
        self.files = (("state", "state"), ("config", "config.toml"))
        self._book = book
        self._acts = ActStore(folder / FILE)
        self.posts: dict[str, Post] = {}
        self._acting = Acting(book, state, self._acts, lambda: OPERATOR, self.author, self.posts, clock)
        self._keys = self.key_book = KeyBook()
        self._pins = PinFile(pins_path(folder), self._keys)
        self._places = {Resolution.REGISTRY: "https://registry.example"}
        self.roots: tuple[str, ...] = ()
        self.filters: dict[str, str] = {}
        self.troubles: dict[str, str] = {}
        self._trust = None
        self.definitions = definitions
        self.role_of = Policy().role
        self.standings: dict[str, Standing] = {}
        self._clock = self._present = clock
        self.judged_again: list[set[str]] = []

    def trust(self, id: str) -> Standing:
        """What the test says of it."""
        return self.standings[id] if id in self.standings else super().trust(id)

    def _take_in_pins(self) -> None:
        self.judged_again.append(self._pins.refresh())

    async def run(self, listener: Listener | None = None, *, keys_s: float = 0.0) -> None:
        """Wait to be stopped."""
        await asyncio.Event().wait()
