"""A replay gives each entry out when it is its time, and all that is on the way to a goal at once."""

import math
from pathlib import Path

import pytest
from taped import tape
from tiny_log import START

from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.model.feed import FeedState
from mcpwatch.watch.paced import PacedSource
from mcpwatch.watch.transport import Goal, Transport


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


def paced(path: Path, time: Time, *, speed: float = 1.0, goal: Goal | None = None) -> PacedSource:
    transport = Transport(speed=speed, goal=goal, clock=time, sleep=time.sleep)
    return PacedSource(RecordingSource(path), transport)


@pytest.mark.parametrize(
    ("speed", "goal", "seen"),
    [
        (1, None, [0, 1, 2, 3, 4, 5]),
        (2, None, [0, 0.5, 1, 1.5, 2, 2.5]),
        (math.inf, None, [0] * 6),
        (1, Goal(index=4), [0, 0, 0, 0, 0, 1]),
        (1, Goal(time=START + 2.5), [0, 0, 0, 0.5, 1.5, 2.5]),
        (1, Goal(index=99), [0] * 6),
    ],
)
async def test_entries_come_at_their_time(tmp_path: Path, speed: float, goal: Goal | None, seen: list[float]) -> None:
    tape(tmp_path / "tiny.mcpfeed", checkpoints=2, every=3)
    time = Time()
    source = paced(tmp_path / "tiny.mcpfeed", time, speed=speed, goal=goal)
    came = [(entry.index, time.now - 100) async for batch in source.batches() for entry in batch]
    assert came == list(enumerate(seen))
    assert source.status.state is FeedState.ENDED


async def test_a_checkpoint_counts_when_its_entries_were_seen(tmp_path: Path) -> None:
    tape(tmp_path / "tiny.mcpfeed", checkpoints=1, every=3)
    source = paced(tmp_path / "tiny.mcpfeed", Time())
    proven = [(batch[0].index, source.status.verified_size) async for batch in source.batches() if batch]
    assert proven == [(0, 0), (1, 0), (2, 3)]


async def test_it_says_that_it_is_a_replay(tmp_path: Path) -> None:
    tape(tmp_path / "tiny.mcpfeed")
    source = paced(tmp_path / "tiny.mcpfeed", Time(), speed=10)
    details = [source.status.detail async for batch in source.batches() if batch]
    assert set(details) == {"a replay at 10 times its speed, and not what happens now"}


async def test_entries_are_received_at_the_time_they_were_made(tmp_path: Path) -> None:
    tape(tmp_path / "tiny.mcpfeed", checkpoints=1, every=3)
    source = paced(tmp_path / "tiny.mcpfeed", Time(), speed=10)
    received = [entry.received - START async for batch in source.batches() for entry in batch]
    assert received == [0, 1, 2]
