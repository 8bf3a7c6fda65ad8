"""Ending in good order when somebody asks for it."""

import asyncio
import signal
from collections.abc import Coroutine

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


async def until_signalled(work: Coroutine[object, object, int]) -> int:
    """Run `work` to its exit code; a signal cancels it, lets it clean up, and makes the code 128 + N.

    A signal that was ignored from the start stays so: `nohup` means it.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.ensure_future(work)
    caught: list[int] = []

    def stop(number: int) -> None:
        caught.append(number)
        task.cancel()

    for number in ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, stop, number)
    try:
        return await task
    except asyncio.CancelledError:
        if not caught:
            raise
        return 128 + caught[0]
