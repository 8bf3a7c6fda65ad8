"""Where a person moved a cursor it stands, whatever comes before the list's word of it; and it is in view."""

import pytest
from hands import hands
from scene import Scene
from test_walk_live import more

from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.widgets.grid import Grid

pytest_plugins = ["played"]


@pytest.mark.parametrize("keys", [("k", "k", "/"), ("k", "k", "k", "G", "k", "k"), ("home", "end", "k", "k", ":")])
async def test_keys_in_one_go_all_move_the_cursor_of_live(scene: Scene, keys: tuple[str, ...]) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        await at.send(*keys)
        await at.press("escape")
        assert live.view.cursor == len(live.view) - 3
        assert not live.view.follow


async def test_a_jump_in_one_go_with_moves_begins_where_they_lead(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        await at.press("e")
        first = live.view.cursor
        await at.press("e")
        second = live.view.cursor
        await at.press("E")
        await at.send(*"j" * (second - first + 1), "E")
        assert live.view.cursor == second > first


@pytest.mark.parametrize("places", [("3",), ("4",), ("2", "enter"), ("2", "enter", "v", "v")])
async def test_a_look_before_the_word_of_a_move_leaves_the_cursor_where_it_is(
    scene: Scene, places: tuple[str, ...]
) -> None:
    async with hands(scene) as at:
        await at.press(*places, "home")
        grid = next(grid for grid in at.app.screen.query(Grid) if grid.display)
        grid.action_down()
        assert at.app.current is not None
        at.app.current.look()
        await at.read()
        assert grid.cursor == 1


async def test_a_list_keeps_a_move_that_a_prompt_followed_at_once(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "j")
        alerts = at.app.screen
        assert isinstance(alerts, ListScreen)
        await at.send("j", "/")
        await at.press("escape")
        assert alerts.grid.cursor == 2


@pytest.mark.parametrize("way", [("slash", "x", "escape"), ("escape",)])
async def test_what_is_selected_is_in_view_when_older_rows_come_back(scene: Scene, way: tuple[str, ...]) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        more(scene, 60)
        await at.command("filter kind:request")
        await at.press("home", "j", "j", "j")
        selected = live.view.selected
        live.view._helping = 7
        await at.press(*way)
        for _ in range(60):
            live.tick()
        assert not live.view.is_filling
        assert live.view.selected is selected is not None
        assert live.grid.is_cursor_in_view and live.grid.selected == selected.seq


async def test_a_filter_in_the_past_leaves_its_last_row_in_view_while_older_ones_come(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        more(scene, 60)
        await at.press("comma")
        live.view._helping = 7
        await at.command("filter kind:message")
        for _ in range(60):
            live.tick()
        assert not live.view.is_filling
        assert live.grid.is_cursor_in_view and live.grid.cursor == len(live.view) - 1


async def test_escape_takes_the_fault_of_a_filter_away(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "✗ unknown word" in await at.command("filter nonsense:x")
        assert "✗ unknown word" not in await at.press("escape")


@pytest.mark.parametrize("end", ["enter", "escape"])
async def test_an_act_in_one_go_with_a_text_is_on_the_row_that_the_list_then_has(scene: Scene, end: str) -> None:
    async with hands(scene) as at:
        await at.press("3")
        shown = await at.send("/", *"replay", end, "a")
        told = "Replayed request" if end == "enter" else "Tool changed"
        assert told in next(line for line in shown.splitlines() if "critical" in line and "│" in line)


async def test_a_mark_in_one_go_with_a_filter_is_on_a_row_that_it_shows(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.send("/", *"tool:admin.drop", "enter", "m")
        assert [row.tool for row in scene.state.rows if row in scene.state.marks] == ["admin.drop"]


@pytest.mark.parametrize("command", ["goto 1", "goto 12:00:00", "goto alert", "find read", "seek 3"])
async def test_a_jump_right_after_a_filter_tests_no_more_rows_at_once_than_a_helping(
    scene: Scene, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        more(scene, 60)
        await at.read()
        tested: list[int] = []
        fill = live.view._fill
        monkeypatch.setattr(live.view, "_helping", 7)

        def counted(count: int) -> None:
            tested.append(count)
            fill(count)

        monkeypatch.setattr(live.view, "_fill", counted)
        await at.send("/", *"kind:request", "enter", ":", *command, "enter")
        assert not live.view.is_filling
        assert max(tested) == 7


async def test_the_first_row_is_the_oldest_also_right_after_a_filter(scene: Scene) -> None:
    async with hands(scene) as at:
        live = at.app.screen
        assert isinstance(live, LiveScreen)
        more(scene, 60)
        await at.read()
        live.view._helping = 7
        await at.send("/", *"kind:request", "enter", "g", "enter")
        assert at.app.screen is not live
        assert live.view.cursor == 0 and not live.view.is_filling
