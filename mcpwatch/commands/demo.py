"""`mcpwatch demo`: a gateway, servers and agents on this machine, watched live."""

import argparse
import asyncio
import contextlib
import signal
import sys

from mcpwatch.commands import sources
from mcpwatch.commands.watch import dashboard, require_terminal
from mcpwatch.demo.run import Demo, start_demo
from mcpwatch.text import show


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--headless", action="store_true", help="no screen; print the feed's address and each act")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop after N seconds (with --headless)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="the story's order (%(default)s)")


def run(options: argparse.Namespace) -> int:
    if options.headless:
        return asyncio.run(_headless(options))
    require_terminal()
    return asyncio.run(_watched(options))


async def _watched(options: argparse.Namespace) -> int:
    print("starting servers, gateway and agents …", file=sys.stderr)
    demo = await start_demo(seed=options.seed)
    try:
        watcher = await sources.open_watcher(sources.place(sources.Feed(demo.feed_address, demo.token), demo.state))
        try:
            return await dashboard(watcher)
        finally:
            await watcher.close()
    finally:
        await demo.stop()


async def _headless(options: argparse.Namespace) -> int:
    loop = asyncio.get_running_loop()
    stopped: asyncio.Future[int] = loop.create_future()

    def stop(number: int) -> None:
        if not stopped.done():
            stopped.set_result(0 if number == 0 else 128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stop, number)
    demo = await start_demo(seed=options.seed)
    telling = asyncio.create_task(_tell(demo))
    try:
        if options.seconds is not None:
            loop.call_later(options.seconds, stop, 0)
        ends: tuple[asyncio.Future[int], asyncio.Future[int]] = (stopped, telling)
        done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        return done.pop().result()
    finally:
        telling.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(telling, return_exceptions=True)
        await demo.stop()


async def _tell(demo: Demo) -> int:
    """Print what the demo does until it stops; raises LocalError when it stops by itself."""
    print(demo.feed_address, flush=True)
    print(f"watch it from another terminal: mcpwatch watch {demo.feed_address}", flush=True)
    async for told in demo.told():
        failed = f" (failed: {told.failed})" if told.failed else ""
        print(show(f"{told.act}: {told.shows}{failed}"), flush=True)
    return 0
