"""Times for people: clock, age, and the long form."""

from datetime import datetime

from mcpwatch.watch.outcome import seconds
from mcpwatch.watch.times import clock_time

__all__ = ["age", "ago", "clock", "count", "full", "seconds"]

_NO_MILLIS = 8


def clock(time: float, *, millis: bool = True) -> str:
    """Local time of day, `14:03:07.123`."""
    text = clock_time(time)
    return text if millis else text[:_NO_MILLIS]


def full(time: float) -> str:
    """Date and time with zone, `2026-11-22 14:03:07.123+01:00`."""
    try:
        return datetime.fromtimestamp(time).astimezone().isoformat(" ", "milliseconds")
    except (OverflowError, OSError, ValueError):
        return "no such time"


def age(now: float, then: float | None) -> str:
    """How long ago, `3.2s`; a dash when never."""
    return "–" if then is None else seconds(max(now - then, 0.0))


def ago(now: float, then: float | None) -> str:
    """How long ago as a phrase."""
    return "never" if then is None else f"{age(now, then)} ago"


def count(number: int, what: str) -> str:
    """`1 session`, `2 sessions`, `2,000 entries`."""
    if number == 1:
        return f"1 {what}"
    many = f"{what[:-1]}ies" if what.endswith("ry") else f"{what}s"
    return f"{number:,} {many}"
