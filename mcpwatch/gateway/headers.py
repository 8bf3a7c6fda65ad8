"""Header fields on their way through: what a hop keeps to itself, and what of them enters the log."""

import re
from collections.abc import Iterable, Sequence

from mcpwatch.gateway.mask_text import Masked, mask_name, mask_prose
from mcpwatch.gateway.secret_names import is_masked
from mcpwatch.gateway.session_ids import mask_id
from mcpwatch.gateway.tables import HOP_BY_HOP, LOGGED_FIELDS, VERBATIM_FIELDS, WITHHELD_FIELDS, WITHHELD_PREFIX
from mcpwatch.model.entries import Header

RawHeader = tuple[bytes, bytes]
"""A field as it travelled: name in its own spelling, value without the white space around it."""

SESSION, NAME, DPOP = "mcp-session-id", "mcp-name", "dpop"

_HOP_BY_HOP = frozenset(name.encode() for name in HOP_BY_HOP)
_INNER_LIST = re.compile(r'\(((?:[^()"]|"(?:[^"\\]|\\.)*")*)\)')
_COMPONENT = re.compile(r'"([^"\\]*)"')


def end_to_end(headers: Sequence[RawHeader], drop: frozenset[bytes] = frozenset()) -> list[RawHeader]:
    """The fields that go on to the next hop, in order; `drop` names more of them to leave out, lower-case."""
    named = [value for name, value in headers if name.lower() == b"connection"]
    mine = _HOP_BY_HOP | drop
    if named:
        mine = mine.union(word.strip().lower() for word in b",".join(named).split(b","))
    return [field for field in headers if field[0].lower() not in mine]


def first(headers: Iterable[RawHeader], name: bytes) -> bytes | None:
    """The value of the first field called `name`, lower-case; None when there is none."""
    return next((value for each, value in headers if each.lower() == name), None)


def content_encoding(headers: Iterable[RawHeader]) -> str:
    """The Content-Encoding, lower-case; empty for none, which `identity` means too (RFC 9110, section 8.4)."""
    values = [octets(value) for name, value in headers if name.lower() == b"content-encoding"]
    codings = [coding.strip().lower() for coding in ",".join(values).split(",")]
    return ", ".join(coding for coding in codings if coding not in ("", "identity"))


def octets(value: bytes) -> str:
    """Octets as text, one character each (ISO 8859-1), as the log holds header fields."""
    return value.decode("iso-8859-1")


def covered(headers: Iterable[RawHeader]) -> set[str]:
    """The names that the request's Signature-Input fields cover (RFC 9421, section 4.1)."""
    return {
        name
        for each, value in headers
        if each.lower() == b"signature-input"
        for inner in _INNER_LIST.findall(octets(value))
        for name in _COMPONENT.findall(inner)
    }


def logged(
    headers: Sequence[RawHeader], *, masked: bool = False, session: bytes = b""
) -> tuple[tuple[Header, ...], tuple[str, ...]]:
    """What the log keeps of `headers`: fields verbatim, and the names of those it withholds.

    With `masked` a field that holds secrets, or the session id, is kept without them, and named as withheld too.
    """
    wanted = LOGGED_FIELDS | covered(headers)
    kept: list[Header] = []
    withheld: dict[str, None] = {}
    for raw, value in headers:
        name = octets(raw).lower()
        if name in WITHHELD_FIELDS or name.startswith(WITHHELD_PREFIX) or _is_credential(name, value):
            withheld[name] = None
        elif name in wanted:
            text, count = octets(value), 0
            if masked and name not in VERBATIM_FIELDS:
                text, count = _mask_field(name, text, session)
            kept.append((name, text))
            if count:
                withheld[name] = None
    return tuple(kept), tuple(withheld)


def _is_credential(name: str, value: bytes) -> bool:
    return name not in VERBATIM_FIELDS and is_masked(name, octets(value))


def _mask_field(name: str, value: str, session: bytes) -> Masked:
    value, found = mask_id(value, session)
    masked, count = mask_name(value) if name == NAME else mask_prose(value)
    return masked, count + found
