"""The crowd: evenly paced, every scheme and both eras of it real, and none of it an alert."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
from aiohttp import ClientSession

from mcpwatch.demo.crowd.agents import SCHEMES, Agent
from mcpwatch.demo.crowd.pace import MOST_BEHIND_S, Pace
from mcpwatch.demo.crowd.tools import OFFERED
from mcpwatch.demo.run import Backend, open_backend
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.alerts import Severity
from mcpwatch.model.feed import FeedStatus
from mcpwatch.model.identity import Word
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised

AGENTS = len(OFFERED) * len(SCHEMES) * 2
"""So many that each scheme speaks each era."""
ROUNDS = 3


class Heard:
    """The verdicts on calls of tools, and when there are as many as were made."""

    def __init__(self) -> None:
        self.calls: list[Word] = []
        self.all = asyncio.Event()

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        if row.kind == "request" and row.method == "tools/call" and row.verdict is not None:
            self.calls.append(row.verdict.word)
        if len(self.calls) == AGENTS * ROUNDS:
            self.all.set()

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None: ...

    def alerts(self, raised: Sequence[Raised]) -> None: ...

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None: ...


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with open_backend(has_crowd=True) as opened:
        yield opened


async def test_they_sign_as_they_say_and_raise_no_alert_but_for_what_is_unsigned(backend: Backend) -> None:
    async with ClientSession() as http:
        agents = [Agent(number, backend.gateway.listen, http) for number in range(AGENTS)]
        for _ in range(ROUNDS):
            await asyncio.gather(*(agent.call() for agent in agents))
    feed = HttpSource(backend.gateway.feed, backend.token, state=backend.state)
    watcher = open_watcher([feed], backend.state)
    heard = Heard()
    watching = asyncio.create_task(watcher.run(heard))
    try:
        async with asyncio.timeout(60):
            await heard.all.wait()
        calls = heard.calls
        unsigned = sum(word is Word.UNSIGNED for word in calls)
        assert unsigned == len(calls) // len(SCHEMES)
        assert {word for word in calls if word is not Word.UNSIGNED} <= {Word.VERIFIED, Word.PARTIAL}
        told = {alert.rule for alert in watcher.state.alerts.values() if alert.severity > Severity.LOW}
        assert told == {"identity/unsigned-call", "session/anonymous"}
        assert len({tool for names in OFFERED.values() for tool in names}) == 50
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await watcher.close()


async def test_turns_come_evenly_and_what_is_far_behind_is_not_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    now, slept = [100.0], list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(round(seconds, 6))
        now[0] += seconds

    monkeypatch.setattr(asyncio, "sleep", sleep)
    pace = Pace(10.0, clock=lambda: now[0])
    for _ in range(3):
        await pace.turn()
    assert slept == [0.1, 0.1, 0.1]
    now[0] += 60
    slept.clear()
    for _ in range(8):
        await pace.turn()
    assert slept[:6] == [0] * 6 and slept[6] > 0
    assert pace.turns == 11 and sum(slept) < MOST_BEHIND_S
