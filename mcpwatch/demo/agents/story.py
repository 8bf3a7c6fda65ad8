"""The story: every act once, briskly, and then round after round until somebody ends it."""

import asyncio
import itertools
from collections.abc import Callable, Iterator
from random import Random

from mcpwatch.demo.agents.acts import ACTS, Act, rounds
from mcpwatch.demo.agents.stage import Stage

_BRISK_S = 0.6
_CALM_S = (2.0, 4.0)
_AT_ONCE = 8
"""Acts that may be on stage together; a long one does not hold up the next."""

Tell = Callable[[Act, str], None]
"""Called with an act as it begins, and again with a reason if it fails."""


async def play(stage: Stage, seed: int, tell: Tell) -> None:
    """Play until cancelled."""
    places = asyncio.Semaphore(_AT_ONCE)
    async with asyncio.TaskGroup() as playing:
        for act, pause in story(seed):
            await places.acquire()
            task = playing.create_task(perform(act, stage, tell), name=act.name)
            task.add_done_callback(lambda _: places.release())
            await asyncio.sleep(pause)


def story(seed: int) -> Iterator[tuple[Act, float]]:
    """Acts without end, each with the seconds to wait before the next; a seed gives always the same."""
    random = Random(seed)  # noqa: S311 (an order, not a secret)
    for act in ACTS:
        yield act, _BRISK_S
    for act in itertools.chain.from_iterable(rounds(random)):
        yield act, random.uniform(*_CALM_S)


async def perform(act: Act, stage: Stage, tell: Tell) -> None:
    """Play one act; whatever goes wrong in it ends only the act, and is told."""
    tell(act, "")
    try:
        await act.play(stage)
    except Exception as error:
        tell(act, reason(error))


def reason(error: BaseException) -> str:
    """The innermost cause of a failure, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}"
