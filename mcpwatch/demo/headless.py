"""The demo without a screen: says where the feed is and what is happening."""

import asyncio
import signal
import time
from collections.abc import Callable

from mcpwatch.demo.run import Demo, start_demo
from mcpwatch.text import show

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def run_headless(say: Callable[[str], None], *, seconds: float | None = None, seed: int = 1) -> None:
    """Run for so many seconds, or until SIGINT, SIGTERM or SIGHUP; `say` gets each line.

    Raises LocalError when a part of the demo ends early.
    """
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _ENDING:
        # Under nohup SIGHUP is ignored, and must stay so.
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, ended.set)
    demo = await start_demo(seed=seed)
    try:
        for line in greeting(demo):
            say(line)
        telling = asyncio.create_task(tell(demo, say))
        ending = asyncio.create_task(ended.wait())
        await asyncio.wait({telling, ending}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        ending.cancel()
        if telling.done():
            telling.result()
        telling.cancel()
        await asyncio.wait({telling})
    finally:
        await demo.stop()


async def tell(demo: Demo, say: Callable[[str], None]) -> None:
    """One line an act."""
    async for told in demo.told():
        failed = f"  (failed: {told.failed})" if told.failed else ""
        say(f"{time.strftime('%H:%M:%S')}  {told.act:18} {show(told.shows + failed)}")


def greeting(demo: Demo) -> list[str]:
    """Where everything is."""
    return [
        f"gateway  {demo.gateway_address}",
        f"feed     {demo.feed_address}",
        f"watch it from another terminal with: mcpwatch watch {demo.feed_address}",
    ]
