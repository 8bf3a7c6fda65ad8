"""A watcher for tests: reads a feed from the socket and proves it with the log reader."""

import asyncio
import json
from pathlib import Path
from time import monotonic

from rig import PATIENCE, Reply, Talk, connect, fetch, get

from mcpwatch.feed.log import LogReader
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.sse import SseReader
from mcpwatch.model.entries import Entry


def bearer(token: str) -> bytes:
    return b"Authorization: Bearer " + token.encode()


async def ask(address: str, token: str, target: bytes = b"/v1/checkpoint") -> Reply:
    """A plain GET of the feed's listener."""
    return await fetch(address, get(bearer(token), target=target))


def token_of(state: Path) -> str:
    return (state / "gateway" / "feed.token").read_text().strip()


class Watcher:
    """Follows one log over as many connections as it takes, as real watchers do."""

    def __init__(self) -> None:
        self.reader: LogReader | None = None
        self.entries: list[Entry] = []
        self._talk: Talk | None = None
        self._events = SseReader()

    @property
    def verified(self) -> int:
        return self.reader.status.verified_size if self.reader else 0

    async def connect(self, address: str, token: str) -> None:
        """Open the stream where the last one ended."""
        about = json.loads((await ask(address, token)).body)
        verifier = NoteVerifier(*about["keys"])
        if self.reader is None:
            self.reader = LogReader(verifier=verifier)
        assert self.reader.status.origin == about["origin"]
        self.reader.join(verifier.open(about["note"].encode()), (), about["oldest"], monotonic())
        resume = [b"Last-Event-ID: %d" % (self.reader.status.next_index - 1)] if self.reader.status.next_index else []
        self._talk = await connect(address)
        self._events = SseReader()
        await self._talk.send(get(bearer(token), *resume, target=b"/v1/feed"))
        head = await self._talk.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        self.reader.connected(monotonic())

    async def read(self) -> bool:
        """Take in one chunk; False at the end of the stream."""
        assert self._talk is not None
        assert self.reader is not None
        chunk = await self._talk.chunk()
        for frame in self._events.feed(chunk):
            self.entries += self.reader.take(frame, monotonic())
        return bool(chunk)

    async def until(self, verified: int) -> None:
        """Read until that many entries are proven."""
        async with asyncio.timeout(PATIENCE):
            while self.verified < verified:
                assert await self.read(), "the stream ended"

    async def drain(self) -> None:
        """Read until the stream ends or breaks off."""
        try:
            while await self.read():
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    def close(self) -> None:
        if self._talk is not None:
            self._talk.writer.close()
