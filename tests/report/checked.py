"""Reports on feeds that a test fills."""

import json
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path

from build import START, Log
from msgspec import structs
from piped import ListSource, story
from rpc import ask, call, result, tool

from mcpwatch.feed.upto import UpTo
from mcpwatch.model.entries import Entry
from mcpwatch.model.feed import Checkpoint
from mcpwatch.report.check import check
from mcpwatch.report.report import Report, Terms
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.query import ALL, Query

ORIGIN = "gateway.example/feed/1"
HOSTILE = "\x1b[31m\u202e</failure>&<script>](http://x.example) {0}\ufffe\ud800\x00"
"""What terminals, XML, SARIF viewers and UTF-8 each take badly."""


class WholeLog(ListSource):
    """A log that says how long it is and proves it, unless `status` says otherwise."""

    def __init__(self, entries: Sequence[Entry], **status: object) -> None:
        super().__init__(entries)
        size = len(entries)
        proof = Checkpoint(ORIGIN, size, b"", b"", time=1_795_348_800)
        self._other = {"origin": ORIGIN, "announced": size, "checkpoint": proof, **status}

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        """All entries, with the status that was asked for."""
        async for batch in super().batches():
            self.status = structs.replace(self.status, **self._other)
            yield batch


async def report_on(
    state: Path,
    entries: Sequence[Entry] | None = None,
    terms: Terms = Terms(),  # noqa: B008
    query: Query = ALL,
    *,
    source: ListSource | None = None,
) -> Report:
    """A check of the story, of other entries, or of a source."""
    source = source or WholeLog(story() if entries is None else entries)
    feed, now = UpTo(source), max((entry.received for entry in source.entries), default=START)
    watcher = open_watcher([feed], state, clock=lambda: now)
    report = await check(watcher, [feed], terms, query)
    await watcher.close()
    return report


def quiet() -> list[Entry]:
    """One entry that nothing is wrong with."""
    log = Log()
    log.started()
    return log.entries


def hostile() -> list[Entry]:
    """A tool of a hostile name that was never offered is called by a client of a hostile name."""
    log = Log()
    log.initialize("s1", client=HOSTILE.replace("\ud800", ""))
    log.exchange(ask(1, "tools/list"), result(1, {"tools": [tool("read")]}), session="s1")
    log.request(json.dumps(call(2, HOSTILE)).encode(), session="s1")
    return log.entries
