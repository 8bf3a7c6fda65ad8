"""Times as signers and registries write them."""

from datetime import UTC, datetime
from functools import lru_cache

_LONGEST = 64
"""Characters of a time that is read."""


def parse_time(text: str) -> float | None:
    """Seconds since the epoch of an ISO 8601 time with its zone; None when it is anything else."""
    return _parsed(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=1024)
def _parsed(text: str) -> float | None:
    """The same; signers write whole seconds, so that many requests give one text."""
    try:
        moment = datetime.fromisoformat(text)
        return None if moment.tzinfo is None else moment.timestamp()
    except (ValueError, OverflowError):
        return None


def parse_registry_time(text: str) -> float | None:
    """The same for an AIP registry's three forms: no zone (UTC is meant), `+00:00`, and `+00:00Z`."""
    try:
        moment = datetime.fromisoformat(text.removesuffix("Z") if text.endswith("+00:00Z") else text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
