"""Keeps the pin of one log up to date while it is watched."""

import asyncio
import logging
from pathlib import Path

from mcpwatch.errors import LocalError
from mcpwatch.feed.checkpoint_pins import CheckpointPin, CheckpointPins, checkpoint_pins_folder
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.trust import evidence_folder
from mcpwatch.model.feed import Checkpoint

EVERY_S = 1.0
"""Seconds between two writes."""

logger = logging.getLogger(__name__)


class CheckpointKeeper:
    """The pin of the log at `address`; without a state folder nothing is kept."""

    def __init__(self, address: str, state: Path | None) -> None:
        self._address = address
        self._pins = CheckpointPins(checkpoint_pins_folder(state)) if state else None
        self._evidence = evidence_folder(state) if state else None
        self._keys: tuple[str, str] | None = None
        self._kept: Checkpoint | None = None
        self._kept_at = 0.0
        self._failed = False
        self._writing: asyncio.Future[None] | None = None

    def find(self, verifier: NoteVerifier) -> Checkpoint | None:
        """What this log was seen to sign in an earlier run, when asked first; raises LocalError for a damaged pin."""
        if self._pins is None or self._keys is not None:
            return None
        found = self._pins.find(verifier)
        self._keys = (str(verifier.key), str(verifier.time_key))
        return found

    def remedy(self, verifier: NoteVerifier) -> str:
        """What an operator does who believes a log that does not go on from its pin."""
        if self._pins is None:
            return ""
        path = self._pins.path(verifier.origin, str(verifier.key))
        where = f"what it signed is in {self._evidence}"
        return f"if its journal was put back on purpose: rm {path} and watch anew; {where}"

    def signed_here(self) -> tuple[bytes, ...]:
        """The notes that logs at this address were seen to sign last, as evidence; none where they cannot be read."""
        try:
            pins = self._pins.all() if self._pins is not None else []
        except (OSError, LocalError):
            return ()
        return tuple(pin.note.encode() for pin in pins if pin.address == self._address)

    async def keep(self, checkpoint: Checkpoint | None, now: float) -> None:
        """Pin a verified checkpoint, unless one was pinned a moment ago."""
        if self._is_due(checkpoint) and abs(now - self._kept_at) >= EVERY_S:
            # The disk is waited for, and that must not hold a screen up.
            self._writing = asyncio.ensure_future(asyncio.to_thread(self._keep, checkpoint, now))
            await asyncio.shield(self._writing)

    async def close(self, checkpoint: Checkpoint | None, now: float) -> None:
        """Pin the last of all, whenever the one before was pinned."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)
        if self._is_due(checkpoint):
            self._keep(checkpoint, now)

    def _keep(self, checkpoint: Checkpoint | None, now: float) -> None:
        """Pin a verified checkpoint; one that cannot be written is logged, for watching goes on without."""
        if self._pins is None or self._keys is None or checkpoint is None:
            return
        pin = CheckpointPin(
            origin=checkpoint.origin, keys=self._keys, note=checkpoint.note.decode(), address=self._address, time=now
        )
        self._kept_at = now
        try:
            self._pins.keep(pin, checkpoint.size)
            self._kept, self._failed = checkpoint, False
        except (OSError, LocalError) as error:
            if not self._failed:
                logger.warning("the checkpoint of %s cannot be pinned: %s", self._address, error)
            self._failed = True

    def _is_due(self, checkpoint: Checkpoint | None) -> bool:
        """Whether there is something to pin that was not; an empty log says nothing."""
        return self._pins is not None and checkpoint is not None and checkpoint.size > 0 and checkpoint != self._kept
