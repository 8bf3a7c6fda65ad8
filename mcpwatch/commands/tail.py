"""`mcpwatch tail`: the same as watch without a screen, for pipes."""

import argparse
import asyncio
import signal
import sys

from mcpwatch.commands import sources
from mcpwatch.watch.tail import TailOptions, tail


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line; the README has its shape")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N entries")
    parser.add_argument("--until-idle", type=float, metavar="SECONDS", help="stop when no entry came for so long")


def run(options: argparse.Namespace) -> int:
    place = sources.find(options)
    query = sources.query(options.filter)
    tail_options = TailOptions(query=query, json=options.json, count=options.count, until_idle=options.until_idle)
    return asyncio.run(_tail(place, tail_options))


async def _tail(place: sources.Place, options: TailOptions) -> int:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 (asyncio.run made it)
    loop.add_signal_handler(signal.SIGTERM, task.cancel)
    watcher = await sources.open_watcher(place)
    try:
        await tail(watcher, sys.stdout, options)
    except asyncio.CancelledError:
        return 128 + signal.SIGTERM
    finally:
        await watcher.close()
    return sources.exit_code(watcher.state.feeds.values())
