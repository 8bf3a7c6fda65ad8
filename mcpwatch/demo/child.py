"""A child process of the demo: started with a lifeline, its lines read, ended for certain."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private

_GRACE_S = 2.0
"""How long a child may take to end before it is killed."""


class Child:
    """`python -m MODULE` in a session of its own; what it complains of goes to a file, not to the terminal.

    A session of its own keeps the terminal's signals away from it: the parent alone decides when it ends.
    """

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self._lifeline = cast(asyncio.StreamWriter, process.stdin)
        self._output = cast(asyncio.StreamReader, process.stdout)
        self._log = log
        self.stopping = False
        """Whether it was told to end."""

    @classmethod
    async def start(cls, module: str, *arguments: str, log: Path) -> "Child":
        """Run `module` with this interpreter."""
        create_private(log, b"")
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", module, *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        return cls(process, log)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def lines(self) -> AsyncIterator[bytes]:
        """The lines it prints, until it ends."""
        async for line in self._output:
            yield line

    async def line(self) -> bytes:
        """The next line it prints.

        Raises LocalError, quoting its last words, when it ends instead.
        """
        line = await self._output.readline()
        if not line:
            raise LocalError("A part of the demo ended early", self.last_words())
        return line

    def last_words(self) -> str:
        """The last line it complained with."""
        words = self._log.read_text("utf-8", "replace").strip().splitlines()
        return words[-1] if words else "It left no message"

    async def stop(self) -> None:
        """Take the lifeline away, then make sure."""
        self.stopping = True
        self._lifeline.close()
        try:
            await asyncio.wait_for(self._process.wait(), _GRACE_S)
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
