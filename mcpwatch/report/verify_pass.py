"""Verifies a recording in one pass: log, checkpoints and every agent's signature, in memory that does not grow."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from pathlib import Path

from msgspec import Struct

from mcpwatch.feed.recorded_log import RecordedLog
from mcpwatch.identity.judge import WINDOW_S, Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.pins import PinFile, pins_path
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.report.check import KEYS_S
from mcpwatch.report.signature_tally import SignatureTally
from mcpwatch.report.verified import Verified, examine_recording
from mcpwatch.tasks import cancel

EVERY = 250
"""Events between two turns for the asking of keys, and for whoever shows the progress."""


class Judging(Struct, frozen=True):
    """How signatures are judged."""

    window_s: float = WINDOW_S
    resolving: ResolverOptions | None = None
    """Who may be asked for keys; None for nobody."""
    allow_private: bool = False


class Progress(Struct, frozen=True):
    """How far a file was read."""

    octets: int
    size: int
    entries: int


async def verify(
    path: Path,
    state: Path,
    judging: Judging = Judging(),  # noqa: B008
    fail_on: str = "bad",
    progress: Callable[[Progress], None] = lambda progress: None,
    key: str = "",
) -> Verified:
    """Read a recording to its end and report; `key` is the log's key that is wanted, empty for any.

    Raises as `RecordedLog` does, LocalError for the pinned keys, UsageError for an address of `judging` that is none.
    """
    keys = KeyBook()
    PinFile(pins_path(state), keys)
    judge = Judge(keys, ReplayWindow(), window_s=judging.window_s)
    with contextlib.closing(RecordedLog(path, path.name, state)) as log:
        tally = SignatureTally(log, keys, judge)
        asking = asyncio.create_task(_asking(keys, judging, tally))
        try:
            await _read(log, tally, progress)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KEYS_S):
                    await tally.waiting.emptied(asyncio.Lock())
        finally:
            await cancel(asking)
        return examine_recording(log, tally, fail_on, key)


def _asking(keys: KeyBook, judging: Judging, tally: SignatureTally) -> Coroutine[None, None, None]:
    """What asks for the keys that are missed, until cancelled."""

    async def resolved(identities: list[str]) -> None:
        tally.settled(identities)

    fetcher = Fetcher(allow_private=judging.allow_private)
    # It is made before the first request is judged, for a request waits where somebody can be asked.
    options = judging.resolving
    resolver = None if options is None else Resolver(keys, options, fetcher, on_resolved=resolved)

    async def ask() -> None:
        if resolver is not None:
            async with fetcher:
                await resolver.run()

    return ask()


async def _read(log: RecordedLog, tally: SignatureTally, progress: Callable[[Progress], None]) -> None:
    entries = 0
    for number, (each, brought) in enumerate(log.events()):
        for entry in brought:
            entries += 1
            tally.take(entry, each.at)
        if number % EVERY == 0:
            progress(Progress(each.at, log.recording.size, entries))
            await asyncio.sleep(0)
    log.finish()
