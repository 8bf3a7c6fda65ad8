"""A watcher in a process of its own that says, batch by batch, what it was shown.

    python proving_watcher.py FEED TOKEN_FILE STATE

It subscribes as every watcher does, pins under STATE too, and prints `Shown` as a line of JSON whenever something
changed. `digest` runs over the index and leaf of every entry in the order shown, so it is that of the log's first
`count` entries only where each of them was shown once, in its place.
"""

import asyncio
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
from msgspec import Struct

from mcpwatch.feed.merkle import EMPTY_ROOT
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.secret import Secret

LOOK_S = 0.1


class Shown(Struct, frozen=True, kw_only=True):
    """What a watcher was shown so far, and how it says that the feed stands."""

    state: str
    detail: str
    count: int
    """Entries, those of gaps not among them."""
    digest: str
    announced: int
    """The log's size when it was joined."""
    verified: int
    root: str
    """Hex, of the log at `verified`."""
    gaps: tuple[tuple[int, int], ...]
    repeated: int
    reconnects: int


def digest_on(digest: bytes, index: int, leaf: bytes) -> bytes:
    """The digest once this entry was shown too."""
    return sha256(digest + index.to_bytes(8, "big") + leaf).digest()


class Showing:
    """Reads a source and says what it was shown."""

    def __init__(self, source: HttpSource) -> None:
        self._source = source
        self._count = 0
        self._digest = bytes(32)
        self._said: Shown | None = None

    async def read(self) -> None:
        async for batch in self._source.batches():
            for entry in batch:
                self._digest = digest_on(self._digest, entry.index, entry.leaf)
            self._count += len(batch)
            self.say()

    async def look(self) -> None:
        """Notice what comes of silence."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.say()

    def say(self) -> None:
        status = self._source.status
        checkpoint = status.checkpoint
        shown = Shown(
            state=status.state.value,
            detail=status.detail,
            count=self._count,
            digest=self._digest.hex(),
            announced=status.announced or 0,
            verified=status.verified_size,
            root=(checkpoint.root if checkpoint else EMPTY_ROOT).hex(),
            gaps=tuple((gap.first, gap.last) for gap in status.gaps),
            repeated=status.repeated,
            reconnects=status.reconnects,
        )
        if shown != self._said:
            self._said = shown
            print(msgspec.json.encode(shown).decode(), flush=True)


async def main(feed: str, token: Path, state: Path) -> None:
    showing = Showing(HttpSource(feed, Secret(token.read_text().strip()), state=state))
    looking = asyncio.create_task(showing.look())
    await showing.read()
    looking.cancel()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])))
