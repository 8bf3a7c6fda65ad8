"""JSON's tokens in order, as far as the text is JSON (RFC 8259); nothing is decoded, and depth costs nothing."""

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

_TOKEN = re.compile(
    r"[ \t\n\r]*+(?:"
    r'(?P<string>"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+")'
    r"|(?P<mark>[{}\[\],:])"
    r"|(?P<other>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9A-Za-z_.+-])|(?:true|false|null)(?!\w))"
    r"|(?P<end>\Z))"
)


class Event(Enum):
    """What a token does."""

    OPEN = "open"
    CLOSE = "close"
    NAME = "name"
    STRING = "string"
    OTHER = "other"
    """A number, `true`, `false` or `null`."""
    COMMA = "comma"
    FAULT = "fault"
    """The text is no JSON from here on; `text` says what may stand here."""


class Token(NamedTuple):
    """One token and where it begins."""

    event: Event
    text: str
    at: int


class _Wants(Enum):
    """What may come next."""

    VALUE = "a value"
    VALUE_OR_CLOSE = "a value or ]"
    NAME = "a name"
    NAME_OR_CLOSE = "a name or }"
    COLON = "a colon"
    NEXT = "a comma or the end"
    END = "nothing more"


_VALUES = (_Wants.VALUE, _Wants.VALUE_OR_CLOSE)
_NAMES = (_Wants.NAME, _Wants.NAME_OR_CLOSE)
_OPENS = {"{": _Wants.NAME_OR_CLOSE, "[": _Wants.VALUE_OR_CLOSE}
_CLOSES = {"{": "}", "[": "]"}
_AFTER_COMMA = {"{": _Wants.NAME, "[": _Wants.VALUE}


def scan(text: str) -> Iterator[Token]:
    """The tokens; a fault is the last one; colons are left out."""
    wants, at = _Wants.VALUE, 0
    opened: list[str] = []
    while True:
        found = _TOKEN.match(text, at)
        kind = found.lastgroup if found is not None else None
        if found is None or kind is None or (kind == "end" and wants is not _Wants.END):
            yield Token(Event.FAULT, wants.value, at)
            return
        if kind == "end":
            return
        piece, start, at = found[kind], found.start(kind), found.end()
        top = opened[-1] if opened else ""
        after = _Wants.NEXT if opened else _Wants.END
        if kind == "string" and wants in _NAMES:
            event, after = Event.NAME, _Wants.COLON
        elif kind in ("string", "other") and wants in _VALUES:
            event = Event.STRING if kind == "string" else Event.OTHER
        elif piece in _OPENS and wants in _VALUES:
            opened.append(piece)
            event, after = Event.OPEN, _OPENS[piece]
        elif top and piece == _CLOSES[top] and wants in (_Wants.NEXT, _OPENS[top]):
            opened.pop()
            event, after = Event.CLOSE, _Wants.NEXT if opened else _Wants.END
        elif top and piece == "," and wants is _Wants.NEXT:
            event, after = Event.COMMA, _AFTER_COMMA[top]
        elif piece == ":" and wants is _Wants.COLON:
            wants = _Wants.VALUE
            continue
        else:
            yield Token(Event.FAULT, wants.value, start)
            return
        wants = after
        yield Token(event, piece, start)
