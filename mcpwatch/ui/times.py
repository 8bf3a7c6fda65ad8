"""Times for people: clock, age, and the long form."""

from datetime import datetime

from mcpwatch.watch.times import clock_time, seconds

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


def day(time: float) -> str:
    """The date, `2026-11-22`."""
    return full(time).partition(" ")[0]


def age(now: float, then: float | None) -> str:
    """How long ago, `3.2s`; a dash when never."""
    return "–" if then is None else seconds(max(now - then, 0.0))


def fresh(now: float, then: float | None) -> str:
    """How long ago, to be read at a glance: `now` below a second, so that it does not flicker."""
    return "now" if then is not None and now - then < 1 else age(now, then)


def until(now: float, then: float) -> str:
    """`now`, or `in 3.2s`."""
    return f"in {seconds(then - now)}" if then - now >= 1 else "now"


def ago(now: float, then: float | None) -> str:
    """How long ago as a phrase."""
    if then is None:
        return "never"
    return "just now" if now - then < 1 else f"{age(now, then)} ago"
