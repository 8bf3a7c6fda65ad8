"""The journal: entries get their index at once and reach the disk a moment later, several to a commit."""

import asyncio
import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from queue import Empty, SimpleQueue

from msgspec import Struct

from mcpwatch.feed.envelope import MAX_LEAF, encode, seal
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.gateway.hash_tree import Node, completed
from mcpwatch.gateway.keep import Keep
from mcpwatch.gateway.reserve import Reserve
from mcpwatch.gateway.retention import PACE_SECONDS, Retention
from mcpwatch.gateway.store import Leaf, SizedNote, Store
from mcpwatch.gateway.tally import Times
from mcpwatch.model.entries import Data

GROUP_SECONDS = 0.004
"""How long a commit waits for more entries to join it."""
RETRY_SECONDS = 1.0
"""How long after a commit failed the next try comes."""
MAX_BACKLOG = 64 * 1024 * 1024
"""Octets of leaves that may wait for the disk."""

logger = logging.getLogger(__name__)


class TooLarge(Exception):
    """The entry's leaf is larger than a feed may carry."""


class Unwritable(Exception):
    """The disk does not keep up; the entry was not taken."""


class Batch(Struct, frozen=True):
    """Entries that are on the disk as of now."""

    leaves: Sequence[Leaf]
    frontier: Frontier
    """Of the whole log up to and with them."""


