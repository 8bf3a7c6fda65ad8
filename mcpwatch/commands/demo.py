"""`mcpwatch demo`: a gateway, servers and agents on this machine, watched live."""

import argparse
import asyncio
import contextlib
import sys
from typing import TYPE_CHECKING

from mcpwatch.commands import sources
from mcpwatch.commands.named_sources import Feed
from mcpwatch.commands.signals import until_signalled
from mcpwatch.commands.watch import configured, dashboard, require_terminal
from mcpwatch.config import load
from mcpwatch.demo.run import Crowd, Demo, start_demo
from mcpwatch.errors import UsageError
from mcpwatch.files import config_file
from mcpwatch.program import program
from mcpwatch.text import show

if TYPE_CHECKING:
    from mcpwatch.ui.settings import Settings

_RATE_OF_ONE = 10
"""Entries a second of one agent, where nobody says how many: two or three calls."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen; print the feed's address and each act")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (with --headless)")
    parser.add_argument("--agents", type=_positive, metavar="N", help="so many more agents, who work without end")
    parser.add_argument(
        "--rate",
        type=_positive,
        metavar="N",
        help="entries a second that those agents make, as far as this machine can (10 for each agent)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the story's order (%(default)s)")


def run(options: argparse.Namespace) -> int:
    if options.rate and not options.agents:
        raise UsageError("--rate says how fast the agents of --agents are", "Say how many: --agents 200 --rate 2000")
    if options.headless:
        return asyncio.run(until_signalled(_headless(options)))
    # The demo has a configuration of its own; keys and colours are those of whoever looks at it.
    settings = configured(load(config_file()), config_file())
    require_terminal()
    return asyncio.run(until_signalled(_watched(options, settings)))


async def _watched(options: argparse.Namespace, settings: "Settings") -> int:
    print("starting servers, gateway and agents …", file=sys.stderr)
    demo = await start_demo(seed=options.seed, crowd=_crowd(options))
    try:
        watcher = await sources.open_watcher(sources.target_of(Feed(demo.feed_address, demo.token), demo.state))
        try:
            return await dashboard(watcher, settings=settings)
        finally:
            await watcher.close()
    finally:
        _tell_pace(demo)
        await demo.stop()


async def _headless(options: argparse.Namespace) -> int:
    demo = await start_demo(seed=options.seed, crowd=_crowd(options))
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.seconds):
                await _tell(demo)
    finally:
        _tell_pace(demo)
        await demo.stop()
    return 0


def _crowd(options: argparse.Namespace) -> Crowd | None:
    """The agents beside the story."""
    if not options.agents:
        return None
    return Crowd(options.agents, options.rate or options.agents * _RATE_OF_ONE)


def _tell_pace(demo: Demo) -> None:
    """Say how fast the crowd came to be, which may be less than was asked for."""
    if demo.pace:
        print(show(f"the agents of --agents made {demo.pace} in their last seconds"), file=sys.stderr)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


async def _tell(demo: Demo) -> None:
    """Print what the demo does until it stops; raises LocalError when it stops by itself."""
    print(demo.feed_address, flush=True)
    print(f"watch it from another terminal: {program()} watch {demo.feed_address}", flush=True)
    async for event in demo.events():
        failed = f" (failed: {event.failed})" if event.failed else ""
        print(show(f"{event.act}: {event.shows}{failed}"), flush=True)
