"""Tasks that are ended."""

import asyncio
from typing import TypeVar

T = TypeVar("T")


async def cancel(*tasks: asyncio.Future[T]) -> None:
    """Cancel tasks, and wait until each is over, however it ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