class Journal:
    """The one writer of a log, on a thread of its own; all methods belong to the event loop's thread."""

    def __init__(
        self, store: Store, origin: str, durable: Callable[[Batch], None], full: Callable[[bool], None], keep: Keep
    ) -> None:
        """`durable` is called in the loop with what has reached the disk, in order.

        `full` is called there with True when the last room on the disk is in use, and with False when there is more.
        """
        self.trouble = ""
        """Why the newest commit failed; empty while all is well."""
        self.refused = 0
        """Entries not taken, and not yet declared as lost."""
        self.lost = 0
        """Entries not taken in this run."""
        self.backlog = 0
        """Octets of leaves that wait for the disk."""
        self.waiting = 0
        """Those leaves."""
        self.written = 0
        """Octets of leaves that reached the disk in this run."""
        self.failures = 0
        """Commits that failed."""
        self.commits = Times()
        """Of those that did not."""
        self._unremovable = ""
        self._is_full = False
        self._store = store
        self._origin = origin
        self._durable = durable
        self._full = full
        self._retention = Retention(store, keep)
        self._reserve = Reserve(store.path.parent)
        self._held: list[_Item] | None = None
        """What waits for room on the disk; None while nothing has to."""
        self._frontier = store.frontier.copy()
        self._next = self._frontier.size
        self._queue: SimpleQueue[_Item] = SimpleQueue()
        self._stopping = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="mcpwatch-journal", daemon=True)
        self._thread.start()

    def append(self, data: Data, *, is_missed: bool = True) -> int:
        """Give `data` the log's next index and write it soon; `is_missed` says whether it counts as lost if not taken.

        Raises TooLarge or Unwritable, and UnicodeEncodeError for lone surrogates; the index is then still free.
        """
        leaf = encode(seal(self._next, self._origin, datetime.now(UTC), data))
        if len(leaf) > MAX_LEAF:
            raise TooLarge
        if self.backlog > MAX_BACKLOG:
            self.refused += is_missed
            self.lost += is_missed
            raise Unwritable
        index = self._next
        self._next += 1
        self.backlog += len(leaf)
        self.waiting += 1
        self._queue.put((index, leaf))
        return index

    def keep(self, size: int, note: bytes) -> None:
        """Write a checkpoint with the next commit."""
        self._queue.put(_Note(size, note))

    async def flush(self) -> None:
        """Return when all that was appended so far is on the disk."""
        flush = _Flush(self._loop.create_future())
        self._queue.put(flush)
        await flush.done

    def hold(self) -> None:
        """Write nothing that is appended from here on until there is room on the disk, or `resume`."""
        self._queue.put(_Turn.HOLD)

    def resume(self) -> None:
        """Write again, room or not."""
        self._queue.put(_Turn.RESUME)

    async def close(self) -> None:
        """Write what there is, once, and end the thread."""
        self._stopping.set()
        self._queue.put(_Turn.END)
        await asyncio.to_thread(self._thread.join)
        self._reserve.drop()

    def _run(self) -> None:
        if not self._reserve.fill():
            logger.warning("the disk of the journal is almost full")
        ending = is_due = False
        while not ending:
            patience = PACE_SECONDS if is_due else None
            items = self._items(patience if self._held is None else RETRY_SECONDS)
            ending = _Turn.END in items
            items = self._passed(items)
            leaves = [item for item in items if isinstance(item, tuple)]
            notes = [(item.size, item.note) for item in items if isinstance(item, _Note)]
            nodes = list[Node]()
            for _, leaf in leaves:
                hashed = leaf_hash(leaf)
                nodes += completed(self._frontier, hashed)
                self._frontier.append(hashed)
            if (leaves or notes) and not self._commit(leaves, nodes, notes):
                return
            if items:
                full = self._held is not None or (self._reserve.is_spent and not self._reserve.fill())
                self._loop.call_soon_threadsafe(self._written, leaves, self._frontier.copy(), items, full)
            is_due = not ending and self._let_go()

    def _items(self, timeout: float | None) -> "list[_Item]":
        """What there is to do, as soon as there is something, or nothing after `timeout` seconds."""
        items: list[_Item] = []
        with contextlib.suppress(Empty):
            items.append(self._queue.get(timeout=timeout))
            if not self._stopping.is_set():
                time.sleep(GROUP_SECONDS)
            while True:
                items.append(self._queue.get_nowait())
        return items

    def _passed(self, items: "list[_Item]") -> "list[_Item]":
        """What of it is done at once: all, but while the disk is full only what came before that was said."""
        before: list[_Item] = []
        if self._held is None and _Turn.HOLD in items:
            place = items.index(_Turn.HOLD)
            before, items, self._held = items[:place], items[place:], []
        if self._held is None:
            return items
        # A checkpoint that covers no more than the one before says nothing that could not wait.
        notes = [item for item in items if isinstance(item, _Note) and item.size > self._store.signed]
        self._held += (item for item in items if not isinstance(item, _Note))
        after: list[_Item] = []
        if not {_Turn.RESUME, _Turn.END}.isdisjoint(item for item in items if isinstance(item, _Turn)) or (
            not before and self._reserve.fill()
        ):
            after, self._held = self._held, None
        return [*before, *notes, *after]

    def _let_go(self) -> bool:
        """Remove a little of what is not to be kept; whether there is more of it."""
        try:
            return self._retention.step()
        except (sqlite3.Error, ValueError) as error:
            self._loop.call_soon_threadsafe(self._not_removed, str(error))
            return False

    def _commit(self, leaves: list[Leaf], nodes: list[Node], notes: list[SizedNote]) -> bool:
        """Write until it works; False when it did not before the journal was told to close."""
        while True:
            begun = time.perf_counter()
            try:
                self._store.write(leaves, self._frontier, nodes, notes)
                self.commits.add(time.perf_counter() - begun)
                return True
            except sqlite3.Error as error:
                self.failures += 1
                self._loop.call_soon_threadsafe(self._in_trouble, str(error))
                if self._reserve.release():
                    continue
                if self._stopping.is_set():
                    return False
                self._stopping.wait(RETRY_SECONDS)

    def _written(self, leaves: list[Leaf], frontier: Frontier, items: "list[_Item]", full: bool) -> None:
        if self.trouble and not full:
            logger.warning("the journal is written again")
            self.trouble = ""
        if full != self._is_full:
            self._is_full = full
            self._full(full)
        octets = sum(len(leaf) for _, leaf in leaves)
        self.backlog -= octets
        self.written += octets
        self.waiting -= len(leaves)
        if leaves:
            self._durable(Batch(leaves, frontier))
        for item in items:
            if isinstance(item, _Flush) and not item.done.done():
                item.done.set_result(None)

    def _not_removed(self, why: str) -> None:
        if why != self._unremovable:
            logger.error("old entries cannot be removed: %s", why)
        self._unremovable = why

    def _in_trouble(self, why: str) -> None:
        if not self.trouble:
            logger.error("the journal cannot be written: %s", why)
        self.trouble = why


class _Note(Struct, frozen=True):
    size: int
    note: bytes


class _Flush(Struct, frozen=True):
    done: asyncio.Future[None]


class _Turn(Enum):
    HOLD = auto()
    RESUME = auto()
    END = auto()


_Item = Leaf | _Note | _Flush | _Turn
