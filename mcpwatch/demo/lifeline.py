"""A child process that cannot outlive the one that started it."""

import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1
"""prctl(2), Linux."""


def hold() -> None:
    """End this process the moment its parent is gone.

    The parent keeps the other end of standard input and never closes it while the child is wanted; when it
    dies, however it dies, the kernel closes it. On Linux the kernel also sends SIGKILL by itself.
    """
    tie()
    threading.Thread(target=_end_with_parent, name="lifeline", daemon=True).start()


def tie() -> None:
    """The same where the parent dies; a child that is not wanted any more has to notice that itself: `cut`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def cut() -> None:
    """Return when the parent does not want this process any more."""
    descriptor = sys.stdin.fileno()
    while os.read(descriptor, 4096):
        pass


def _end_with_parent() -> None:
    cut()
    os._exit(0)
