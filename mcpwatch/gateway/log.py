"""The signed log: entries in, checkpoints over what is on the disk, and news for the watchers."""

import asyncio
import contextlib
import time

from mcpwatch.feed.note import LogKey
from mcpwatch.gateway.journal import Batch, Journal, Unwritable
from mcpwatch.gateway.keep import EVERYTHING, Keep
from mcpwatch.gateway.ring import Note, Ring, note_frame
from mcpwatch.gateway.store import Store
from mcpwatch.model.entries import Data, GatewayStarted, GatewayStopped
from mcpwatch.text import count

CHECKPOINT_ENTRIES = 256
"""Entries without a checkpoint that call for one at once."""
CHECKPOINT_SECONDS = 0.25
"""How long an entry waits for its checkpoint."""
IDLE_SECONDS = 5.0
"""How long the newest checkpoint stands before the next, entries or not: the feed's heartbeat."""


FULL = "the disk of the journal is full"
"""Why a log says that it stops."""


class Log:
    """One gateway's log while it runs. All of it belongs to the event loop's thread."""

    def __init__(self, key: LogKey, store: Store, started: GatewayStarted, keep: Keep = EVERYTHING) -> None:
        """Go on with the journal in `store`; `started` is the entry this run begins with."""
        self.key = key
        self.store = store
        self.frontier = store.frontier.copy()
        """Of the entries that are on the disk; only these are signed for and shown."""
        self.ring = Ring(self.frontier.size)
        self.closed = False
        """No entry and no checkpoint will follow."""
        self._started = started
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._news: set[asyncio.Future[None]] = set()
        self._serial = 0
        self._signed = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.journal = Journal(store, key.origin, self._durable, self._full, keep)
        self.note = self._sign()
        self.note_frontier = self.frontier.copy()
        """As it stood when `note` was signed."""
        self.append(started)

    @property
    def size(self) -> int:
        """How many entries can be shown."""
        return self.frontier.size

    @property
    def trouble(self) -> str:
        """Why the journal cannot be written; empty while it can."""
        return self.journal.trouble

    @property
    def signed_ago(self) -> float:
        """Seconds since the newest checkpoint."""
        return self._loop.time() - self._signed

    def append(self, data: Data) -> int:
        """Log `data` and return its index; raises as `Journal.append` does."""
        return self.journal.append(data)

    async def sign_now(self) -> None:
        """Return when all that was appended so far is on the disk and signed for."""
        await self.journal.flush()
        if self.note.size < self.frontier.size:
            self.checkpoint()

    async def news(self) -> None:
        """Return when entries or a checkpoint came, or the log was closed, after this call."""
        waiter: asyncio.Future[None] = self._loop.create_future()
        self._news.add(waiter)
        try:
            await waiter
        finally:
            self._news.discard(waiter)

    async def close(self, reason: str, patience: float) -> None:
        """Log the end, sign for all there is, and stop writing; waits `patience` seconds for a disk in trouble."""
        self._closing = True
        self.journal.resume()
        self._declare_hole()
        with contextlib.suppress(TimeoutError, Unwritable):
            async with asyncio.timeout(patience):
                self.append(GatewayStopped(reason=reason))
                await self.journal.flush()
        self.closed = True
        self.checkpoint()
        if self._timer is not None:
            self._timer.cancel()
        await self.journal.close()

    def checkpoint(self) -> None:
        """Sign for what is on the disk and tell the watchers."""
        self.note = self._sign()
        self.note_frontier = self.frontier.copy()
        self._tell()

    def _sign(self) -> Note:
        size = self.frontier.size
        text = self.key.sign_checkpoint(size, self.frontier.root(), int(time.time()))
        self._serial += 1
        self._signed = self._loop.time()
        note = Note(size=size, text=text, frame=note_frame(text), serial=self._serial)
        self.ring.notes[size] = note
        self.journal.keep(size, text)
        self._sign_in(IDLE_SECONDS)
        return note

    def _sign_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self.checkpoint)

    def _durable(self, batch: Batch) -> None:
        covered_before = self.note.size == self.frontier.size
        self.frontier = batch.frontier
        for index, leaf in batch.leaves:
            self.ring.add(index, leaf)
        if self.size - self.note.size >= CHECKPOINT_ENTRIES:
            self.checkpoint()
        else:
            if covered_before:
                self._sign_in(CHECKPOINT_SECONDS)
            self._tell()
        if not self._closing:
            self._declare_hole()

    def _full(self, full: bool) -> None:
        """Say in the log that it stops for want of room, as the last that is written, and that it goes on."""
        with contextlib.suppress(Unwritable):
            if full:
                self.journal.append(GatewayStopped(reason=FULL), is_missed=False)
            elif not self._closing:
                self.journal.append(self._started, is_missed=False)
        if full:
            self.journal.hold()

    def _declare_hole(self) -> None:
        """Say in the log that it missed some of what happened, once it can be said."""
        if self.journal.refused:
            reason = f"{count(self.journal.refused, 'entry')} lost while the journal could not be written"
            with contextlib.suppress(Unwritable):
                self.journal.append(GatewayStopped(reason=reason), is_missed=False)
                self.journal.append(self._started, is_missed=False)
                self.journal.refused = 0

    def _tell(self) -> None:
        for waiter in self._news:
            if not waiter.done():
                waiter.set_result(None)
