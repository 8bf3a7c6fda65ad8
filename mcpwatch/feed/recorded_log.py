"""A recorded log, proven as a live one is: by the same reader, from the events of the file."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from mcpwatch.feed.continuity import Discontinued, right_edge
from mcpwatch.feed.log import LogReader
from mcpwatch.feed.merkle import Frontier
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.feed.recording import Damaged, Recorded, Recording
from mcpwatch.feed.recording_format import JOIN, Unreadable, decode_join
from mcpwatch.feed.standing import STICKY
from mcpwatch.feed.vkey import BadNote
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState, FeedStatus
from mcpwatch.text import count

RECORDED = "a recording, and not what happens now"


class Fault(Struct, frozen=True):
    """Where a recording stops to hold."""

    index: int | None
    """Of the entry; the one that was due where the octets do not tell."""
    at: int
    """Octet of the file at which the event begins."""
    reason: str


class RecordedLog:
    """Reads a recording once, from its head to its end; `status` tells at any moment how far it is proven.

    Keys that are pinned for its origin under `state` are held against its own. What does not hold makes the log
    BROKEN; entries still come out, up to where events cannot be told apart. Raises as `Recording` does, and LocalError
    for pins that cannot be believed.
    """

    def __init__(
        self, path: Path, name: str, state: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.recording = Recording(path)
        self.fault: Fault | None = None
        """The first thing that does not hold."""
        self.checkpoints = 0
        """Those that were read, the head's among them."""
        self.is_known = False
        """Whether its key is pinned for its origin; else it is only the recording's own word."""
        self.extent = self.recording.extent()
        """The size of the log by the last entry that begins in the file."""
        self._clock = clock
        self._verifier: NoteVerifier | None = None
        self._reader = LogReader(name, str(path))
        self._status = self._reader.status
        self._shown = self._status
        self._begin(state)

    @property
    def status(self) -> FeedStatus:
        """How the log stands as far as it was read; its announced size is that of the whole file."""
        status = self._reader.status
        if status is not self._status:
            self._status = status
            # How far the times of a recording are from ours says nothing of the gateway's clock.
            detail = RECORDED if status.state in (FeedState.CONNECTING, FeedState.LIVE) else status.detail
            self._shown = replace(status, announced=max(self.extent, self.recording.head.first), detail=detail)
        return self._shown

    @property
    def is_proven(self) -> bool:
        """Whether a checkpoint that holds covers every entry in the file, once it was read."""
        status = self._reader.status
        is_whole = status.checkpoint is not None and self.fault is None and not self.recording.cut
        return is_whole and status.state not in STICKY and status.verified_size >= self.extent and not self.passed_over

    @property
    def passed_over(self) -> int:
        """Entries in the file that lie in a gap, where no checkpoint is held against them."""
        status = self._reader.status
        missing = sum(gap.last - gap.first + 1 for gap in status.gaps)
        return max(status.received + missing - max(status.next_index, status.verified_size), 0)

    @property
    def key(self) -> str:
        """Whose word its proof rests on, in words."""
        return "the key pinned for it here" if self.is_known else "the key in the file, which is not pinned here"

    def events(self) -> Iterator[tuple[Recorded, list[Entry]]]:
        """Each event with the entry that it brings, if it does."""
        try:
            for each in self.recording.events():
                yield each, self._take(each)
        except Damaged as damaged:
            index = self._reader.status.next_index if damaged.index is None else damaged.index
            self._spoil(index, damaged.at, damaged.reason)

    def finish(self) -> None:
        """Say how it ended, once all events were taken."""
        self._reader.ended(self._end(), self._clock())

    def close(self) -> None:
        """Close the file."""
        if self._reader.status.connected_at is not None:
            self._reader.ended("closed", self._clock())
        self.recording.close()

    def _begin(self, state: Path | None) -> None:
        """Take in the head."""
        head, now = self.recording.head, self._clock()
        try:
            self._verifier = verifier = NoteVerifier(*head.keys)
            checkpoint = self._open(head.note)
            edge = Frontier.load(head.first, head.frontier)
            if checkpoint.size < head.first:
                raise ValueError("it begins after its first checkpoint")
        except (BadNote, ValueError) as bad:
            self._spoil(None, 0, f"its head does not hold: {bad}")
            return
        self._reader.meet(verifier)
        self._reader.begin(edge, f"the recording begins with entry {head.first}")
        self._reader.join(checkpoint, (), 0, now)
        self._reader.connected(now)
        self._note_break(None, 0)
        known = Pins(pins_folder(state)).keys_of(verifier.origin) if state is not None else []
        self.is_known = head.keys in known
        if known and not self.is_known:
            reason = f"its key is {head.keys[0]}, and the one pinned for {verifier.origin} is {known[0][0]}"
            self._spoil(None, 0, reason)

    def _take(self, each: Recorded) -> list[Entry]:
        due, now = self._reader.status.next_index, self._clock()
        entries: list[Entry] = []
        if each.event.event == JOIN:
            self._join(each, due, now)
        else:
            self.checkpoints += each.event.event == "checkpoint"
            entries = self._reader.take(each.event, now)
        self._note_break(due, each.at)
        return entries

    def _join(self, each: Recorded, due: int, now: float) -> None:
        """Go over a lost connection as the one who recorded it did."""
        try:
            join = decode_join(each.event.data)
            checkpoint = self._open(join.note)
            for proof in join.proofs:
                right_edge(proof, proof.first, checkpoint)
        except Unreadable as fault:
            raise Damaged(each.at, fault) from None
        except (BadNote, Discontinued) as bad:
            self._spoil(due, each.at, f"what the log said when it was joined again does not hold: {bad}")
            return
        self._reader.join(checkpoint, join.frontier, join.oldest, now, {proof.first: proof for proof in join.proofs})

    def _open(self, note: str) -> Checkpoint:
        """The checkpoint in a note that the log was joined by; raises BadNote."""
        if self._verifier is None:
            raise BadNote("its log has no key")
        self.checkpoints += 1
        return self._verifier.open(note.encode("utf-8", "surrogatepass"))

    def _spoil(self, index: int | None, at: int, reason: str) -> None:
        where = f"entry {index}" if index is not None else "its head"
        self._reader.sever(f"the recording does not hold at {where}, octet {at}: {reason}", self._clock())
        self.fault = self.fault or Fault(index, at, reason)

    def _note_break(self, index: int | None, at: int) -> None:
        """Keep where the log came to contradict itself, if it just did."""
        if self.fault is None and (status := self._reader.status).state in STICKY:
            self.fault = Fault(index, at, status.detail)

    def _end(self) -> str:
        """How it ends, in words."""
        status, cut = self._reader.status, self.recording.cut
        words = [f"the recording ends with entry {status.next_index - 1}" if status.received else "it has no entries"]
        pending = status.next_index - status.verified_size
        if status.checkpoint is not None and status.verified_size:
            words.append(f"proven up to entry {status.verified_size - 1} under {self.key}")
        if pending > 0:
            words.append(f"{count(pending, 'entry')} after that not proven")
        if cut:
            words.append(f"it is cut off: its last {count(cut, 'octet')} are no whole event")
        return "; ".join(words)
