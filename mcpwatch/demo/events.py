"""What the demo says of itself while it runs."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct

REMEMBERED = 1_000
"""Acts that nobody has asked for yet."""


class ActEvent(Struct, frozen=True):
    """An act began, or failed."""

    act: str
    shows: str
    failed: str = ""
    """Why, when it failed."""


class ActEvents:
    """Takes in what the agents say as they say it, since a full pipe would hold them up, and keeps the newest."""

    def __init__(self, lines: AsyncIterator[bytes]) -> None:
        self._held: deque[ActEvent] = deque(maxlen=REMEMBERED)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read(lines))
        self._task.add_done_callback(lambda _: self._news.set())

    async def events(self) -> AsyncIterator[ActEvent]:
        """What was said and not yet asked for, and then what comes, until there is nothing more."""
        while True:
            self._news.clear()
            while self._held:
                yield self._held.popleft()
            if self._task.done():
                return
            await self._news.wait()

    @property
    def newest(self) -> ActEvent | None:
        """What was said last and not asked for."""
        return self._held[-1] if self._held else None

    async def ended(self) -> None:
        """Wait until there is nothing more."""
        await asyncio.wait({self._task})

    async def _read(self, lines: AsyncIterator[bytes]) -> None:
        async for line in lines:
            self._held.append(msgspec.json.decode(line, type=ActEvent))
            self._news.set()
