"""A replay gives each entry out when it is its time, and all that was before its beginning at once."""

import math
from pathlib import Path

import pytest
from taped import tape
from tiny_log import START

from mcpwatch.feed.paced import Pace, PacedSource
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.model.feed import FeedState


class Time:
    """A clock that sleeping moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.mark.parametrize(
    ("pace", "seen"),
    [
        (Pace(), [0, 1, 2, 3, 4, 5]),
        (Pace(speed=2), [0, 0.5, 1, 1.5, 2, 2.5]),
        (Pace(speed=math.inf), [0] * 6),
        (Pace(from_index=4), [0, 0, 0, 0, 0, 1]),
        (Pace(from_time=START + 2.5), [0, 0, 0, 0, 1, 2]),
        (Pace(from_index=99), [0] * 6),
    ],
)
async def test_entries_come_at_their_time(tmp_path: Path, pace: Pace, seen: list[float]) -> None:
    tape(tmp_path / "tiny.mcpfeed", checkpoints=2, every=3)
    time = Time()
    source = PacedSource(RecordingSource(tmp_path / "tiny.mcpfeed"), pace, clock=time, sleep=time.sleep)
    came = [(entry.index, time.now - 100) async for batch in source.batches() for entry in batch]
    assert came == list(enumerate(seen))
    assert source.status.state is FeedState.ENDED


async def test_a_checkpoint_counts_when_its_entries_were_seen(tmp_path: Path) -> None:
    tape(tmp_path / "tiny.mcpfeed", checkpoints=1, every=3)
    time = Time()
    source = PacedSource(RecordingSource(tmp_path / "tiny.mcpfeed"), Pace(), clock=time, sleep=time.sleep)
    proven = [(batch[0].index, source.status.verified_size) async for batch in source.batches() if batch]
    assert proven == [(0, 0), (1, 0), (2, 3)]


async def test_it_says_that_it_is_a_replay(tmp_path: Path) -> None:
    tape(tmp_path / "tiny.mcpfeed")
    time = Time()
    source = PacedSource(RecordingSource(tmp_path / "tiny.mcpfeed"), Pace(speed=10), clock=time, sleep=time.sleep)
    details = [source.status.detail async for batch in source.batches() if batch]
    assert set(details) == {"a replay at 10 times its speed, and not what happens now"}
