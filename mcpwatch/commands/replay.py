"""`mcpwatch replay`: the dashboard on a recording, as it happened."""

import argparse
import asyncio
import math
from datetime import UTC, datetime
from pathlib import Path

from msgspec import structs

from mcpwatch.commands import sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.commands.watch import dashboard, require_terminal
from mcpwatch.feed.paced import Pace, PacedSource
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.watch.query import Query

MAX = "max"
"""The speed of a replay that waits for nothing."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the recording, as mcpwatch record makes it")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, metavar="N", help=f"times as fast as it happened, or {MAX} (1)"
    )
    parser.add_argument(
        "--seek",
        type=_seek,
        default=Pace(),
        metavar="INDEX|TIME",
        help="begin at this entry, or at this time such as 2026-11-22T12:00:00Z; what was before is there at once",
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the policy to watch by (policy.toml beside the configuration)"
    )
    parser.add_argument("--filter", default="", metavar="FILTER", help="show what passes, e.g. 'sig:bad | sev>=high'")


def run(options: argparse.Namespace) -> int:
    pace = structs.replace(options.seek, speed=options.speed)
    target = sources.recorded(options.file, options.policy)
    query = sources.query(options.filter, target.config)
    require_terminal()
    return asyncio.run(until_signalled(_replay(target, pace, query)))


async def _replay(target: sources.Target, pace: Pace, query: Query) -> int:
    (path,) = target.recordings
    source = RecordingSource(path, name=f"replay of {path.name}", state=target.state)
    watcher = sources.watcher_of(target, [PacedSource(source, pace)])
    try:
        return await dashboard(watcher, query)
    finally:
        await watcher.close()


def _speed(text: str) -> float:
    if text == MAX:
        return math.inf
    speed = float(text)
    if not 0 < speed < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a speed above 0, nor {MAX}")
    return speed


def _seek(text: str) -> Pace:
    """Where to begin; a time without a zone is UTC, as the entries' are."""
    if text.isascii() and text.isdecimal():
        return Pace(from_index=int(text))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither an index nor a time") from None
    return Pace(from_time=(when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
