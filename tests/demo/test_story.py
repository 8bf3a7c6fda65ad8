"""The order of the demo's acts."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import islice

import pytest

from mcpwatch.demo.agents import story
from mcpwatch.demo.agents.acts import ACTS, Act
from mcpwatch.demo.agents.stage import Stage
from mcpwatch.demo.keyring import Keyring
from mcpwatch.demo.places import Places

STAGE = Stage(Places("http://gateway.test"), Keyring())


def opening(seed: int, length: int) -> list[tuple[str, float]]:
    return [(act.name, pause) for act, pause in islice(story.story(seed), length)]


def test_every_act_comes_once_within_half_a_minute() -> None:
    first = opening(1, len(ACTS))
    assert sorted(name for name, _ in first) == sorted({act.name for act in ACTS})
    assert sum(pause for _, pause in first) < 30


def test_a_seed_gives_one_story() -> None:
    assert opening(7, 200) == opening(7, 200)
    assert opening(7, 200) != opening(8, 200)


def test_the_story_goes_on_calmly_with_every_act_in_it() -> None:
    later = opening(3, 400)[len(ACTS) :]
    assert {name for name, _ in later} == {act.name for act in ACTS}
    assert all(2.0 <= pause <= 4.0 for _, pause in later)


def test_most_of_the_later_story_is_honest_work() -> None:
    trouble = {act.name for act in ACTS if not act.honest}
    later = Counter(name for name, _ in opening(3, 1000)[len(ACTS) :])
    assert 0.1 < sum(later[name] for name in trouble) / later.total() < 0.3
    assert max(later[name] for name in trouble) - min(later[name] for name in trouble) <= 1


def act_that(play: Callable[[Stage], Awaitable[None]]) -> Act:
    return Act("a", "something", play)


async def test_a_failure_ends_the_act_alone_and_is_told() -> None:
    told: list[tuple[str, str]] = []

    async def fail(stage: Stage) -> None:
        raise ExceptionGroup("outer", [ExceptionGroup("inner", [ValueError("no such note")])])

    await story.perform(act_that(fail), STAGE, lambda act, why: told.append((act.name, why)))
    assert told == [("a", ""), ("a", "ValueError: no such note")]


async def test_long_acts_leave_room_for_a_bounded_number_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[str] = []
    curtain = asyncio.Event()

    async def linger(stage: Stage) -> None:
        await curtain.wait()

    async def turns(number: int) -> None:
        for _ in range(number):
            await asyncio.sleep(0)

    monkeypatch.setattr(story, "story", lambda seed: ((act_that(linger), 0.0) for _ in range(1000)))
    playing = asyncio.create_task(story.play(STAGE, 1, lambda act, why: begun.append(act.name)))
    await turns(100)
    assert len(begun) == 8
    curtain.set()
    await turns(100)
    assert len(begun) > 8
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
