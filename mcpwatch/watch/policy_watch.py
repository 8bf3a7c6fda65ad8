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
OPENED = "refuses nothing any more; a gateway that enforces goes on by the one it had"
"""What to know of a policy that takes the place of one that refused something."""


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
    note: str = ""
    """What else to know of it, after its name; empty for nothing."""


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
        self._note = ""
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
        kept = self._kept
        if kept.fault:
            logger.warning("%s; the policy before holds", show(kept.fault, 300))
        else:
            self._since = self._clock()
            self._note = OPENED if self._engine.policy.refuses and not kept.policy.refuses else ""
            logger.warning("policy %s was read again and is in force", kept.path)
            if self._note:
                logger.warning("policy %s %s", kept.path, self._note)
        self._put()

    def _put(self) -> None:
        kept = self._kept
        if self._engine.policy is not kept.policy:
            self._engine.follow(kept.policy)
        if not kept.is_read:
            self._tell(PolicyStanding(fault=kept.fault, quiet=self._engine.quiet.values()))
            return
        self._tell(PolicyStanding(kept.path, self._since, kept.fault, self._engine.quiet.values(), self._note))
