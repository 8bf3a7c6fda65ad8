"""Indexes and sizes of a log, in decimal digits."""

MAX_DIGITS = 16
"""Digits of an index or a size; 2**53 - 1 has as many."""


def decimal(text: str) -> int | None:
    """The number that so few ASCII digits say, leading zeros allowed; None where it is something else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None
