"""Keys that come faster than they are answered do what they do one by one."""

from pathlib import Path

import pytest
from hands import hands
from scene import Scene
from textual.widgets import Input

from mcpwatch.ui.dialogs.note import NoteDialog
from mcpwatch.ui.widgets.grid import Grid

SIZE = (100, 30)
_TO_SESSION = ("2", "g", "enter")


def cursor_line(screen: str) -> str:
    """The row under the cursor."""
    return next((line for line in screen.splitlines() if line.startswith("▌")), "")


@pytest.mark.parametrize(
    "burst",
    [
        ("v", "v", "pageup", "k"),
        ("/", *"sig:bad", "enter", "g", "j", "enter"),
        ("enter", "v", "escape", "v", "v", "k", "enter"),
    ],
    ids=" ".join,
)
async def test_a_burst_in_a_session_ends_where_the_same_keys_end_one_by_one(
    tmp_path: Path, burst: tuple[str, ...]
) -> None:
    ends = []
    for is_burst in (False, True):
        async with hands(Scene(tmp_path / str(is_burst)).play(), SIZE) as at:
            if is_burst:
                drawn = await at.send(*_TO_SESSION, *burst)
            else:
                for key in (*_TO_SESSION, *burst):
                    drawn = await at.send(key)
            ends.append((type(at.app.screen), drawn.splitlines()[4:8], cursor_line(drawn)))
    assert ends[0] == ends[1]


async def test_keys_typed_while_a_session_opens_wait_for_it(tmp_path: Path) -> None:
    async with hands(Scene(tmp_path).play(), SIZE) as at:
        assert "[entries" in await at.send("2", "g", "enter", "v", "v")


async def test_a_cursor_moved_in_a_list_that_follows_stays_in_view_when_the_list_gets_its_size(tmp_path: Path) -> None:
    async with hands(Scene(tmp_path).play(), SIZE) as at:
        await at.send(*_TO_SESSION, "v", "v", "g", "j")
        grid = at.app.screen.query_one("#entries", Grid)
        await at.pilot.resize_terminal(100, 20)
        await at.read()
        assert (grid.cursor, grid.is_cursor_in_view) == (1, True)


async def test_no_key_typed_before_a_dialog_reaches_it_however_late_its_turn_comes(tmp_path: Path) -> None:
    async with hands(Scene(tmp_path).play(), SIZE) as at:
        await at.send("3", "a", "y", "e", "s", "enter")
        assert isinstance(at.app.screen, NoteDialog)
        assert not at.app.screen.query_one(Input).value
