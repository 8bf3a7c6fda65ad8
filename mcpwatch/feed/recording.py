"""A recording as a file: one pass from its head to its last whole event, in bounded memory."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from msgspec import Struct

from mcpwatch.errors import IntegrityError, LocalError, UsageError
from mcpwatch.feed.recording_format import (
    END,
    MAX_BLOCK,
    Head,
    OtherVersion,
    Unreadable,
    decode_event,
    decode_head,
)
from mcpwatch.feed.sse import Frame

CHUNK = 1 << 18
"""Octets that are read at once."""
_BEGINNING = b'{"format":"mcpwatch-recording"'
_ENTRY = re.compile(rb"\n\n: [^\n]{44}\nid: ([0-9]{1,16})\nevent: entry\n")
_ENTRY_HEAD = 128
"""Octets that `_ENTRY` matches at most."""


class Recorded(Struct, frozen=True):
    """One event with the octet of the file at which its digest begins."""

    at: int
    event: Frame


class Damaged(Exception):
    """Octets from `at` on that are no event of a recording; what follows cannot be told apart any more.

    `index` is that of the entry, where the octets tell.
    """

    def __init__(self, at: int, fault: Unreadable) -> None:
        super().__init__(fault.reason)
        self.at = at
        self.reason = fault.reason
        self.index = fault.index


class Recording:
    """An open recording.

    Raises LocalError when the file cannot be read, UsageError when it is no file, no recording or of another version,
    IntegrityError when its head is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.cut = 0
        """Octets after the last whole event, once all were read: of an event that was not written to its end."""
        try:
            self._file: BinaryIO = _opened(path)
            self.size = os.fstat(self._file.fileno()).st_size
            """Octets."""
            first = self._file.read(MAX_BLOCK)
        except OSError as error:
            raise LocalError(f"{path} cannot be read: {error.strerror}") from None
        self.head, self.begin = _head(path, first)
        self.at = self.begin
        """The octet up to which it was read."""

    def __enter__(self) -> "Recording":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def events(self) -> Iterator[Recorded]:
        """The events in their order, up to the last whole one; raises Damaged, and LocalError for the disk."""
        self.at = self.begin
        self._file.seek(self.at)
        rest = b""
        while chunk := self._read():
            held, start = rest + chunk, 0
            while (end := held.find(END, start)) >= 0:
                yield Recorded(self.at, self._decode(held[start:end]))
                self.at += end + len(END) - start
                start = end + len(END)
            rest = held[start:]
            if len(rest) > MAX_BLOCK:
                raise Damaged(self.at, Unreadable(f"an event is larger than {MAX_BLOCK} octets"))
        self.cut = len(rest)

    def event(self, at: int) -> Frame:
        """The event that begins at this octet, as `events` gave it; raises Damaged and LocalError."""
        for length in (CHUNK, MAX_BLOCK + len(END)):
            try:
                held = os.pread(self._file.fileno(), length, at)
            except OSError as error:
                raise LocalError(f"{self.path} cannot be read: {error.strerror}") from None
            if (end := held.find(END)) >= 0:
                break
        try:
            return decode_event(held[: max(end, 0)])
        except Unreadable as fault:
            raise Damaged(at, fault) from None

    def extent(self) -> int:
        """The size of the log by the last entry that begins in the file, looked for from its end."""
        end = self.size
        while end > self.begin - len(END):
            start = max(self.begin - len(END), end - MAX_BLOCK)
            self._file.seek(start)
            found = [int(each[1]) for each in _ENTRY.finditer(self._file.read(end - start + _ENTRY_HEAD))]
            if found:
                return found[-1] + 1
            end = start
        return self.head.first

    def _read(self) -> bytes:
        try:
            return self._file.read(CHUNK)
        except OSError as error:
            raise LocalError(f"{self.path} cannot be read: {error.strerror}") from None

    def _decode(self, block: bytes) -> Frame:
        try:
            return decode_event(block)
        except Unreadable as fault:
            raise Damaged(self.at, fault) from None


def _opened(path: Path) -> BinaryIO:
    """The file, which is read at any place; a pipe with nobody at its other end does not block either."""
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise UsageError(f"{path} is no regular file", "Save what comes out of it to a file first.")
    return os.fdopen(file, "rb")


def _head(path: Path, first: bytes) -> tuple[Head, int]:
    """The head, and the octet after it."""
    end = first.find(END)
    try:
        if end < 0:
            raise Unreadable("it ends in its head")
        return decode_head(first[:end]), end + len(END)
    except OtherVersion as fault:
        raise UsageError(f"{path} cannot be read: {fault.reason}", "Update mcpwatch to read it.") from None
    except Unreadable as fault:
        if not first.startswith(_BEGINNING):
            raise UsageError(f"{path} is no recording", "One is made by: mcpwatch record -o FILE") from None
        raise IntegrityError(f"{path} does not hold: {fault.reason}", "It is before its first entry.") from None
