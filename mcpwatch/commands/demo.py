"""`mcpwatch demo`: a gateway, servers and agents on this machine, watched live."""

import argparse
import asyncio
import contextlib
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.named_sources import Feed
from mcpwatch.commands.signals import until_signalled
from mcpwatch.commands.watch import dashboard, require_terminal
from mcpwatch.demo.run import Demo, start_demo
from mcpwatch.program import program
from mcpwatch.text import show


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen; print the feed's address and each act")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (with --headless)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the story's order (%(default)s)")


def run(options: argparse.Namespace) -> int:
    if not options.headless:
        require_terminal()
    return asyncio.run(until_signalled(_headless(options) if options.headless else _watched(options)))


async def _watched(options: argparse.Namespace) -> int:
    print("starting servers, gateway and agents …", file=sys.stderr)
    demo = await start_demo(seed=options.seed)
    try:
        watcher = await sources.open_watcher(sources.target_of(Feed(demo.feed_address, demo.token), demo.state))
        try:
            return await dashboard(watcher)
        finally:
            await watcher.close()
    finally:
        await demo.stop()


async def _headless(options: argparse.Namespace) -> int:
    demo = await start_demo(seed=options.seed)
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.seconds):
                await _tell(demo)
    finally:
        await demo.stop()
    return 0


async def _tell(demo: Demo) -> None:
    """Print what the demo does until it stops; raises LocalError when it stops by itself."""
    print(demo.feed_address, flush=True)
    print(f"watch it from another terminal: {program()} watch {demo.feed_address}", flush=True)
    async for event in demo.events():
        failed = f" (failed: {event.failed})" if event.failed else ""
        print(show(f"{event.act}: {event.shows}{failed}"), flush=True)
