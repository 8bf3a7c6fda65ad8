"""Places of a recording as people type them: an index, a time as the screen shows it, a step, the next alert."""

import math
import re
from datetime import datetime

from mcpwatch.errors import UsageError
from mcpwatch.watch.transport import SPEEDS, Goal, Stop

MAX = "max"
"""The speed that waits for nothing."""
WAYS = "an entry such as 1500, a time such as 12:03:20, a step such as -30s or +5m, or alert"
_STEP = re.compile(r"([+-])(\d{1,6})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,6})?)?")
_MAX_DIGITS = 15


def goal(text: str, now: float) -> Goal:
    """Where a text leads from the time `now`; a time of day is of that day, and times without a zone are local.

    Raises UsageError with what is allowed.
    """
    if text == Stop.ALERT:
        return Goal(stop=Stop.ALERT)
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        return Goal(index=int(text))
    if (step := _STEP.fullmatch(text)) is not None:
        seconds = int(step[2]) * _UNITS[step[3]]
        return Goal(time=now + seconds if step[1] == "+" else now - seconds)
    try:
        return Goal(time=_time(text, now))
    except (ValueError, OverflowError, OSError):
        raise UsageError(f"There is no going to {text!r}", f"Say {WAYS}") from None


def speed(text: str) -> float:
    """A speed as it is typed; raises UsageError with what is allowed."""
    if text == MAX:
        return math.inf
    try:
        value = float(text.removesuffix("x"))
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise UsageError(f"{text!r} is no speed", f"Say a number above 0, or {MAX}")
    return value


def speed_text(value: float) -> str:
    """A speed as it is shown: `2x`, `0.25x`, `max`."""
    return MAX if value == SPEEDS[-1] else f"{value:g}x"


def _time(text: str, now: float) -> float:
    if _CLOCK.fullmatch(text):
        day = datetime.fromtimestamp(now).astimezone().date().isoformat()
        return datetime.fromisoformat(f"{day}T{_padded(text)}").timestamp()
    if text.isdecimal():
        raise ValueError("digits alone are an index")
    return datetime.fromisoformat(text).timestamp()


def _padded(text: str) -> str:
    return text if text[2] == ":" else f"0{text}"
