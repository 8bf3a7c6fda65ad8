"""Entries in their place: the index an event names, and what of a leaf does not belong there (SPEC.md, section 2)."""

from mcpwatch.feed.decimals import decimal
from mcpwatch.feed.envelope import Malformed, decode
from mcpwatch.model.entries import Entry, Record


def entry_index(text: str | None) -> int | None:
    """An event id that is an index in canonical decimal, else None."""
    if not text or (text[0] == "0" and text != "0"):
        return None
    return decimal(text)


def entry_at(index: int, leaf: bytes, *, origin: str, received: float, source: str) -> Entry:
    """The entry that a leaf is in this place of the log `origin`, where that is known; `fault` says why it is none."""
    record: Record | None = None
    try:
        record = decode(leaf)
        fault = _misplaced(index, record, origin)
    except Malformed as malformed:
        fault = malformed.reason
    return Entry(index, leaf, None if fault else record, received, fault, source)


def _misplaced(index: int, record: Record, origin: str) -> str:
    """Why this envelope does not belong in this place, if so."""
    if record.id != str(index):
        return f"its id is {record.id[:40]} in place {index}"
    if origin and record.source != origin:
        return f"its source is {record.source[:80]}"
    return ""
