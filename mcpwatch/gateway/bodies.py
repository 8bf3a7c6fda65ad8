"""Message bodies as the log holds them: size and digests always, the content as far as the capture mode allows."""

import base64
import hashlib
from collections.abc import Callable

from mcpwatch.gateway.inflate import Inflate, InflateFault, can_inflate
from mcpwatch.gateway.mask import is_json, mask_body
from mcpwatch.gateway.session_ids import holds
from mcpwatch.model.entries import Body, Capture

MAX_CONTENT = 512 * 1024
"""Octets of content an entry carries; of a larger body only size and digests."""


def capture_body(data: bytes, capture: Capture, *, encoded: bool = False, sha512: bool = False) -> Body:
    """The log's view of a whole body; `encoded` when it has a Content-Encoding."""
    digest = hashlib.sha256(data).hexdigest()
    long_digest = hashlib.sha512(data).hexdigest() if sha512 else None
    text, binary, masked = _content(data, capture, readable=not encoded)
    return Body(
        size=len(data),
        sha256=digest,
        text=text,
        base64=binary,
        masked=masked,
        sha512=long_digest,
        truncated=capture != "digest" and len(data) > MAX_CONTENT,
    )


class BodyReader:
    """Takes an answer's body as it streams by; holds at most MAX_CONTENT octets of it."""

    def __init__(self, capture: Capture, encoding: str = "", hold: Callable[[int], bool] = lambda octets: True) -> None:
        """`encoding` is the Content-Encoding, lower-case, empty for none; `hold` says whether there is room."""
        self.size = 0
        self.is_crowded = False
        """There was no room for the content."""
        self._capture = capture
        self._hold = hold
        self._encoding = encoding
        self._digest = hashlib.sha256()
        self._inflate = Inflate(encoding) if can_inflate(encoding) else None
        self._content = bytearray()
        self._truncated = False

    def feed(self, chunk: bytes) -> None:
        self.size += len(chunk)
        self._digest.update(chunk)
        if self._truncated or self._capture == "digest":
            return
        if self._inflate is not None:
            try:
                chunk = self._inflate(chunk)
            except InflateFault:
                self._truncate()
                return
        self._content += chunk
        if len(self._content) > MAX_CONTENT:
            self._truncate()
        elif not self._hold(len(self._content)):
            self.is_crowded = True
            self._truncate()

    def holds(self, session: bytes) -> bool:
        """Whether a session id stands in it, as far as its content is held."""
        return holds(self._content, session)

    def finish(self) -> Body:
        """The body, as far as it came."""
        readable = not self._encoding or self._inflate is not None
        content = b"" if self._truncated else bytes(self._content)
        text, binary, masked = _content(content, self._capture, readable=readable)
        return Body(
            size=self.size,
            sha256=self._digest.hexdigest(),
            text=None if self._truncated else text,
            base64=binary,
            masked=masked,
            truncated=self._truncated,
            encoding=self._encoding if self._inflate is not None and text is not None and not self._truncated else "",
        )

    def _truncate(self) -> None:
        self._truncated = True
        self._content.clear()
        self._hold(0)


def _content(data: bytes, capture: Capture, *, readable: bool) -> tuple[str | None, str | None, int]:
    """Text or base64, and how many values were masked; neither where masking cannot look inside."""
    if capture == "digest" or len(data) > MAX_CONTENT:
        return None, None, 0
    if readable or _is_plain(data):
        try:
            text = data.decode()
        except UnicodeDecodeError:
            pass
        else:
            return (text, None, 0) if capture == "full" else _masked(text)
    if capture == "masked":
        return None, None, 0
    return None, base64.b64encode(data).decode(), 0


def _is_plain(data: bytes) -> bool:
    """Whether it is JSON as it stands, so that a Content-Encoding it came with changes nothing."""
    if not data.lstrip().startswith((b"{", b"[")):
        return False
    try:
        return is_json(data.decode())
    except UnicodeDecodeError:
        return False


def _masked(text: str) -> tuple[str, None, int]:
    masked, count = mask_body(text)
    return masked, None, count
