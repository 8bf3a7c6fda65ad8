"""A command on a terminal of its own."""

import contextlib
import fcntl
import itertools
import os
import re
import select
import struct
import subprocess
import termios
import time
from collections.abc import Iterator, Sequence
from functools import partial

from processes import DEADLINE_S

TURN_S = 0.25
SIZE = (24, 80)
_CONTROL = re.compile(rb"\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|\[[0-9;:?<>=]*[A-Za-z])")
"""OSC and CSI sequences (ECMA-48)."""


class Terminal:
    """A pseudo-terminal with a command on it, and what the command has drawn."""

    def __init__(self, command: Sequence[str]) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self._process = subprocess.Popen(
            command,
            preexec_fn=partial(os.login_tty, slave),
            pass_fds=(slave,),
            env={**os.environ, "TERM": "xterm-256color"},
        )
        os.close(slave)
        self._open = True
        self.drawn = b""
        self._typed = 0

    def until(self, wanted: bytes) -> None:
        """Wait until it has been drawn."""
        for _ in self._turns():
            if wanted in self.drawn:
                return
            assert self._process.poll() is None, self.drawn[-2000:]

    def until_read(self, *sentences: str) -> None:
        """Wait until each has been drawn, however it is coloured, since the last keys were typed."""
        for _ in self._turns(*sentences):
            text = self._text()
            if all(sentence in text for sentence in sentences):
                return
            assert self._process.poll() is None, text[-2000:]

    def type(self, *keys: bytes) -> None:
        """Type the keys, one a turn."""
        self._typed = len(self.drawn)
        for key, _ in zip(keys, self._turns(), strict=False):
            os.write(self._master, key)

    def type_until_it_ends(self, *keys: bytes) -> int:
        """Type the keys, in turn and over and over, until the command has ended; returns its exit code."""
        for key, _ in zip(itertools.cycle(keys), self._turns(), strict=False):
            if self._process.poll() is not None:
                break
            os.write(self._master, key)
        return self._process.wait()

    def close(self) -> None:
        """Close the window."""
        if self._open:
            os.close(self._master)
            self._open = False

    def ended(self) -> int:
        """Wait for the command to end."""
        return self._process.wait(DEADLINE_S)

    def kill(self) -> None:
        """Leave nothing behind, whatever happened."""
        self._process.kill()
        self._process.wait()
        self.close()

    def _turns(self, *wanted: object) -> Iterator[None]:
        """Turns of TURN_S, in which what is drawn is taken in; fails the test after DEADLINE_S."""
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            turn = time.monotonic() + TURN_S
            while (left := turn - time.monotonic()) > 0 and self._process.poll() is None:
                if select.select([self._master], [], [], left)[0]:
                    # Linux answers with an error once the last program has left the terminal.
                    with contextlib.suppress(OSError):
                        self.drawn += os.read(self._master, 1 << 16)
            yield
        raise AssertionError(f"{wanted or 'the end'} never came: {self._text()[-6000:]}")

    def _text(self) -> str:
        """What was drawn since the last keys, without colours and movements."""
        return _CONTROL.sub(b"", self.drawn[self._typed :]).decode("utf-8", "replace")
