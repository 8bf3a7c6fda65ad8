"""The terminal's end: signals that ask to stop, and a terminal that is not there any more."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import Callable

from textual.driver import Driver

ASKING_TO_STOP = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT) if sys.platform != "win32" else ()


def watch_signals(stop: Callable[[int], object]) -> Callable[[], None]:
    """Call `stop(number)` from the event loop when a signal asks this process to end; the result undoes it.

    A signal that is ignored, or that the loop's owner handles already, is left as it is.
    """
    loop = asyncio.get_running_loop()
    ours = []
    for number in ASKING_TO_STOP:
        if not _is_taken(number):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, stop, number)
                ours.append(number)

    def undo() -> None:
        for number in ours:
            loop.remove_signal_handler(number)

    return undo


def _is_taken(number: signal.Signals) -> bool:
    handler = signal.getsignal(number)
    # What add_signal_handler leaves in place while the loop itself calls the real handler.
    return handler is signal.SIG_IGN or getattr(handler, "__module__", "") == "asyncio.unix_events"


def robust(driver_class: type[Driver]) -> type[Driver]:
    """A driver that survives its terminal: Textual's own blocks for ever once its writer has died."""
    if sys.platform == "win32":
        return driver_class
    if driver_class.__name__ == "WebDriver":
        from mcpwatch.ui.terminal.browser_driver import BrowserDriver

        return BrowserDriver
    if driver_class.__name__ != "LinuxDriver":
        return driver_class
    from mcpwatch.ui.terminal.terminal_driver import TerminalDriver

    return TerminalDriver
