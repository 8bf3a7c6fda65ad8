"""`mcpwatch replay`: the dashboard on a recording, as it happened."""

import argparse
import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwatch.commands import sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.commands.watch import require_terminal, settings_of
from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import UsageError
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.garbage import no_look
from mcpwatch.policy.kept import KeptPolicy
from mcpwatch.watch import seeking
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.paced import PacedSource
from mcpwatch.watch.player import Player
from mcpwatch.watch.query import Query
from mcpwatch.watch.seeking import MAX
from mcpwatch.watch.transport import Goal, Transport
from mcpwatch.watch.watcher import Watcher

if TYPE_CHECKING:
    from mcpwatch.ui.settings import Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="the recording, as mcpwatch record makes it")
    parser.add_argument(
        "--speed", type=_speed, default=1.0, metavar="N", help=f"times as fast as it happened, or {MAX} (1)"
    )
    parser.add_argument(
        "--seek",
        type=_seek,
        default=None,
        metavar="INDEX|TIME",
        help="begin at this entry, or at this time such as 2026-11-22T12:00:00Z; what was before is there at once",
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="the policy to watch by (policy.toml beside the configuration)"
    )
    parser.add_argument("--filter", default="", metavar="FILTER", help="show what passes, e.g. 'sig:bad | sev>=high'")


def run(options: argparse.Namespace) -> int:
    target = sources.recorded(options.file, options.policy)
    query = sources.query(options.filter, target.config)
    require_terminal()
    return asyncio.run(until_signalled(_replay(options, target, query, settings_of(target))))


async def _replay(options: argparse.Namespace, target: sources.Target, query: Query, settings: "Settings") -> int:
    with no_look():
        from mcpwatch.ui.replay import ReplayApp

    def open(transport: Transport) -> Watcher:
        source = RecordingSource(options.file, name=f"replay of {options.file.name}", state=target.state)
        policy = KeptPolicy(target.policy.path, CATALOGUE, is_named=options.policy is not None)
        return open_watcher(
            [PacedSource(source, transport)],
            target.state,
            target.config,
            config_path=target.config_path,
            policy=policy,
            present=transport.now,
        )

    player = Player(open, Transport(speed=options.speed, goal=options.seek))
    try:
        app = ReplayApp(player, rules=CATALOGUE, query=query)
        app.take(settings)
        await app.run_async()
        return app.return_code or 0
    finally:
        await player.close()


def _speed(text: str) -> float:
    try:
        return seeking.speed(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(f"{error.title}: {error.hint}") from None


def _seek(text: str) -> Goal:
    """Where to begin; a time without a zone is UTC, as the entries' are."""
    if text.isascii() and text.isdecimal():
        return Goal(index=int(text))
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither an index nor a time") from None
    return Goal(time=(when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())
