"""Times as people and programs read them; any number is taken, however wild."""

from datetime import UTC, datetime

from mcpwatch.watch.outcome import seconds

_DAY_S = 86_400.0


def rfc3339(time: float) -> str:
    """UTC with microseconds (RFC 3339 section 5.6); empty when the calendar has no such time."""
    try:
        return datetime.fromtimestamp(time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return ""


def clock_time(time: float) -> str:
    """Local time of day with milliseconds; `?` when the calendar has no such time."""
    try:
        return datetime.fromtimestamp(time).astimezone().isoformat(timespec="milliseconds")[11:23]
    except (OverflowError, ValueError, OSError):
        return "?"


def day_or_time(time: float, now: float) -> str:
    """Local time of day within the last 24 hours, `14:03:07`; the date, `2026-11-22`, before."""
    if now - time < _DAY_S:
        return clock_time(time)[:8]
    try:
        return datetime.fromtimestamp(time).astimezone().date().isoformat()
    except (OverflowError, ValueError, OSError):
        return "?"


def elapsed(time: float, now: float) -> str:
    """How long before `now`; under a second, and in the future, `0s`."""
    return seconds(now - time) if now - time >= 1 else "0s"
