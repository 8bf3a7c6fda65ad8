"""Textual's driver for POSIX terminals, taught to let go of a terminal that is gone."""

import select
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, cast

from textual.drivers.linux_driver import LinuxDriver

if TYPE_CHECKING:
    from textual.app import App


class Outlet:
    """The terminal as a file; writing to one that has hung up does nothing."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.gone = False

    def write(self, text: str) -> int:
        """Write, or forget the text when the terminal is gone."""
        if not self.gone:
            try:
                self._write(text)
            except (OSError, ValueError):
                self.gone = True
        return len(text)

    def _write(self, text: str) -> None:
        try:
            self._file.write(text)
        except UnicodeEncodeError as error:
            self._file.write(text.encode(error.encoding, "replace").decode(error.encoding))

    def flush(self) -> None:
        """Flush, unless the terminal is gone."""
        if not self.gone:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self.gone = True

    def fileno(self) -> int:
        """The descriptor of the terminal."""
        return self._file.fileno()


class TerminalDriver(LinuxDriver):
    """Never blocks on, nor spins over, a terminal that has hung up."""

    def __init__(
        self, app: "App[object]", *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        # Standard output where it is the terminal, so that errors can be sent elsewhere; the library takes the error
        # stream. Its writer thread needs write, flush and fileno of the file, no more.
        terminal = sys.__stdout__ if sys.__stdout__ is not None and sys.__stdout__.isatty() else self._file
        self._file = cast("TextIOWrapper[Any]", Outlet(cast(IO[str], terminal)))

    @property
    def is_gone(self) -> bool:
        """Whether the terminal has hung up; never where there was none."""
        return self.input_tty and is_gone(self.fileno)

    def _sigtstp_application(self, *_: object) -> None:
        """Let go of the terminal between two turns of the loop: a handler may come in the middle of writing."""
        self._loop.call_soon_threadsafe(super()._sigtstp_application)

    def _sigcont_application(self, *_: object) -> None:
        """Come back, between two turns of the loop."""
        with suppress(RuntimeError):  # The loop is closed.
            self._loop.call_soon_threadsafe(self._continue)

    def _continue(self) -> None:
        """Draw anew where others may have had the terminal, with one thread for keys and one for writing.

        A shell continues what it hangs up, so this may come when nothing is left to draw on or the app is about to end:
        threads that began then would never end.
        """
        if self.is_gone or self._app._exit or not self._app.is_running:
            return
        if self._key_thread is not None and self._key_thread.is_alive():
            self.suspend_application_mode()
        self.resume_application_mode()

    def run_input_thread(self) -> None:
        """Read keys until told to stop, or until the terminal ends; octets that are no UTF-8 are no key."""
        while not self.exit_event.is_set():
            try:
                super().run_input_thread()
            except OSError:
                return
            except UnicodeDecodeError:
                continue


def is_gone(fileno: int) -> bool:
    """Whether the terminal behind this descriptor has hung up."""
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    try:
        poll.register(fileno, 0)
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in poll.poll(0))
    except (OSError, ValueError):
        return True
