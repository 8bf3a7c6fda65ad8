"""A feed beside others that will not have us, or has no token: it says so, and is asked again."""

from contextlib import aclosing

import pytest
from fake_gateway import FakeGateway, FakeTime, answering, saying
from tiny_log import TinyLog

from mcpwatch.errors import ConnectError, LocalError
from mcpwatch.feed.patient import PatientSource, UnreadSource
from mcpwatch.feed.source import Source
from mcpwatch.model.feed import FeedState


@pytest.fixture
def gateway() -> FakeGateway:
    log = TinyLog()
    log.grow(3)
    return FakeGateway(log)


async def test_it_is_asked_again_until_it_lets_us_in(gateway: FakeGateway) -> None:
    time = FakeTime()
    opened = 0

    def open() -> Source:
        nonlocal opened
        opened += 1
        if opened == 1:
            raise LocalError("the token file is not there", "Make it")
        gateway.streams = [saying(401)] if opened == 2 else [gateway.whole]
        return gateway.source(time)

    source = PatientSource("lab", "http://lab:1", open, clock=time.clock, sleep=time.sleep)
    states: list[tuple[FeedState, str]] = [(source.status.state, "")]
    async with aclosing(source.batches()) as batches:
        async for batch in batches:
            status = source.status
            if (status.state, status.detail) != states[-1]:
                states.append((status.state, status.detail))
                if status.state is FeedState.REFUSED:
                    assert status.retry_at is not None
                    assert status.retry_at > time.clock()
            if batch:
                break
    told = [state for state, _ in states]
    assert told[:3] == [FeedState.CONNECTING, FeedState.REFUSED, FeedState.REFUSED], "asking again is no news"
    assert told[3] is not FeedState.CONNECTING
    assert states[1][1] == "the token file is not there. Make it"
    assert "401" in states[2][1]
    assert [entry.index for entry in batch][:1] == [0]
    await source.close()


async def test_what_refuses_us_later_stays_refused(gateway: FakeGateway) -> None:
    """Its entries were given out already: read anew they would come twice."""
    time = FakeTime()
    opened: list[Source] = []

    def open() -> Source:
        whole = answering(*map(gateway.log.entry, range(3)), gateway.log.checkpoint())
        gateway.streams = [whole, saying(401)]
        opened.append(gateway.source(time))
        return opened[-1]

    source = PatientSource("lab", "http://lab:1", open, clock=time.clock, sleep=time.sleep)
    entries = [entry.index async for batch in source.batches() for entry in batch]
    assert entries == [0, 1, 2]
    assert len(opened) == 1
    assert source.status.state is FeedState.REFUSED


async def test_closing_it_ends_the_wait() -> None:
    def open() -> Source:
        raise LocalError("no")

    source = PatientSource("lab", "http://lab:1", open, again_s=1e9)
    batches = source.batches()
    assert await anext(batches) == []
    await source.close()
    assert [batch async for batch in batches] == []


@pytest.mark.parametrize(
    ("error", "state"),
    [(ConnectError("down", "Start it"), FeedState.DISCONNECTED), (LocalError("no file"), FeedState.REFUSED)],
)
async def test_what_cannot_be_read_ends_and_says_why(error: ConnectError | LocalError, state: FeedState) -> None:
    source = UnreadSource("lab", "http://lab:1", error)
    assert [batch async for batch in source.batches()] == [[]]
    assert source.status.state is state
    assert source.status.detail.startswith(error.title)
