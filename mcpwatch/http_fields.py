"""Header fields of HTTP that more than one room reads."""

from datetime import UTC
from email.utils import parsedate_to_datetime


def media_type(content_type: str) -> str:
    """The type that a Content-Type field names, lower-case, without its parameters."""
    return content_type.partition(";")[0].strip().lower()


def retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After field asks for, not below 0 (RFC 9110 section 10.2.3); None when it asks for nothing.

    `now` is seconds since the epoch, against which a date is read.
    """
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
        return max((date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now, 0.0)
    except (ValueError, OverflowError):
        return None
