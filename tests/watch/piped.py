"""Real rooms behind a source that a test fills."""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

import msgspec
from build import START, Log
from msgspec import structs
from rpc import call

from mcpwatch.config import Config, WatchConfig
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import aip_headers
from mcpwatch.model.entries import Entry, Json, Request
from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher

ALICE, MALLORY = AgentKey(bytes(range(32))), AgentKey(bytes(range(1, 33)))


class ListSource:
    """Gives out prepared batches and then ends."""

    def __init__(self, *batches: Sequence[Entry], name: str = "") -> None:
        self.name = name
        self.address = "http://127.0.0.1:1"
        self.status = FeedStatus(name, self.address)
        self.closed = False
        self.entries = [entry for batch in batches for entry in batch]
        self._batches = batches

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """The batches, all of them proven at once."""
        for batch in self._batches:
            end = max((entry.index + 1 for entry in batch), default=self.status.next_index)
            self.status = structs.replace(
                self.status, state=FeedState.LIVE, next_index=end, verified_size=end, received=end
            )
            yield list(batch)

    async def close(self) -> None:
        self.closed = True


def watcher_on(state: Path, *sources: ListSource, author: str = "") -> Watcher:
    """A watcher of real rooms, whose clock stands at the newest entry; `author` is who acts."""
    now = max((entry.received for source in sources for entry in source.entries), default=START)
    return open_watcher(sources, state, Config(watch=WatchConfig(author=author)), clock=lambda: now)


async def watch(state: Path, entries: Sequence[Entry]) -> Watcher:
    """A watcher that has taken in these entries and is closed."""
    watcher = watcher_on(state, ListSource(entries))
    await watcher.run()
    await watcher.close()
    return watcher


def signed(
    log: Log,
    body: Json,
    *,
    key: AgentKey = ALICE,
    did: str = "",
    session: str = "",
    sent: Json = None,
    nonce: str = "",
) -> Entry:
    """A request signed with AIP over `body`; `sent` is what travels in its place."""
    octets = encode(body)
    did = did or key.did_key
    headers = aip_headers(key, "POST", "/mcp", octets, now=log.now, nonce=nonce or f"nonce-{log.next:08}", did=did)
    return log.request(octets if sent is None else encode(sent), headers=headers, session=session)


def encode(body: Json) -> bytes:
    """JSON as octets."""
    return msgspec.json.encode(body)


def again(log: Log, entry: Entry, session: str = "") -> Entry:
    """The very same signed request once more."""
    assert entry.record is not None and isinstance(entry.record.data, Request)
    return log.request(entry.record.data.body, headers=entry.record.data.headers, session=session)


def story() -> list[Entry]:
    """One honest call, one tampered with, one replayed, and one with a stranger's key in the same session."""
    log = Log()
    log.initialize("s1")
    honest = signed(log, call(1, "read", path="a.txt"), session="s1")
    signed(log, call(2, "read", path="b.txt"), sent=call(2, "read", path="B.txt"), session="s1")
    again(log, honest, "s1")
    signed(log, call(3, "read", path="c.txt"), key=MALLORY, session="s1")
    return log.entries
