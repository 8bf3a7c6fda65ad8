"""The one object that a screen or a command holds: everything seen, and the little that can be done about it."""

import time
from collections.abc import Callable, Sequence

from mcpwatch.detect.book import AlertBook
from mcpwatch.model.alerts import Alert
from mcpwatch.model.traffic import SessionKey
from mcpwatch.watch.acks import AckStore
from mcpwatch.watch.pipeline import Listener, Pipeline
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.state import State
from mcpwatch.watch.view import View


class Watcher:
    """What `mcpwatch.watch.build.open_watcher` makes; run it once, then close it.

    `author` is who acknowledges. `clock` gives seconds since the epoch.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        book: AlertBook,
        acks: AckStore,
        *,
        author: str,
        files: Sequence[tuple[str, str]] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.state: State = pipeline.state
        self.sources: tuple[str, ...] = tuple(pipeline.lanes)
        """Names of the feeds."""
        self.author = author
        self.files = tuple(files)
        """What this watcher keeps and reads: a name and a place each."""
        self._pipeline = pipeline
        self._book = book
        self._acks = acks
        self._clock = clock

    async def run(self, listener: Listener | None = None) -> None:
        """Take in all sources until they end; cancelling it is the way to stop."""
        await self._pipeline.run(listener)

    def view(self, query: Query = ALL, *, session: SessionKey | None = None, plumbing: bool = False) -> View:
        """A window over the rows, of one session if given."""
        return View(self.state, query, session=session, plumbing=plumbing)

    def tick(self) -> float:
        """Move the state's clock to the present, for running times and ages; returns it."""
        self.state.advance(self._clock())
        return self.state.now

    def acknowledge(self, alert: str, note: str, last_index: int) -> Alert:
        """Let an alert rest, and keep who said so and why.

        `last_index` is the alert's `last_index` as the screen showed it. Raises StaleAcknowledgement when there is
        newer evidence, AcknowledgeError for an unknown alert or a bad note, and LocalError when it holds only until
        this process ends because it cannot be written.
        """
        return self._keep(self._book.acknowledge(alert, self.author, _storable(note), last_index, self._clock()))

    def unacknowledge(self, alert: str, note: str) -> Alert:
        """Let an acknowledged alert fire again, and keep who said so and why; raises as `acknowledge` does."""
        return self._keep(self._book.unacknowledge(alert, self.author, _storable(note), self._clock()))

    async def close(self) -> None:
        """Close the sources and the files."""
        await self._pipeline.close()
        self._acks.close()

    def _keep(self, alert: Alert) -> Alert:
        self.state.alerts_changed()
        self._acks.append(alert.id, alert.history[-1])
        return alert


def _storable(note: str) -> str:
    """The note without halves of surrogate pairs, which a terminal may deliver and UTF-8 cannot hold."""
    return note.encode("utf-8", "replace").decode()
