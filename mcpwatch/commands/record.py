"""`mcpwatch record`: a feed, kept in a file that proves itself."""

import argparse
import asyncio
import contextlib
import sys
import time
from pathlib import Path

from mcpwatch.commands import sources
from mcpwatch.commands.named_sources import Feed, name_of
from mcpwatch.commands.progress_line import EVERY_S, ProgressLine
from mcpwatch.commands.signals import until_signalled
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.feed.recorder import RecordedReader, RecordingFile
from mcpwatch.feed.recording_format import SUFFIX
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedStatus
from mcpwatch.program import program
from mcpwatch.tasks import cancel
from mcpwatch.text import count, show

LAST_S = 2.0
"""How long to wait, when it is stopped, for a checkpoint over the last entries; a gateway signs one in 0.25 s."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "sources",
        nargs="*",
        metavar="SOURCE",
        help="a feed's address, the name of a server behind a gateway of yours, or a NAME under sources in the "
        "configuration (the one that is watched there, else the one gateway running on this machine)",
    )
    sources.token_argument(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=f"a new file, 0600, such as today{SUFFIX}"
    )
    parser.add_argument("--force", action="store_true", help="take the place of FILE where there is one")
    parser.add_argument("--from-now", action="store_true", help="leave out what the log holds already")
    parser.add_argument("--for", type=sources.seconds, dest="seconds", metavar="SECONDS", help="stop after so long")


def run(options: argparse.Namespace) -> int:
    options.policy, options.every = None, False
    target = sources.find(options)
    feed = target.feed
    if feed is None:
        raise UsageError("record keeps one feed", "Name one feed; run it once more for another.")
    return asyncio.run(until_signalled(_record(feed, target.state, options)))


async def _record(feed: Feed, state: Path, options: argparse.Namespace) -> int:
    file = RecordingFile(options.output, over=options.force)
    reader = RecordedReader(name_of(feed), feed.address, file, from_start=not options.from_now)
    source = HttpSource(feed.address, feed.token, name=feed.name, state=state, reader=reader)
    line = ProgressLine(sys.stderr)
    try:
        await source.probe()
        reading = asyncio.create_task(_read(source, file))
        try:
            await _until_stopped(reading, source, file, line, options.seconds)
        finally:
            await cancel(reading)
    finally:
        line.clear()
        status = source.status
        await source.close()
        file.close()
    return _end(status, file)


async def _read(source: HttpSource, file: RecordingFile) -> None:
    """Let the source run to its end; its reader writes the file."""
    async with contextlib.aclosing(source.batches()) as batches:
        async for _ in batches:
            if file.trouble:
                return


async def _until_stopped(
    reading: asyncio.Task[None], source: HttpSource, file: RecordingFile, line: ProgressLine, seconds: float | None
) -> None:
    """Show the progress until the feed ends, the time is over or somebody stops it, and then a little longer.

    Being stopped is how a recording ends: it is no failure.
    """
    with contextlib.suppress(asyncio.CancelledError):
        await _watch(reading, source, file, line, seconds)
    size, until = source.status.next_index, time.monotonic() + LAST_S
    while not reading.done() and source.status.verified_size < size and time.monotonic() < until:
        await asyncio.wait({reading}, timeout=EVERY_S / 4)


async def _watch(
    reading: asyncio.Task[None], source: HttpSource, file: RecordingFile, line: ProgressLine, seconds: float | None
) -> None:
    until = None if seconds is None else time.monotonic() + seconds
    while not reading.done() and (until is None or time.monotonic() < until):
        line.draw(lambda: _drawn(source.status, file.size))
        await asyncio.wait({reading}, timeout=EVERY_S if until is None else min(EVERY_S, until - time.monotonic()))


def _drawn(status: FeedStatus, size: int) -> str:
    held = f"{count(status.received, 'entry')}, {status.verified_size:,} verified, {size / 1_000_000:.1f} MB"
    return f"recording  {held}  {status.state.value} {status.detail}"


def _end(status: FeedStatus, file: RecordingFile) -> int:
    """Say what was recorded; returns the exit code."""
    if file.trouble:
        raise LocalError(file.trouble, f"What was written before is readable: {program()} verify {file.path}")
    if not file.size:
        print(show(f"mcpwatch: nothing was recorded: {status.state.value} {status.detail}"), file=sys.stderr)
    else:
        pending = status.next_index - status.verified_size
        more = f", {pending:,} of them not yet proven" if pending else ", all proven"
        print(show(f"{file.path}: {count(status.received, 'entry')}{more}, {count(file.size, 'octet')}"))
    if status.gaps or status.detail:
        print(show(f"mcpwatch: {status.state.value} {status.detail}"), file=sys.stderr)
    return sources.exit_code([status])
