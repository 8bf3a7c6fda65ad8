"""One line on a terminal that is written over as work goes on."""

import shutil
import time
from collections.abc import Callable
from typing import TextIO

from mcpwatch.text import show

EVERY_S = 0.2
"""Seconds between two drawings."""
_BAR = 24
"""Cells of a bar."""
_CLEAR = "\r\x1b[K"


class ProgressLine:
    """Draws on `out` if that is a terminal, else nowhere."""

    def __init__(self, out: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._out = out
        self._clock = clock
        self._is_terminal = out.isatty()
        self._drawn_at: float | None = None

    def draw(self, text: Callable[[], str]) -> None:
        """Show `text`, unless something was shown a moment ago."""
        now = self._clock()
        if self._is_terminal and (self._drawn_at is None or now - self._drawn_at >= EVERY_S):
            self._drawn_at = now
            width = shutil.get_terminal_size().columns - 1
            print(f"{_CLEAR}{show(text(), width)}", end="", file=self._out, flush=True)

    def clear(self) -> None:
        """Leave the line empty."""
        if self._drawn_at is not None:
            print(_CLEAR, end="", file=self._out, flush=True)
            self._drawn_at = None


def bar(share: float) -> str:
    """A bar of which `share`, 0 to 1, is full."""
    full = round(max(0.0, min(share, 1.0)) * _BAR)
    return f"[{'#' * full}{'.' * (_BAR - full)}]"
