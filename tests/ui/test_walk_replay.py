"""Key walks through a replay: the bar, play and pause, steps, places, the way back."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hands import Hands, hands
from retold import Stage, StagedScene, retell, until_there
from scene import Scene
from textual.pilot import Pilot
from torn import with_bad_proof, with_gap

from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.watch.transport import Goal

Compare = Callable[..., bool]

pytest_plugins = ["played"]


@asynccontextmanager
async def replaying(scene: Scene, folder: Path, goal: Goal | None = None) -> AsyncIterator[tuple[Hands, Stage]]:
    async with replaying_file(retell(scene, folder / "story.mcpfeed"), folder, goal) as there:
        yield there


@asynccontextmanager
async def replaying_file(path: Path, folder: Path, goal: Goal | None = None) -> AsyncIterator[tuple[Hands, Stage]]:
    stage = Stage(path, folder / "replayed", goal=goal)
    try:
        async with hands(StagedScene(folder / "staged", stage)) as at:
            await until_there(at, stage)
            yield at, stage
    finally:
        await stage.player.close()


async def test_space_plays_and_pauses_on_every_screen(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path) as (at, stage):
        assert "‖ paused" in await at.read()
        for screen in "123456":
            await at.press(screen)
            assert "▶ playing" in await at.press("space")
            assert "‖ paused" in await at.press("space")
        assert not stage.player.transport.playing


async def test_steps_go_on_and_back_by_one_entry(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path, Goal(index=10)) as (at, stage):
        assert "entry 10/90" in await at.read()
        await at.press("full_stop")
        assert "entry 11/90" in await until_there(at, stage)
        await at.press("comma")
        assert "entry 10/90" in await until_there(at, stage)
        assert len(at.app.watcher.state.rows) == 11


async def test_an_alert_can_be_gone_to_and_back_from_with_the_filter_kept(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path) as (at, stage):
        await at.command("filter kind:request")
        await at.press("right_curly_bracket")
        await until_there(at, stage)
        first = stage.player.transport.index
        assert at.app.watcher.state.rows.find("gateway", first) is not None
        await at.press("right_curly_bracket")
        await until_there(at, stage)
        assert stage.player.transport.index > first
        await at.press("left_curly_bracket")
        assert "/ kind:request" in await until_there(at, stage)
        assert stage.player.transport.index == first


async def test_what_live_shows_is_kept_over_ways_back_from_other_screens(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path, Goal(index=40)) as (at, stage):
        await at.command("filter kind:request")
        await at.press("p", "c", "space", "escape")
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        chosen, filtered = live.grid.shown_columns, str(live.view.query)
        await at.press("3")
        for place in (39, 38):
            await at.press("comma")
            await until_there(at, stage)
            assert stage.player.index == place
        await at.press("1")
        anew = at.app.screen
        assert isinstance(anew, LiveScreen) and anew is not live
        assert (anew.grid.shown_columns, str(anew.view.query), anew.view.plumbing) == (chosen, filtered, True)


async def test_a_place_and_a_speed_can_be_typed(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path) as (at, stage):
        await at.command("seek 40")
        assert "entry 40/90" in await until_there(at, stage)
        await at.command("seek -1h")
        assert "entry –/90" in await until_there(at, stage)
        await at.command("speed 60")
        assert " 60x " in await at.read()
        assert "There is no going to 'soon'" in await at.command("seek soon")
        assert "is no speed" in await at.command("speed 0")


async def test_the_end_is_told_and_stays_open(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path, Goal(index=999)) as (at, _):
        assert "■ ended" in await at.read()
        assert "at its end" in await at.press("space")
        assert "at its end" in await at.press("full_stop")


async def test_only_live_has_a_past_on_a_live_dashboard(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "paused" not in await at.press("2")
        assert "full_stop" not in at.app.screen.active_bindings
        assert "seek does nothing on this screen" in await at.command("seek 4")


async def test_a_gap_is_shown_where_it_is_and_gone_over_both_ways(scene: Scene, tmp_path: Path) -> None:
    path = with_gap(scene, tmp_path / "gap.mcpfeed", 30, 40)
    async with replaying_file(path, tmp_path, Goal(index=20)) as (at, stage):
        for place, entry, rows, word in (
            (45, 45, 36, "GAP"),
            (35, 29, 30, "GAP"),
            (20, 20, 21, "LIVE"),
            (999, 90, 81, "ENDED"),
            (60, 60, 51, "GAP"),
        ):
            await at.command(f"seek {place}")
            shown = await until_there(at, stage)
            assert f"entry {entry}/90" in shown and word in shown.splitlines()[1]
            assert len(at.app.watcher.state.rows) == rows
            rules = {alert.rule for alert in at.app.watcher.state.alerts.values()}
            assert ("feed/gap" in rules) == (word != "LIVE")


async def test_a_proof_that_is_bad_breaks_the_feed_from_there_on_and_not_before(scene: Scene, tmp_path: Path) -> None:
    path = with_bad_proof(scene, tmp_path / "bad.mcpfeed", 40)
    async with replaying_file(path, tmp_path, Goal(index=20)) as (at, stage):
        for place, entry, word in (
            (41, 41, "BROKEN"),
            (999, 90, "BROKEN"),
            (30, 30, "LIVE"),
            (60, 60, "BROKEN"),
        ):
            await at.command(f"seek {place}")
            shown = await until_there(at, stage)
            assert f"entry {entry}/90" in shown and word in shown.splitlines()[1]
            rules = {alert.rule for alert in at.app.watcher.state.alerts.values()}
            assert ("feed/broken" in rules) == (word != "LIVE")
            assert "0 proven" in shown.splitlines()[1]


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
@pytest.mark.parametrize("how", ["playing", "paused", "ended"])
def test_the_bar(scene: Scene, tmp_path: Path, how: str, size: tuple[int, int], snap_compare: Compare) -> None:
    story = retell(scene, tmp_path / "story.mcpfeed")
    goal = Goal(index=999 if how == "ended" else 40)
    stage = Stage(story, tmp_path / "replayed", goal=goal, playing=how == "playing")

    async def there(pilot: Pilot[None]) -> None:
        while stage.player.transport.goal is not None:
            await pilot.pause()
        await pilot.pause()
        pilot.app.tick()  # type: ignore[attr-defined]
        await pilot.pause()

    assert snap_compare(StagedScene(tmp_path / "staged", stage).app(), terminal_size=size, run_before=there)


@pytest.mark.parametrize("count", [2, 3, 5, 8])
async def test_steps_back_in_one_go_all_count(scene: Scene, tmp_path: Path, count: int) -> None:
    async with replaying(scene, tmp_path, Goal(index=30)) as (at, stage):
        await at.send(*["comma"] * count)
        await until_there(at, stage)
        assert stage.player.index == 30 - count


async def test_marks_are_kept_over_ways_back(scene: Scene, tmp_path: Path) -> None:
    async with replaying(scene, tmp_path, Goal(index=30)) as (at, stage):
        await at.press("m", "k", "m")
        for _ in range(2):
            await at.press("comma")
            await until_there(at, stage)
        assert stage.player.index == 28
        await at.press("full_stop", "full_stop")
        await until_there(at, stage)
        assert "2 entries marked" in await at.command("marks")
        await at.command("filter mark:yes")
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        assert len(live.view) == 2
