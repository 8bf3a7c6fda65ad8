"""What other programs do in the state folder while a watcher runs: keys pinned and named, acts on alerts."""

import asyncio
import logging

from mcpwatch.detect.book import AlertBook
from mcpwatch.errors import LocalError
from mcpwatch.identity.pins import PinFile
from mcpwatch.watch.act_store import ActStore
from mcpwatch.watch.pipeline import Pipeline

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""Seconds between two looks; where nothing changed one costs a stat and a counter read."""


class StateFolderWatch:
    """Takes in, once a second, what `mcpwatch keys` and other dashboards of this machine wrote."""

    def __init__(self, pins: PinFile, acts: ActStore, book: AlertBook, pipeline: Pipeline) -> None:
        self._pins = pins
        self._acts = acts
        self._book = book
        self._pipeline = pipeline
        self._is_told = False

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(LOOK_S)
            await self.look()

    async def look(self) -> None:
        """Take in what is there since the last look; a file that cannot be used leaves all as it was."""
        try:
            identities = self._pins.refresh()
        except LocalError as error:
            logger.warning("%s; the keys known before hold on", error.title)
        else:
            if identities:
                await self._pipeline.repinned(identities)
        try:
            said = self._acts.others()
        except LocalError as error:
            if not self._is_told:
                logger.warning("%s", error.title)
            self._is_told = True
        else:
            self._is_told = False
            if said:
                self._book.take(said)
                self._pipeline.state.alerts_changed()
