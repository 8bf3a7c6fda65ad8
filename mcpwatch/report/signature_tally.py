"""Every agent's signature of a recorded log, judged as a watcher judges it, and counted."""

import logging
import time
from collections.abc import Callable, Iterable

from msgspec import Struct

from mcpwatch.feed.placed import entry_at
from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.model.entries import Entry, Request
from mcpwatch.model.identity import SignatureState, Word
from mcpwatch.watch.rejudging import awaited
from mcpwatch.watch.waiting import Waiting

logger = logging.getLogger(__name__)

MAX_NAMED = 20
"""Entries of a kind that are named."""
_GOOD = frozenset({Word.VERIFIED, Word.PARTIAL, Word.UNSIGNED})


class Kind(Struct, frozen=True):
    """What requests are counted by."""

    scheme: str
    """Empty where there is no signature."""
    word: Word
    is_bad: bool
    """Whether the signature does not verify."""

    @property
    def is_proven(self) -> bool:
        """Whether it is as good as it says, or says nothing."""
        return self.word in _GOOD


class Tallied(Struct):
    """How many requests are of a kind, and the indexes of the first ones."""

    count: int = 0
    first: list[int] = []


class SignatureTally:
    """Counts the requests of one log; one that waits for a key is judged again, out of the file, when it came.

    So no request is held in memory: only the places of those that wait.
    """

    def __init__(self, log: RecordedLog, keys: KeyBook, judge: Judge, clock: Callable[[], float] = time.time) -> None:
        self.kinds: dict[Kind, Tallied] = {}
        self.unjudged = 0
        """Requests that no verdict came of, or that had to make room for others which wait."""
        self.waiting = Waiting()
        self._log = log
        self._keys = keys
        self._judge = judge
        self._clock = clock
        self._places: dict[int, tuple[int, Kind]] = {}

    def take(self, entry: Entry, at: int) -> None:
        """Judge the entry if it is a request; `at` is where its event begins in the file."""
        record = entry.record
        if record is None or not isinstance(record.data, Request):
            return
        when = record.time.timestamp()
        try:
            verdict = self._judge.judge(entry.index, record.data, when, "", self._clock())
        except Exception as error:
            # What one request does to the judge must not end the report on the others.
            logger.error("judging entry %d failed: %s", entry.index, type(error).__name__)
            self.unjudged += 1
            return
        kind = Kind(verdict.scheme, verdict.word, verdict.signature is SignatureState.INVALID)
        tallied = self.kinds.setdefault(kind, Tallied())
        tallied.count += 1
        if len(tallied.first) < MAX_NAMED:
            tallied.first.append(entry.index)
        if verdict.waiting:
            self._places[entry.index] = at, kind
            self.waiting.add(awaited(verdict, self._keys, when), ("", entry.index))
            for _, index in self.waiting.given_up():
                self._places.pop(index, None)
                self.unjudged += 1

    def settled(self, identities: Iterable[str]) -> None:
        """Judge again what waited for the keys of these identities."""
        for _, index in self.waiting.take(identities):
            at, before = self._places.pop(index)
            tallied = self.kinds[before]
            tallied.count -= 1
            if index in tallied.first:
                tallied.first.remove(index)
            leaf = self._log.recording.event(at).data
            self.take(entry_at(index, leaf, origin="", received=self._clock(), source=""), at)
