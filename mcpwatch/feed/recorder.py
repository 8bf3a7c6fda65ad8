"""Writes what a log reader takes in to a recording, while it is read."""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from mcpwatch.errors import LocalError
from mcpwatch.feed.continuity import Proofs
from mcpwatch.feed.log import NO_PROOFS, LogReader
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.recording_format import Head, Join, encode_event, encode_head, encode_join
from mcpwatch.feed.sse import Frame
from mcpwatch.feed.standing import STICKY
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint, FeedState

BUFFER = 1 << 20
"""Octets that are held at most until a checkpoint comes."""


class RecordingFile:
    """A recording that is written: 0600, appended to, on its way to the disk with every checkpoint.

    What was written before the process was killed is a recording that is cut off. Raises LocalError where there is
    something of that name, unless it may be written `over`, and where it cannot be made.
    """

    def __init__(self, path: Path, *, over: bool = False) -> None:
        self.path = path
        self.size = 0
        """Octets."""
        self.trouble = ""
        """Why nothing more can be written."""
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            if over:
                path.unlink(missing_ok=True)
            self._file: BinaryIO = os.fdopen(os.open(path, how | os.O_EXCL, 0o600), "wb", buffering=BUFFER)
        except FileExistsError:
            raise LocalError(f"{path} exists already", "Give another name, or --force to write over it.") from None
        except OSError as error:
            raise LocalError(f"{path} cannot be written: {error.strerror}") from None

    def write(self, block: bytes, *, flush: bool = False) -> None:
        """Add a head or an event; what cannot be written is told by `trouble`."""
        if self.trouble:
            return
        try:
            self._file.write(block)
            if flush:
                self._file.flush()
            self.size += len(block)
        except OSError as error:
            self.trouble = f"{self.path} cannot be written: {error.strerror}"

    def close(self) -> None:
        """Put all of it on the disk; a file that nothing was written to is removed."""
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            self.trouble = self.trouble or f"{self.path} cannot be written: {error.strerror}"
        with contextlib.suppress(OSError):
            # What the buffer still held could not be written; that was told above.
            self._file.close()
        if not self.size:
            self.path.unlink(missing_ok=True)


class RecordedReader(LogReader):
    """A reader of a live log that records it: each entry and checkpoint once, and what contradicts them."""

    def __init__(self, name: str, address: str, file: RecordingFile, *, from_start: bool = True) -> None:
        super().__init__(name, address, from_start=from_start)
        self._file = file
        self._keys = ("", "")
        self._begun = False
        self._taking = False

    def meet(self, verifier: NoteVerifier, capture: str = "", scopes: tuple[str, ...] = ()) -> None:
        """As every reader does."""
        self._keys = (str(verifier.key), str(verifier.time_key))
        super().meet(verifier, capture, scopes)

    def join(
        self, checkpoint: Checkpoint, frontier: Sequence[bytes], oldest: int, now: float, proofs: Proofs = NO_PROOFS
    ) -> None:
        """Join the log, and write down how."""
        due = self.status.next_index
        self._taking = True
        super().join(checkpoint, frontier, oldest, now, proofs)
        self._taking = False
        first = self.status.next_index
        leapt = tuple(frontier) if first > due and first == checkpoint.size else ()
        given = tuple(proof for proof in proofs.values() if proof is not None)
        if self._begun:
            join = Join(checkpoint.note.decode(), oldest, leapt, given)
            self._file.write(encode_event(encode_join(join)), flush=True)
        elif self.status.state not in STICKY:
            self._begun = True
            edge = leapt or next((proof.frontier for proof in given if proof.first == first), ())
            head = Head(keys=self._keys, note=checkpoint.note.decode(), first=first, frontier=edge)
            self._file.write(encode_head(head), flush=True)

    def take(self, frame: Frame, now: float) -> list[Entry]:
        """Take an event in, and write it unless it is an entry that came before."""
        repeated = self.status.repeated
        self._taking = True
        entries = super().take(frame, now)
        self._taking = False
        if self._begun and frame.event in ("entry", "checkpoint") and self.status.repeated == repeated:
            self._file.write(encode_event(frame), flush=frame.event == "checkpoint")
        return entries

    def sever(self, reason: str, now: float, *notes: bytes, state: FeedState = FeedState.BROKEN) -> None:
        """Let the log be broken, and write down the note that did it where no event brought it."""
        super().sever(reason, now, *notes, state=state)
        if self._begun and not self._taking:
            # What the stream could not carry no recording can; it does not hold either way.
            for note in (note for note in notes if b"\r" not in note):
                self._file.write(encode_event(Frame("checkpoint", note.removesuffix(b"\n"))), flush=True)
