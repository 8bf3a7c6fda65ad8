"""Content-Encoding undone for the log's eyes only; the agent always gets the octets as the server sent them."""

import zlib

MAX_OUTPUT = 4 * 1024 * 1024
"""Octets that one chunk may unfold to."""

_GZIP = zlib.MAX_WBITS | 16
_WINDOWS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": zlib.MAX_WBITS}


class InflateFault(Exception):
    """The octets are not what their Content-Encoding says, or unfold too far."""


class Inflate:
    """Unfolds one body as it comes in."""

    def __init__(self, encoding: str) -> None:
        """`encoding` is one that `can_inflate` accepts."""
        self._stream = zlib.decompressobj(_WINDOWS[encoding])
        self._start: bytes | None = b"" if encoding == "deflate" else None

    def __call__(self, chunk: bytes) -> bytes:
        """What `chunk` adds to the body; raises InflateFault."""
        if self._start is not None:
            # RFC 9110, section 8.4.1.2: some send deflate without the zlib wrapper, whose two octets show.
            self._start = chunk = self._start + chunk
            if len(chunk) < 2:
                return b""
            if chunk[0] & 0x0F != zlib.DEFLATED or int.from_bytes(chunk[:2], "big") % 31:
                self._stream = zlib.decompressobj(-zlib.MAX_WBITS)
            self._start = None
        try:
            output = self._stream.decompress(chunk, MAX_OUTPUT)
        except zlib.error:
            raise InflateFault("the body is not what its Content-Encoding says") from None
        if self._stream.unconsumed_tail:
            raise InflateFault(f"a chunk of the body unfolds to more than {MAX_OUTPUT} octets")
        return output


def can_inflate(encoding: str) -> bool:
    """Whether the Content-Encoding `encoding`, lower-case, can be undone here."""
    return encoding in _WINDOWS
