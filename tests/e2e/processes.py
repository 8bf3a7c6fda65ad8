"""Real processes for end-to-end tests: mcpwatch itself, read line by line."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any, cast

DEADLINE_S = 60.0
"""For one thing to happen; a test that waits that long has failed."""

COMMAND = (sys.executable, "-c", "from mcpwatch.cli import main; raise SystemExit(main())")


class Process:
    """A running command and the lines it has printed so far."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.lines: list[str] = []
        self._process = process
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, *arguments: str) -> "Process":
        """Run `mcpwatch` with `arguments`."""
        return await cls.run(*COMMAND, *arguments)

    @classmethod
    async def run(cls, *command: str, stdin: int = subprocess.DEVNULL) -> "Process":
        process = await asyncio.create_subprocess_exec(
            *command, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, limit=2**24
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def until(self, wanted: Callable[[list[str]], bool], deadline: float = DEADLINE_S) -> list[str]:
        """Wait until the lines so far are as wanted, and return them."""
        async with asyncio.timeout(deadline):
            while not wanted(self.lines):
                assert not self._reading.done(), f"it ended: {self.lines[-20:]}"
                self._news.clear()
                await self._news.wait()
        return self.lines

    async def line(self, start: str) -> str:
        """The rest of the first line that starts so."""
        lines = await self.until(lambda lines: any(line.startswith(start) for line in lines))
        return next(line for line in lines if line.startswith(start)).removeprefix(start).strip()

    async def say(self, line: str) -> None:
        """Write a line to its standard input, which has to be a pipe."""
        stdin = cast(asyncio.StreamWriter, self._process.stdin)
        stdin.write(f"{line}\n".encode())
        await stdin.drain()

    async def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the end; returns the exit code, negative for a signal that killed it."""
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.wait()

    async def wait(self, deadline: float = DEADLINE_S) -> int:
        """Wait for the end and return the exit code."""
        async with asyncio.timeout(deadline):
            await self._reading
            return await self._process.wait()

    async def _read(self) -> None:
        output = cast(asyncio.StreamReader, self._process.stdout)
        async for line in output:
            self.lines.append(line.decode())
            self._news.set()
        self._news.set()


Told = dict[str, Any]
"""A line of `mcpwatch tail --json`."""


def told(lines: list[str], kind: str) -> list[Told]:
    """The JSON lines of one type: entry, verdict, alert, feed."""
    parsed = (json.loads(line) for line in lines if line.startswith("{"))
    return [line for line in parsed if line["type"] == kind]


def rules(lines: list[str]) -> set[str]:
    """The rules that have fired."""
    return {alert["rule"] for alert in told(lines, "alert")}


def processes_with(text: str) -> list[str]:
    """Command lines of this machine that hold `text`, but for those that look for it."""
    listing = subprocess.run(["ps", "-axww", "-o", "pid=,command="], capture_output=True, text=True, check=True).stdout
    return [line for line in listing.splitlines() if text in line and " ps " not in line]
