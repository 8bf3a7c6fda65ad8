"""What may be said of session ids: whether they can be guessed, and where they stand beside their header field.

The ids are bearer secrets. A few of them are held in memory, and none of what is said gives away a character.
"""

import re
from collections import deque
from collections.abc import Sequence
from itertools import pairwise, takewhile

from msgspec.structs import replace

from mcpwatch.model.entries import MASK, Body, SessionForm

ENOUGH = 16
"""Characters that nobody can tell beforehand; with fewer an id is weak."""
COMPARED = 8
"""Ids of a server that are held against each other."""

_FEW = 4
"""Ids that show what stays the same in all of them."""
_STEPS = 1_000
"""By how much at most a counter moves between ids that are compared."""
_DAY = 86_400.0
_EDGE = 256
"""Characters of an id that are looked at, from its beginning and from its end; a long one may be a signed token."""

_WORD = re.compile(rb"[\w-]")
_TIME_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[16][0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)
_DIGITS = re.compile(r"(?<!\d)(?:\d{10}|\d{13}|\d{16}|\d{19})(?!\d)")
"""As long as the seconds, milli-, micro- or nanoseconds since the epoch."""


class SessionForms:
    """Judges the session ids that servers give out, by what their last few have in common."""

    def __init__(self) -> None:
        self._given: dict[str, deque[str]] = {}

    def __call__(self, upstream: str, session: bytes, now: float) -> SessionForm:
        """How the id that a server gives out at `now`, seconds since the epoch, can be guessed; empty for not."""
        given = self._given.setdefault(upstream, deque(maxlen=COMPARED))
        given.append(_edges(session).decode("iso-8859-1"))
        return form(list(given), now)


def form(ids: Sequence[str], now: float) -> SessionForm:
    """How the last of `ids` can be guessed by one who knows those before it."""
    newest = ids[-1]
    if _TIME_UUID.fullmatch(newest):
        return "time-uuid"
    if _counts_up(ids):
        return "counter"
    timeless = [_without_time(id, now) for id in ids]
    if timeless[-1] != newest and _varying(timeless) < ENOUGH:
        return "timestamp"
    if len(newest) < ENOUGH:
        return "short"
    return "fixed" if _varying(ids) < ENOUGH else ""


def holds(text: bytes | bytearray, session: bytes) -> bool:
    """Whether `text` holds a session id as a word of its own; not looked for where it is too short to be told."""
    if len(session) < ENOUGH:
        return False
    at = text.find(session)
    while at >= 0:
        end = at + len(session)
        if not _WORD.match(text[max(at - 1, 0) : at]) and not _WORD.match(text[end : end + 1]):
            return True
        at = text.find(session, end)
    return False


def without(body: Body, session: bytes) -> Body:
    """The body with a session id masked in its text."""
    id = session.decode("iso-8859-1")
    count = body.text.count(id) if body.text is not None else 0
    if body.text is None or not count:
        return body
    return replace(body, text=body.text.replace(id, MASK), masked=body.masked + count)


def mask_id(text: str, session: bytes) -> tuple[str, int]:
    """A text without a session id, as part of longer words too, and how often it stood there."""
    id = session.decode("iso-8859-1")
    count = text.count(id) if len(id) >= ENOUGH else 0
    return (text.replace(id, MASK), count) if count else (text, 0)


def mask_session(target: str, session: bytes) -> tuple[str, int]:
    """A request target with a session id masked in its query, and how often it stood there.

    In the path it stays, which signatures cover without the query.
    """
    path, mark, query = target.partition("?")
    id = session.decode("iso-8859-1")
    return path + mark + query.replace(id, MASK), query.count(id)


def _edges(session: bytes) -> bytes:
    return session if len(session) <= 2 * _EDGE else session[:_EDGE] + session[-_EDGE:]


def _varying(ids: Sequence[str]) -> int:
    """Characters of the last id that differ in others; all of them where there are too few to tell."""
    newest = ids[-1]
    if len(ids) < _FEW:
        return len(newest)
    middles = _middles(ids)
    if len({len(middle) for middle in middles}) > 1:
        return len(middles[-1])
    return sum(len(set(column)) > 1 for column in zip(*middles, strict=True))


def _middles(ids: Sequence[str]) -> list[str]:
    """What is between the beginning and the end that all ids share."""
    start = _shared(ids)
    rests = [id[start:] for id in ids]
    end = _shared([rest[::-1] for rest in rests])
    return [rest[: len(rest) - end] for rest in rests]


def _shared(texts: Sequence[str]) -> int:
    """How many characters all of them begin with."""
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False)))


def _counts_up(ids: Sequence[str]) -> bool:
    """Whether the ids differ by a number only, decimal or hexadecimal, that grows by a little each time."""
    middles = _middles(ids[-_FEW:])
    if len(middles) < _FEW:
        return False
    for base, digits in ((10, "0123456789"), (16, "0123456789abcdef")):
        if all(middle and not middle.lower().strip(digits) for middle in middles):
            numbers = [int(middle, base) for middle in middles]
            steps = [after - before for before, after in pairwise(numbers)]
            if all(0 < step <= _STEPS for step in steps):
                return True
    return False


def _without_time(id: str, now: float) -> str:
    """The id without numbers that are a time within a day of `now`."""
    return _DIGITS.sub(lambda found: "" if _is_now(found[0], now) else found[0], id)


def _is_now(digits: str, now: float) -> bool:
    seconds: float = int(digits) / 10 ** (len(digits) - 10)
    return abs(seconds - now) < _DAY
