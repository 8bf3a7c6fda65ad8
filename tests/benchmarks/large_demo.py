"""The large demo with its dashboard open: how fast it answers keys, what its processes hold, and whether all came.

Runs `mcpwatch demo --agents N --rate N` in a pseudo-terminal for as long as is asked for (Linux).
"""

import argparse
import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

COLUMNS, LINES = 140, 40
PATIENCE_S = 60.0
STEPS = (("5", b"REACHES"), ("1", b"OUTCOME"))
"""Keys, and what the screen that they open has in its header."""
EVERY_S = 5.0
_ESCAPES = re.compile(rb"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07")
_COUNTS = re.compile(r"entries\s+([\d,]+) received, ([\d,]+) proven, ([\d,]+) pending")


class Dashboard:
    """The demo in a terminal of its own; what it writes is read all the time."""

    def __init__(self, words: list[str]) -> None:
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "mcpwatch", "demo", *words],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**os.environ, "TERM": "xterm-256color"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)
        self.written = b""

    def read(self, seconds: float) -> None:
        """Take what comes, for so long at most."""
        if select.select([self.master], [], [], seconds)[0]:
            self.written = (self.written + os.read(self.master, 1 << 16))[-(1 << 20) :]

    def rest(self, seconds: float) -> None:
        """Let it run."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.read(left)

    def press(self, key: str, until: bytes) -> float:
        """Press a key; the seconds until something was drawn."""
        self.read(0)
        self.written = b""
        begun = time.monotonic()
        os.write(self.master, key.encode())
        while until not in self.written:
            self.read(0.5)
            if time.monotonic() - begun > PATIENCE_S:
                raise TimeoutError(f"{until!r} was not drawn")
        return time.monotonic() - begun

    def text(self) -> str:
        """What was written since the last key, without the terminal's own sequences."""
        return _ESCAPES.sub(b" ", self.written).decode("utf-8", "replace")

    def end(self) -> str:
        """Leave, and return what it says at the very end."""
        self.written = b""
        os.kill(self.process.pid, signal.SIGTERM)
        while self.process.poll() is None:
            try:
                self.read(0.2)
            except OSError:
                break
        self.process.wait(PATIENCE_S)
        return self.text()


def processes(pid: int) -> dict[str, float]:
    """The resident MiB of a process and of all below it, by what they are."""
    found: dict[str, float] = {}
    for each in _tree(pid):
        words = Path(f"/proc/{each}/cmdline").read_bytes().split(b"\0")
        name = next((word.decode() for word in words if word.startswith(b"mcpwatch.demo.")), "dashboard")
        pages = int(Path(f"/proc/{each}/statm").read_text().split()[1])
        found[name.removeprefix("mcpwatch.demo.")] = pages * os.sysconf("SC_PAGESIZE") / 2**20
    return found


def _tree(pid: int) -> list[int]:
    below = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [pid, *(each for child in below for each in _tree(child))]


def main(agents: int, rate: int, seconds: float) -> None:
    """Run it and print the figures."""
    shown = Dashboard(["--agents", str(agents), "--rate", str(rate)])
    try:
        while b"OUTCOME" not in shown.written:
            shown.read(1)
        begun, waits, minute = time.monotonic(), list[float](), 0
        while (age := time.monotonic() - begun) < seconds:
            waits += [shown.press(*step) for step in STEPS]
            if age >= 60 * minute:
                print(f"{minute:3} min  {_told(processes(shown.process.pid))}", flush=True)
                minute += 1
            shown.rest(EVERY_S)
        print(f"{age / 60:3.0f} min  {_told(processes(shown.process.pid))}")
        print(f"{len(waits)} keys: median {statistics.median(waits) * 1e3:.0f} ms, worst {max(waits) * 1e3:.0f} ms")
        shown.press("6", b"malformed")
        shown.rest(0.5)
        text = shown.text()
        counts = _COUNTS.search(re.sub(r"\s+", " ", text))
        print(f"feed: {counts[0] if counts else 'its counts were not read'}")
        for word in ("gaps", "left", "reconnects", "failures"):
            for line in re.findall(rf"[^\r\n]*\b{word}\b[^\r\n]*", text)[:1]:
                print(f"      {' '.join(line.split())[:110]}")
    finally:
        print(" ".join(shown.end().split())[-160:])


def _told(sizes: dict[str, float]) -> str:
    return "  ".join(f"{name} {size:.0f} MiB" for name, size in sizes.items())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=200, metavar="N")
    parser.add_argument("--rate", type=int, default=2_000, metavar="N", help="entries a second (%(default)s)")
    parser.add_argument("--seconds", type=float, default=600.0, metavar="N", help="how long (%(default)s)")
    asked = parser.parse_args()
    main(asked.agents, asked.rate, asked.seconds)
