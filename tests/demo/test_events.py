"""What the agents say, and who listens."""

import asyncio
from collections.abc import AsyncIterator

import msgspec

from mcpwatch.demo.events import REMEMBERED, ActEvent, ActEvents


async def lines(first: int, last: int, more: asyncio.Event | None = None) -> AsyncIterator[bytes]:
    for number in range(first, last):
        yield msgspec.json.encode(ActEvent(str(number), "something"))
    if more is not None:
        await more.wait()
        async for line in lines(last, last + 1):
            yield line


async def test_it_says_everything_in_order_and_ends() -> None:
    acts = ActEvents(lines(0, 50))
    assert [event.act async for event in acts.events()] == [str(number) for number in range(50)]
    await acts.ended()


async def test_it_is_heard_though_nobody_listens_and_the_newest_is_kept() -> None:
    acts = ActEvents(lines(0, REMEMBERED + 10))
    await acts.ended()
    assert [event.act async for event in acts.events()] == [str(number) for number in range(10, REMEMBERED + 10)]


async def test_an_end_while_one_is_being_handled_is_noticed() -> None:
    more = asyncio.Event()
    acts = ActEvents(lines(0, 1, more))
    heard = []
    async for event in acts.events():
        heard.append(event.act)
        more.set()
        await acts.ended()
    assert heard == ["0", "1"]
