"""Times as people and programs read them; any number is taken, however wild."""

from datetime import UTC, datetime

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


def seconds(value: float) -> str:
    """A span of time in at most six characters: `850µs`, `12ms`, `3.2s`, `4m10s`, `2h05m`, `3d04h`."""
    if value < 0.001:
        return f"{max(value, 0.0) * 1e6:.0f}µs"
    if value < 0.9995:
        return f"{value * 1e3:.0f}ms"
    if value < 59.95:
        return f"{value:.1f}s"
    if value > 999 * 86_400:
        return ">999d"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86_400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86_400}d{whole % 86_400 // 3600:02d}h"


def elapsed(time: float, now: float) -> str:
    """How long before `now`; under a second, and in the future, `0s`."""
    return seconds(now - time) if now - time >= 1 else "0s"
