"""The policy while a watcher runs: followed as its file changes, and how it stands."""

import asyncio
import logging
from collections.abc import Callable, Collection
from pathlib import Path

from msgspec import Struct

from mcpwatch.detect.engine import Engine, Quiet
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.text import show

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks at the file."""


class PolicyStanding(Struct, frozen=True):
    """How the policy stands."""

    path: Path | None = None
    """Where it was read from; None where there is none, and everything is allowed."""
    since: float | None = None
    """When it was read, seconds since the epoch."""
    fault: str = ""
    """Why the file, as it is by now, is not followed: the policy read before holds."""
    quiet: Collection[Quiet] = ()
    """What it keeps quiet, as of now."""


class PolicyWatch:
    """Lets the rules follow the file; what they remember stays."""

    def __init__(
        self, kept: KeptPolicy, engine: Engine, tell: Callable[[PolicyStanding], None], clock: Callable[[], float]
    ) -> None:
        self._kept = kept
        self._engine = engine
        self._tell = tell
        self._clock = clock
        self._since = clock()
        self._put()

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            self.look()

    def look(self) -> None:
        """Take in what is there since the last look."""
        if not self._kept.refresh():
            return
        if self._kept.fault:
            logger.warning("%s; the policy before holds", show(self._kept.fault, 300))
        else:
            self._since = self._clock()
            logger.info("the policy was read again")
        self._put()

    def _put(self) -> None:
        kept = self._kept
        if self._engine.policy is not kept.policy:
            self._engine.follow(kept.policy)
        since = self._since if kept.is_read else None
        self._tell(PolicyStanding(kept.path if kept.is_read else None, since, kept.fault, self._engine.quiet.values()))
