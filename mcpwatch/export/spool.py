"""Pieces of an export on disk, so that memory does not grow with it."""

import tempfile
from collections.abc import Iterator
from struct import Struct

from mcpwatch.export.writer import Piece

_LENGTHS = Struct("<HQQ")
"""Octets of the source's name, the index, octets of the text."""


class Spool:
    """Takes pieces in and gives them out in the same order; its file has no name, and is gone when this is closed."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (closed with this object)

    def close(self) -> None:
        """Let the disk go."""
        self._file.close()

    def add(self, piece: Piece) -> None:
        """Put a piece behind those that are there."""
        source, text = piece.source.encode(), piece.text.encode()
        self._file.write(_LENGTHS.pack(len(source), piece.index, len(text)) + source + text)

    def pieces(self) -> Iterator[Piece]:
        """All of them, once everything was added."""
        self._file.seek(0)
        while lengths := self._file.read(_LENGTHS.size):
            source, index, text = _LENGTHS.unpack(lengths)
            name = self._file.read(source).decode()
            yield Piece(name, index, self._file.read(text).decode())
