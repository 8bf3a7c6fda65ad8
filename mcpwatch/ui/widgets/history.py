"""What was typed before: filters are kept from one run to the next."""

import logging
from pathlib import Path

from mcpwatch.errors import LocalError
from mcpwatch.files import alone, read_private, write_private
from mcpwatch.text import show
from mcpwatch.ui.asks import KEPT, Ask
from mcpwatch.watch.filter_parser import MAX_QUERY

logger = logging.getLogger(__name__)

FILE = "typed-filters"
"""In the state folder: one filter a line, the newest last."""
MAX_LINES = 100


class History:
    """Lines that were entered, by kind, each once; those of one kind in a file, 0600, where there is a path.

    Several dashboards may share the file: each adds its own to what stands there by then. Where it cannot be read or
    written the lines are those of this run.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._lines: dict[Ask, list[str]] = {}
        if path is not None and path.exists():
            self._read(path)

    def lines(self, kind: Ask) -> list[str]:
        """What was entered, oldest first."""
        return self._lines.get(kind, [])

    def add(self, kind: Ask, text: str) -> None:
        """Take note of a line that was entered; what is blank is none."""
        if not text.strip():
            return
        if kind is KEPT and self._path is not None:
            self._keep(self._path, text)
        else:
            self._put(kind, text)

    def _keep(self, path: Path, text: str) -> None:
        try:
            with alone(path):
                readable = not path.exists() or self._read(path)
                self._put(KEPT, text)
                if readable:
                    write_private(path, "".join(f"{line}\n" for line in self._lines[KEPT]).encode())
        except OSError as error:
            self._put(KEPT, text)
            logger.warning("filters are not kept in %s: %s", path, error.strerror)

    def _put(self, kind: Ask, text: str) -> None:
        kept = [each for each in self._lines.get(kind, []) if each != text]
        self._lines[kind] = [*kept, text][-MAX_LINES:]

    def _read(self, path: Path) -> bool:
        try:
            lines = read_private(path).decode(errors="replace").split("\n")
        except LocalError as error:
            logger.warning("%s", error.title)
            return False
        except OSError as error:
            logger.warning("%s cannot be read: %s", path, error.strerror)
            return False
        # Anybody who can write the file could have put there what must not reach a terminal.
        whole = [line for line in lines if line.strip() and len(line) <= MAX_QUERY and show(line) == line]
        self._lines[KEPT] = list(reversed(list(dict.fromkeys(reversed(whole)))))[-MAX_LINES:]
        return True
