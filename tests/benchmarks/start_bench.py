"""How soon mcpwatch is there: its version printed, `tail` connected, the first screen painted; medians.

    uv run python tests/benchmarks start [RUNS]

Each run is a process of its own. `tail` and the dashboard watch a gateway that is up; ready is the first octet of what
they print of the feed, and painted is the name of the first screen. A first run that does not count compiles the
modules, as the first run after an installation does. The bars: 0.15 s, 0.5 s and 0.8 s of a machine that does nothing
else; the CPU seconds beside them are nearly the same on a busy one.
"""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from statistics import median

MCPWATCH = (sys.executable, "-m", "mcpwatch")
DEADLINE_S = 20.0
PAINTED, ENTRY = rb"Live", rb"gateway"
"""What the first screen says, and what the line of the log's first entry says."""


def until(command: list[str], environment: dict[str, str], expected: bytes) -> tuple[float, float]:
    """Seconds until a process in a terminal of its own has written what is expected, and those of CPU in them."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    start, seen = time.perf_counter(), b""
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True
    )
    os.close(child)
    try:
        while not re.search(expected, seen):
            ready, _, _ = select.select([parent], [], [], DEADLINE_S)
            if not ready:
                raise SystemExit(f"{command[-1]} did not say {expected!r}: {seen[-300:]!r}")
            try:
                seen += os.read(parent, 65536)
            except OSError:
                raise SystemExit(f"{command} ended before it said {expected!r}: {seen[-300:]!r}") from None
        passed = time.perf_counter() - start
    finally:
        process.kill()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        os.close(parent)
    return passed, used.ru_utime + used.ru_stime


def main(runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as state:
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": f"{state}/compiled"}
        environment = {**os.environ, **compiled, "MCPWATCH_STATE": state, "TERM": "xterm-256color"}
        gateway = subprocess.Popen(
            [*MCPWATCH, "gateway", "--upstream", "http://127.0.0.1:9", "--listen", ":0", "--feed", ":0"],
            env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        try:
            assert gateway.stdout is not None
            found = re.search(r"feed on (http://\S+:\d+)", gateway.stdout.readline())
            if found is None:
                raise SystemExit("the gateway did not start")
            for title, bar, words, expected in (
                ("mcpwatch --version", 0.15, ["--version"], rb"\d\.\d"),
                ("tail ready", 0.5, ["tail", found[1], "--all"], ENTRY),
                ("first paint", 0.8, ["watch", found[1]], PAINTED),
            ):
                _, *runs_made = (until([*MCPWATCH, *words], environment, expected) for _ in range(runs + 1))
                times, used = zip(*runs_made, strict=True)
                wall = f"median {median(times):.3f} s, worst {max(times):.3f} s (bar {bar} s)"
                print(f"{title:20} {wall}, CPU {median(used):.3f} s")
        finally:
            gateway.terminate()
            gateway.wait()


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
