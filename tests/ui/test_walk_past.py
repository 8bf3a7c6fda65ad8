"""Walks through the past of Live, with real keys, while more comes in."""

import pytest
from hands import hands
from scene import Scene
from test_walk_live import more

from mcpwatch.ui.screens.live import LiveScreen

pytest_plugins = ["played"]


async def test_a_person_goes_back_plays_on_and_returns_to_the_present(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        assert "past" not in await at.line(2)
        held = scene.state.rows.end
        shown = await at.press("comma")
        assert "‖ past" in shown and "PAST +" in shown
        assert shown.splitlines()[-1].startswith(" space play/pause  f now  enter open")
        before = live.view.stop
        await at.press("left_curly_bracket")
        assert live.view.stop < before
        more(scene, 3)
        shown = await at.read()
        assert f"{scene.state.rows.end - live.view.stop} entries since, {live.view.pending} to show" in shown
        assert f"PAST +{live.view.pending} to show" in shown
        assert scene.state.rows.end > held
        assert "This screen shows the present; Live is at" in await at.press("3")
        assert "▶ past" in await at.press("1", "space")
        assert "‖ past" in await at.press("space")
        shown = await at.press("f")
        assert "past" not in shown and "following" in shown
        assert live.view.selected is not None and live.view.selected.seq >= held


async def test_a_place_of_the_past_is_named_and_its_filter_kept(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        row = scene.state.rows.get(scene.state.rows.end - 9)
        assert row is not None
        await at.command(f"seek {row.index}")
        assert live.view.selected is row or live.view.stop == row.seq + 1
        await at.command("filter kind:request")
        assert all(each.seq <= row.seq for each in live.view.rows(0, len(live.view)))
        assert "There is nothing of the kind" not in await at.press("full_stop")
        assert "not held in memory" in await at.command("seek 999999")
        assert "past" not in await at.command("now")
        assert str(live.view.query) == "kind:request"


async def test_the_present_has_no_speed(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "This is the present" in await at.press("right_square_bracket")


async def test_arrows_skip_ten_seconds_back_from_the_newest_and_on_to_the_present(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        newest = list(scene.state.rows)[-1]
        assert "‖ past" in await at.press("left")
        assert all(row.time <= newest.time - 10 for row in live.view.rows(0, len(live.view)))
        assert live.view.since == sum(row.time > newest.time - 10 for row in scene.state.rows)
        assert "past" not in await at.press("right")
        assert live.view.follow


@pytest.mark.parametrize("away", [("3", "1"), ("question_mark", "escape")])
async def test_the_past_stands_still_while_it_is_not_seen(scene: Scene, away: tuple[str, str]) -> None:
    for _ in range(9):
        more(scene, 1)
        scene.wait(20)
    async with hands(scene) as at:
        await at.command("seek -150s")
        await at.press("space", away[0])
        assert at.app.past is not None
        before = at.app.past.time
        for _ in range(6):
            scene.monotonic += 10
            await at.read()
        await at.press(away[1])
        assert at.app.past is not None and before <= at.app.past.time < before + 10


async def test_ten_seconds_back_from_where_live_was_frozen_do_not_lead_on(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        await at.press("space")
        frozen = live.view.rows(0, len(live.view))[-1].time
        scene.wait(600)
        more(scene, 3)
        assert "‖ past" in await at.press("left")
        assert live.view.rows(0, len(live.view))[-1].time <= frozen - 10


async def test_an_entry_is_gone_to_where_the_filter_shows_nothing(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.command("filter tool:nowhere")
        assert "‖ past" in await at.command(f"seek {list(scene.state.rows)[5].index}")
