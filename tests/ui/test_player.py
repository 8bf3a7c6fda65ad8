"""A recording under a player: whatever one does with it, what is seen is what reading up to that place shows."""

import asyncio
import math
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from retold import Stage, retell
from scene import Scene

from mcpwatch.errors import McpwatchError
from mcpwatch.ui.player_bar import player_line
from mcpwatch.watch import seeking
from mcpwatch.watch.state import State
from mcpwatch.watch.transport import SPEEDS, Goal, Stop, Transport

pytest_plugins = ["played"]

LAST = 99_999


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("story")
    return retell(Scene(folder).play(), folder / "story.mcpfeed")


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Stage]:
    run = asyncio.get_running_loop().create_task(stage.player.run())
    try:
        await stage.settle()
        yield stage
    finally:
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        await stage.player.close()


def told(state: State) -> dict[str, object]:
    """What a person sees of a state."""
    return {
        "rows": [(row.index, row.kind, row.time, row.verdict and row.verdict.word, row.alerts) for row in state.rows],
        "alerts": {key: (alert.state, alert.count, alert.evidence) for key, alert in state.alerts.items()},
        "sessions": sorted(map(str, state.sessions)),
        "calls": sorted((call.id, call.status, call.ended) for call in state.calls.values()),
        "counts": (state.counts.entries, dict(state.counts.kinds), +state.counts.words, state.counts.findings),
        "tools": sorted(map(str, state.tools)),
        "rate": state.entry_rate.series(state.now),
    }


moves = st.one_of(
    st.tuples(st.just("seek"), st.integers(0, 140)),
    st.tuples(st.just("step"), st.sampled_from(Stop)),
    st.tuples(st.just("speed"), st.sampled_from(SPEEDS[:-1])),
    st.tuples(st.just("toggle"), st.none()),
    st.tuples(st.just("pass"), st.floats(0, 3)),
    st.tuples(st.just("time"), st.floats(-3, 3)),
)


async def act(stage: Stage, move: tuple[str, object]) -> None:
    player, (name, value) = stage.player, move
    if name == "seek" and isinstance(value, int):
        await player.seek(Goal(index=value))
    elif name == "time" and isinstance(value, float) and player.transport.now():
        await player.seek(Goal(time=player.time + value))
    elif name == "step" and isinstance(value, Stop):
        player.step(value)
    elif name == "speed" and isinstance(value, float):
        player.set_speed(value)
    elif name == "toggle":
        player.toggle()
    elif name == "pass" and isinstance(value, float):
        await stage.pass_by(value)
    await stage.settle()


@settings(max_examples=25, deadline=None)
@given(made=st.lists(moves, min_size=1, max_size=6))
async def test_whatever_was_done_the_state_is_that_of_reading_straight_to_the_place(
    story: Path, made: list[tuple[str, object]]
) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        stage = Stage(story, Path(one))
        async with running(stage):
            for move in made:
                await act(stage, move)
            seen = told(stage.player.watcher.state)
            index = stage.player.transport.index
            now = stage.player.watcher.tick()
        stage = Stage(story, Path(other), goal=Goal(index=index))
        async with running(stage):
            state = stage.player.watcher.state
            state.advance(now)
            assert told(state) | {"rate": None} == seen | {"rate": None}


@pytest.mark.parametrize("move", [("step", Stop.ENTRY), ("step", Stop.CALL), ("step", Stop.ALERT)])
async def test_a_step_stops_at_what_it_looks_for(story: Path, tmp_path: Path, move: tuple[str, Stop]) -> None:
    stage = Stage(story, tmp_path)
    async with running(stage):
        await act(stage, ("seek", 3))
        assert stage.player.transport.index == 3
        await act(stage, move)
        newest = list(stage.player.watcher.state.rows)[-1]
        assert {
            Stop.ENTRY: newest.index == 4,
            Stop.CALL: bool(newest.seen.opened),
            Stop.ALERT: bool(newest.alerts),
        }[move[1]]
        assert not stage.player.transport.playing


async def test_it_plays_by_the_clock_and_stands_when_paused(story: Path, tmp_path: Path) -> None:
    stage = Stage(story, tmp_path, playing=True)
    async with running(stage):
        player = stage.player
        began = player.transport.now()
        await stage.pass_by(1.0)
        assert player.transport.now() - began == pytest.approx(1.0)
        player.set_speed(2.0)
        await stage.pass_by(0.25)
        assert player.transport.now() - began == pytest.approx(1.5)
        player.toggle()
        there = player.transport.index
        await stage.pass_by(3600)
        assert player.transport.index == there
        assert player.transport.now() - began == pytest.approx(1.5)
        assert player.watcher.tick() - began == pytest.approx(1.5)


