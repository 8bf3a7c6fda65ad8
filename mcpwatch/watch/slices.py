"""Long work in slices, so that the screen gets its turn."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar

SLICE = 200
"""Things done between two chances for the screen."""
SLICE_S = 0.02

T = TypeVar("T")


async def in_slices(work: Callable[[T], object], things: Iterable[T]) -> None:
    """Do the work with each of the things, in their order, and let others have a turn now and then."""
    until, count = time.perf_counter() + SLICE_S, 0
    for thing in things:
        work(thing)
        count += 1
        if count >= SLICE or time.perf_counter() > until:
            await asyncio.sleep(0)
            until, count = time.perf_counter() + SLICE_S, 0
