"""A terminal that keeps all that is written to it, and a reader that knows what may be."""

import re
from collections.abc import Iterator

from textual.drivers.headless_driver import HeadlessDriver

from mcpwatch.text import is_hidden

ALLOWED = re.compile(
    "|".join(
        (
            r"\x1b\[[0-9;:]*m",  # colours
            r"\x1b\[\d+;\d+H",  # where to draw
            r"\x1b\[\?(?:7|25|1000|1003|1004|1006|1015|1016|1049|2004|2026|2048)[hl]",  # modes of Textual's own
            r"\x1b\[\?(?:2026|2048)\$p",  # what it asks
            r"\x1b\[>\d+u|\x1b\[<u",  # the keyboard protocol
            r"\x1b\]22;[a-z-]*\x07",  # the pointer's shape, by a name of the style sheet
            r"\r\n|\n",
            r"\x07",  # the bell
        )
    )
)


class Recorder(HeadlessDriver):
    """Takes what would go to the terminal."""

    written: list[str]

    @property
    def is_headless(self) -> bool:
        """Be drawn to like a real one."""
        return False

    def write(self, data: str) -> None:
        """Keep it."""
        self.__dict__.setdefault("written", []).append(data)


def faults(data: str) -> Iterator[str]:
    """What stands in `data` that is neither plain text nor one of Textual's own sequences."""
    at = 0
    while at < len(data):
        if match := ALLOWED.match(data, at):
            at = match.end()
            continue
        if is_hidden(data[at]):
            yield repr(data[max(at - 20, 0) : at + 40])
        at += 1
