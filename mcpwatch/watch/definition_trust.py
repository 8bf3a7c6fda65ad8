"""Trust in definitions while a watcher runs: on first use by itself, and after a change by a person."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.model.tools import Tool, ToolKey
from mcpwatch.traffic.fold import Traffic
from mcpwatch.watch.definition_pins import DefinitionStore

logger = logging.getLogger(__name__)

LOOK_S = 1.0
MAX_NOTE = 2_000


class DefinitionTrust:
    """Keeps what the traffic trusted on first use, and takes in what other watchers of this machine wrote.

    A tool whose pin is not written yet when the watcher ends is pinned by the next one, which reads the same log.
    """

    def __init__(
        self, store: DefinitionStore, traffic: Mapping[str, Traffic], author: str, clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._traffic = traffic
        self._author = author
        self._clock = clock
        self._is_told = False

    def close(self) -> None:
        """Keep what is not written yet."""
        self.look()
        self._store.close()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Write and read what there is since the last look; a file that cannot be used leaves all as it was."""
        try:
            self._repin(self._store.read())
            trusted = {tool.key: tool for traffic in self._traffic.values() for tool in traffic.trusted()}
            if trusted:
                written = self._store.trust(trusted.values())
                self._repin(key for key in written if not self._says(key, trusted.get(key)))
        except LocalError as error:
            if not self._is_told:
                logger.warning("%s", error.title)
            self._is_told = True
        else:
            self._is_told = False

    def accept(self, tool: Tool, digest: str, note: str) -> None:
        """Trust the definition with this digest from now on, which has to be the tool's newest.

        Raises UsageError where it is not any more, is trusted already, or nothing is said about why; LocalError for
        the file.
        """
        note = note.encode("utf-8", "replace").decode().strip()
        if not note:
            raise UsageError("Say why this definition is good", "The note is kept with your name")
        if len(note) > MAX_NOTE:
            raise UsageError(f"The note is longer than {MAX_NOTE:,} characters")
        if tool.digest != digest:
            raise UsageError("The definition has changed again", "Read what it is now first")
        if tool.pin is not None:
            raise UsageError("This definition is trusted already")
        self._store.accept(tool, self._author, note, self._clock())
        self._traffic[tool.source].repin(tool.upstream, tool.name)

    def _says(self, key: ToolKey, tool: Tool | None) -> bool:
        """Whether what is kept of a tool is what this watcher itself trusted on first use, and no more."""
        source, upstream, name = key
        kept = [pin.digest for pin in self._store.of(source)[upstream, name]]
        return tool is not None and kept == [pin.digest for pin in tool.pins]

    def _repin(self, tools: Iterable[ToolKey]) -> None:
        for source, upstream, name in tools:
            if source in self._traffic:
                self._traffic[source].repin(upstream, name)
