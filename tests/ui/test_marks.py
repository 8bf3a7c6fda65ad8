"""Marking entries: shown in the list, asked for in filters, gone with the rows."""

from pathlib import Path

from hands import hands
from rpc import call, result, text
from scene import Scene
from test_walk_live import more

from mcpwatch.ui.widgets.grid import Grid
from mcpwatch.watch.query import parse
from mcpwatch.watch.view import View

pytest_plugins = ["played"]


def marked(shown: str) -> list[str]:
    """The rows that bear a mark."""
    return [line for line in shown.splitlines() if line.startswith("◆")]


async def test_marks_are_shown_gone_to_filtered_by_and_taken_off(scene: Scene) -> None:
    async with hands(scene) as at:
        assert not marked(await at.press("k"))
        [row] = marked(await at.press("m"))
        assert len(marked(await at.press("k", "k", "m"))) == 2
        first = at.app.screen.query_one("#list", Grid).selected
        await at.press("end", "apostrophe")
        assert at.app.screen.query_one("#list", Grid).selected == first
        await at.press("quotation_mark")
        assert at.app.screen.query_one("#list", Grid).selected != first
        await at.press("slash")
        await at.type("mark:yes")
        shown = await at.press("enter")
        assert "/ mark:yes  2 of" in shown and row in shown
        assert "2 entries marked" in await at.command("marks")
        assert not marked(await at.command("marks clear"))
        assert "No entry in view is marked; 0 entries marked" in await at.press("escape", "apostrophe")


async def test_keys_in_one_go_act_on_the_row_that_was_moved_to(scene: Scene) -> None:
    async with hands(scene) as at:
        newest = len(scene.state.rows) - 1
        await at.send("k", "m", "k", "k", "m")
        found = [row for row in scene.state.rows if row in scene.state.marks]
        grid = at.app.screen.query_one("#list", Grid)
        assert [grid.rows.key(grid.cursor + at) for at in (0, 2)] == [row.seq for row in found]
        assert found[-1].seq < newest


async def test_a_mark_is_taken_off_with_the_key_that_set_it(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "is marked" in await at.press("m")
        shown = await at.press("m")
        assert "is not marked any more" in shown and not marked(shown)
        assert "There is no marks off" in await at.command("marks off")


def test_a_view_learns_of_a_mark_and_of_what_was_let_go(tmp_path: Path) -> None:
    scene = Scene(tmp_path, max_rows=40).play()
    view = View(scene.state, parse("mark:yes"))
    row = scene.state.rows.since(0)[0]
    scene.state.marks.toggle(row)
    view.sync()
    assert view.rows(0, 9) == [row]
    for number in range(40):
        scene.take(scene.log.exchange(call(100 + number, "read_file"), result(100 + number, text("x")), session="a"))
    view.sync()
    assert not view.rows(0, 9)
    assert (len(scene.state.marks), scene.state.marks.gone) == (0, 1)
    scene.state.marks.clear()
    assert scene.state.marks.gone == 0


async def test_what_is_not_held_any_more_is_not_marked(tmp_path: Path, same_everywhere: None) -> None:
    scene = Scene(tmp_path, max_rows=60).play()
    async with hands(scene) as at:
        await at.press("home", "m", "j", "m", "space", "home")
        more(scene, 30)
        assert "is not held any more and cannot be marked" in await at.press("m")
        assert "0 entries marked, and 2 more that are not held any more" in await at.command("marks")
