"""`mcpwatch tail`: the same as watch without a screen, for pipes."""

import argparse
import asyncio
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.signals import until_signalled
from mcpwatch.watch.tail import TailOptions, tail


def arguments(parser: argparse.ArgumentParser) -> None:
    sources.arguments(parser)
    parser.add_argument("--json", action="store_true", help="one JSON object a line; the README has its shape")
    parser.add_argument("--count", type=int, metavar="N", help="stop after N entries")
    parser.add_argument("--until-idle", type=float, metavar="SECONDS", help="stop when no entry came for so long")


def run(options: argparse.Namespace) -> int:
    target = sources.find(options)
    query = sources.query(options.filter)
    tailing = TailOptions(query=query, json=options.json, count=options.count, until_idle=options.until_idle)
    return asyncio.run(until_signalled(_tail(target, tailing)))


async def _tail(target: sources.Target, options: TailOptions) -> int:
    watcher = await sources.open_watcher(target)
    try:
        await tail(watcher, sys.stdout, options)
    finally:
        await watcher.close()
    return sources.exit_code(watcher.state.feeds.values())
