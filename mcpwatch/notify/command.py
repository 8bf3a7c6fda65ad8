"""A program of the operator's that is run for each message."""

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import DEVNULL, PIPE, Process

from mcpwatch.notify.channel import Undelivered

LIMIT_S = 10.0
_WITHHELD = frozenset({"MCPWATCH_TOKEN"})
"""Variables that it does not get to see."""


class CommandChannel:
    """Runs `command` without a shell, with the message on its standard input and nothing from outside in its arguments.

    What it prints goes nowhere; it has no terminal, and is killed with all that it started after `limit_s`.
    """

    def __init__(self, command: tuple[str, ...], limit_s: float = LIMIT_S) -> None:
        self.name = f"the command {command[0]}"
        self._command = command
        self._limit_s = limit_s

    async def send(self, message: bytes) -> None:
        """Run it to its end; raises Undelivered."""
        environment = {name: value for name, value in os.environ.items() if name not in _WITHHELD}
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=PIPE, stdout=DEVNULL, stderr=DEVNULL, env=environment, start_new_session=True
            )
        except OSError as error:
            raise Undelivered(f"it cannot be run: {error.strerror}") from None
        try:
            async with asyncio.timeout(self._limit_s):
                await process.communicate(message + b"\n")
        except TimeoutError:
            raise Undelivered(f"it ran for more than {self._limit_s:g} s and was killed") from None
        finally:
            if process.returncode is None:
                await _kill(process)
        if process.returncode:
            raise Undelivered(f"it ended with exit code {process.returncode}")

    async def close(self) -> None:
        """Nothing is held."""


async def _kill(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
