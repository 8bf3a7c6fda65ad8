"""What is kept of a log, as the operator says it."""

import math
import re

from msgspec import Struct

from mcpwatch.errors import UsageError

DAY = 86_400.0
SMALLEST = 1 << 20
"""Octets that may be kept, at least."""

_SIZE = re.compile(r"([0-9]{1,9})([KMGT])?", re.IGNORECASE)
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


class Keep(Struct, frozen=True):
    """What is kept of a log; everything, unless told otherwise."""

    seconds: float = math.inf
    """An entry's age."""
    octets: float = math.inf
    """Of the leaves together. The hashes of entries stay when they go, 32 octets each."""

    @property
    def is_everything(self) -> bool:
        return self.seconds == self.octets == math.inf


EVERYTHING = Keep()


def parse_days(text: str) -> float:
    """Seconds, from a number of days such as `30` or `0.5`; raises UsageError."""
    try:
        days = float(text)
    except ValueError:
        days = 0.0
    if not 0 < days < math.inf:
        raise UsageError(f"{text} is not a number of days", "Write it as --keep-days 30, or 0.5 for twelve hours.")
    return days * DAY


def parse_size(text: str) -> int:
    """Octets, from a size such as `500M` or `2G`, in powers of 1,024; raises UsageError."""
    found = _SIZE.fullmatch(text)
    octets = int(found[1]) * _UNITS[(found[2] or "").upper()] if found else 0
    if octets < SMALLEST:
        raise UsageError(f"{text} is not a size of at least 1M", "Write it as --keep-size 500M or 2G.")
    return octets
