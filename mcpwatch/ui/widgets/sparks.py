"""Numbers as a row of bars, one cell each."""

from collections.abc import Sequence
from math import ceil

_BARS = "▁▂▃▄▅▆▇█"


def sparks(numbers: Sequence[float]) -> str:
    """A bar a number; the highest is as high as a bar can be, and nothing is a blank."""
    top = max(numbers, default=0.0)
    # The order of the two matters: no number, as of infinity over infinity, is above 1.
    heights = (min(1.0, number / top) if number > 0 else 0.0 for number in numbers)
    return "".join(_BARS[max(ceil(height * len(_BARS)), 1) - 1] if height > 0 else " " for height in heights)
