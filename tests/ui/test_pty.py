"""The real dashboard in a real pseudo-terminal: what its bytes say, and how it ends."""

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from recorder import faults

RUNNER = Path(__file__).with_name("run_attacked.py")
PATIENCE = 60.0
"""Seconds after which a wait has failed."""


def as_a_shell_starts_it() -> None:
    """Give a new process its terminal, and the signals that a run in the background or under nohup takes from it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


class Terminal:
    """A pseudo-terminal with the dashboard in it; what it writes is kept."""

    def __init__(self, folder: Path) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.before = termios.tcgetattr(slave)
        here = os.pathsep.join([str(RUNNER.parent), str(RUNNER.parents[1])])
        environment = {
            **os.environ,
            "TERM": "xterm-256color",
            "PYTHONPATH": here,
            "MCPWATCH_STATE": str(folder / "state"),
        }
        self.process = subprocess.Popen(
            [sys.executable, str(RUNNER), str(folder)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment,
            start_new_session=True,
            preexec_fn=as_a_shell_starts_it,
        )
        self.slave = slave
        self.data = b""

    def read(self) -> None:
        """Take what is there, waiting a little for it."""
        if self.master >= 0 and select.select([self.master], [], [], 0.1)[0]:
            try:
                self.data += os.read(self.master, 65_536)
            except OSError:
                self.process.wait(PATIENCE)  # EIO: the other end has closed

    def read_until(self, wanted: bytes, after: int = 0) -> None:
        """Read until something was written beyond the first `after` octets."""
        end = time.monotonic() + PATIENCE
        while wanted not in self.data[after:]:
            self.read()
            assert time.monotonic() < end, f"{wanted!r} was not written; the end is {self.data[-300:]!r}"

    def type(self, keys: str, then: bytes) -> None:
        """Press keys, then wait for something new on the screen."""
        after = len(self.data)
        os.write(self.master, keys.encode())
        self.read_until(then, after)

    def wait(self) -> int:
        """Wait for its end, reading what it still writes."""
        end = time.monotonic() + PATIENCE
        while self.process.poll() is None and time.monotonic() < end:
            self.read()
        return self.process.wait(0.1)

    def hang_up(self) -> None:
        """Close both of our ends."""
        os.close(self.slave)
        os.close(self.master)
        self.master = self.slave = -1

    def close(self) -> None:
        """Leave nothing behind."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if self.master >= 0:
            self.hang_up()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """The dashboard, drawn once."""
    opened = Terminal(tmp_path)
    try:
        opened.read_until(b"OUTCOME")
        yield opened
    finally:
        opened.close()


def test_the_bytes_are_text_and_textuals_own_sequences(terminal: Terminal) -> None:
    for keys, then in (("2", b"BOUND"), ("3", b"SEVERITY"), ("5", b"CHANGED"), ("6", b"origin"), ("1", b"OUTCOME")):
        terminal.type(keys, then)
    whole, _, _ = terminal.data.rpartition(b"\x1b")
    assert len(whole) > 20_000
    assert list(faults(whole.decode()))[:5] == []


def test_octets_that_are_no_utf_8_are_no_key_and_keys_after_them_count(terminal: Terminal) -> None:
    end = time.monotonic() + PATIENCE
    os.write(terminal.master, b"\xff")
    while b"BOUND" not in terminal.data:
        # What is read in one go with such octets is lost.
        os.write(terminal.master, b"2")
        terminal.read()
        assert time.monotonic() < end and terminal.process.poll() is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_restores_the_terminal_and_ends(terminal: Terminal, number: signal.Signals) -> None:
    os.kill(terminal.process.pid, number)
    assert terminal.wait() == 128 + number
    assert b"\x1b[?1049l" in terminal.data and b"\x1b[?25h" in terminal.data
    assert b"Traceback" not in terminal.data
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]


def stopped(terminal: Terminal, number: signal.Signals) -> None:
    """Send a signal and wait until it has stopped the process."""
    os.kill(terminal.process.pid, number)
    end = time.monotonic() + PATIENCE
    while not os.waitpid(terminal.process.pid, os.WNOHANG | os.WUNTRACED)[0]:
        terminal.read()
        assert time.monotonic() < end


def test_put_aside_it_leaves_the_terminal_as_it_was_and_comes_back(terminal: Terminal) -> None:
    stopped(terminal, signal.SIGTSTP)
    assert b"\x1b[?1049l" in terminal.data and b"\x1b[?25h" in terminal.data
    assert termios.tcgetattr(terminal.slave)[:4] == terminal.before[:4]
    after = len(terminal.data)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.read_until(b"\x1b[?1049h", after)
    terminal.type("2", b"BOUND")


def test_stopped_and_continued_it_goes_on(terminal: Terminal) -> None:
    stopped(terminal, signal.SIGSTOP)
    os.kill(terminal.process.pid, signal.SIGCONT)
    terminal.type("2", b"BOUND")


def quit_it(terminal: Terminal, number: signal.Signals | None = None) -> int:
    """Quit by keys, sending a signal again and again once it begins to end; returns the exit code."""
    terminal.type("q", b"not acknowledged")
    after = len(terminal.data)
    end = time.monotonic() + PATIENCE
    while terminal.process.poll() is None and time.monotonic() < end:
        if b"\x1b[?1049l" not in terminal.data[after:]:
            os.write(terminal.master, b"\r")
        elif number is not None:
            terminal.process.send_signal(number)
        terminal.read()
    return terminal.wait()


def test_continued_without_being_stopped_it_draws_once_more_and_ends(terminal: Terminal) -> None:
    threads = len(os.listdir(f"/proc/{terminal.process.pid}/task"))
    for _ in range(5):
        after = len(terminal.data)
        os.kill(terminal.process.pid, signal.SIGCONT)
        terminal.read_until(b"\x1b[?1049h", after)
    terminal.type("2", b"BOUND")
    assert len(os.listdir(f"/proc/{terminal.process.pid}/task")) == threads
    assert quit_it(terminal) == 0


def test_continued_while_it_ends_it_ends(terminal: Terminal) -> None:
    assert quit_it(terminal, signal.SIGCONT) == 0


def test_q_and_enter_quit(terminal: Terminal) -> None:
    assert quit_it(terminal) == 0


def test_it_ends_when_its_terminal_goes_away(terminal: Terminal) -> None:
    terminal.hang_up()
    assert terminal.wait() in (128 + signal.SIGHUP, -signal.SIGHUP)


def test_it_ends_when_its_terminal_goes_away_and_nobody_says_so(tmp_path: Path) -> None:
    """As under nohup: the hang-up is only seen on the descriptor."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        opened = Terminal(tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    try:
        opened.read_until(b"OUTCOME")
        opened.hang_up()
        assert opened.wait() >= 0
    finally:
        opened.close()