async def test_at_the_end_it_says_so_and_a_way_back_opens_it_again(story: Path, tmp_path: Path) -> None:
    stage = Stage(story, tmp_path, playing=True)
    async with running(stage):
        await act(stage, ("speed", math.inf))
        player = stage.player
        assert player.transport.is_over and not player.transport.is_moving
        whole, marks = len(player.watcher.state.rows), player.marks
        await act(stage, ("seek", 5))
        assert player.transport.index == 5 and len(player.watcher.state.rows) == 6 < whole
        assert not player.transport.playing
        assert player.marks == marks


async def test_a_recording_that_is_gone_leaves_all_as_it_is(story: Path, tmp_path: Path) -> None:
    path = tmp_path / "copy.mcpfeed"
    path.write_bytes(story.read_bytes())
    stage = Stage(path, tmp_path)
    async with running(stage):
        await act(stage, ("seek", 30))
        path.unlink()
        with pytest.raises(McpwatchError, match="cannot be read"):
            await stage.player.seek(Goal(index=4))
        assert stage.player.coming is None and stage.player.transport.index == 30


@pytest.mark.parametrize(("kept", "newest"), [(0, -1), (1, -1), (400, 0)])
async def test_a_recording_that_is_cut_off_plays_to_where_it_ends(
    story: Path, tmp_path: Path, kept: int, newest: int
) -> None:
    path = tmp_path / "cut.mcpfeed"
    data = story.read_bytes()
    path.write_bytes(data[: data.index(b"\n\n") + 2 + kept])
    stage = Stage(path, tmp_path)
    async with running(stage):
        await act(stage, ("seek", LAST))
        assert stage.player.transport.is_over
        assert stage.player.transport.index == newest


@pytest.mark.parametrize("goal", [Goal(index=19), Goal(time=109.0)])
def test_how_far_a_way_is_done_is_told_by_index_or_by_time(goal: Goal) -> None:
    transport = Transport(goal=goal)
    transport.begin(10, 1_000)
    assert transport.share == 0.0
    told = []
    for step in range(10):
        transport.gave(10 + step, 100.0 + step)
        assert transport.share is not None
        told.append(transport.share)
    assert told == sorted(told) and told[-1] == 1.0
    assert told[4] == pytest.approx(0.5 if goal.index > 0 else 4 / 9)


@pytest.mark.usefixtures("same_everywhere")
async def test_the_bar_tells_how_far_the_way_back_is(story: Path, tmp_path: Path) -> None:
    stage = Stage(story, tmp_path, goal=Goal(index=80))
    async with running(stage):
        await stage.player.seek(Goal(index=40))
        told = []
        while not stage.player.has_arrived:
            bar = "".join(part.text for part in player_line(stage.player, 80).spans)
            told.append(int(re.findall(r"« back to entry 40: (\d+) %  12:", bar)[0]))
            await asyncio.sleep(0)
        assert told[0] == 0 and told == sorted(told) and len(set(told)) > 1


NOON = 1_795_348_800.0


@pytest.mark.usefixtures("same_everywhere")
@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("alert", Goal(stop=Stop.ALERT)),
        ("1500", Goal(index=1500)),
        ("12:03:20", Goal(time=NOON + 200)),
        ("9:00", Goal(time=NOON - 10_800)),
        ("12:00:00.5", Goal(time=NOON + 0.5)),
        ("-30s", Goal(time=NOON - 20)),
        ("+5m", Goal(time=NOON + 310)),
        ("2026-11-22T12:00:00+01:00", Goal(time=NOON - 3_600)),
    ],
)
def test_a_place_is_read_as_people_type_it(text: str, goal: Goal) -> None:
    assert seeking.goal(text, NOON + 10) == goal


@pytest.mark.parametrize("text", ["", "soon", "25:00:00", "-1", "1" * 30, "+5", "12:3:4", "٣", "--:--", "0:0"])
def test_what_is_no_place_is_told_what_is(text: str) -> None:
    with pytest.raises(McpwatchError) as refused:
        seeking.goal(text, NOON)
    assert "12:03:20" in refused.value.hint


@pytest.mark.parametrize(("text", "speed"), [("2", 2.0), ("0.25x", 0.25), ("max", math.inf)])
def test_a_speed_is_read_as_people_type_it(text: str, speed: float) -> None:
    assert seeking.speed(text) == speed


@pytest.mark.parametrize("text", ["", "0", "-1", "nan", "inf", "fast", "x"])
def test_what_is_no_speed_is_told_what_is(text: str) -> None:
    with pytest.raises(McpwatchError):
        seeking.speed(text)
