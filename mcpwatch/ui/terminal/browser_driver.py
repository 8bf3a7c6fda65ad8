"""Textual's driver for a page in a browser, taught to let go of a server that is gone."""

import os
from functools import partial
from typing import Any

from textual.app import App
from textual.drivers.web_driver import WebDriver

from mcpwatch.ui.terminal.terminal_driver import is_gone


class BrowserDriver(WebDriver):
    """Writes to a pipe whose reader may end without a word."""

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self._is_gone = False
        self._write = partial(self._write_safely)

    @property
    def is_gone(self) -> bool:
        """Whether nobody reads what is drawn any more."""
        return self._is_gone or is_gone(self.fileno)

    def _write_safely(self, data: bytes) -> int:
        """Write all of it: a part of a packet would shift every packet after it."""
        rest = memoryview(data)
        while rest and not self._is_gone:
            try:
                rest = rest[os.write(self.fileno, rest) :]
            except OSError:
                self._is_gone = True
        return len(data)
