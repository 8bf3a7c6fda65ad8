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
        self._may_be_raw = encoding == "deflate"

    def __call__(self, chunk: bytes) -> bytes:
        """What `chunk` adds to the body; raises InflateFault."""
        try:
            output = self._stream.decompress(chunk, MAX_OUTPUT)
        except zlib.error:
            if not self._may_be_raw:
                raise InflateFault("the body is not what its Content-Encoding says") from None
            # RFC 9110, section 8.4.1.2: some send deflate without the zlib wrapper.
            self._stream, self._may_be_raw = zlib.decompressobj(-zlib.MAX_WBITS), False
            return self(chunk)
        self._may_be_raw = self._may_be_raw and not output
        if self._stream.unconsumed_tail:
            raise InflateFault(f"a chunk of the body unfolds to more than {MAX_OUTPUT} octets")
        return output


def can_inflate(encoding: str) -> bool:
    """Whether the Content-Encoding `encoding`, lower-case, can be undone here."""
    return encoding in _WINDOWS
