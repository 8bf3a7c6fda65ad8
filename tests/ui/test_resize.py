"""Any size of terminal is survived, and 80x24 is complete."""

import pytest
from hands import hands, screen_text
from scene import Scene

pytest_plugins = ["played"]

PATHS = (
    ("1",), ("2",), ("2", "enter"), ("2", "enter", "v"), ("2", "enter", "v", "v"), ("2", "enter", "enter"), ("3",),
    ("3", "a"), ("4",), ("4", "enter"), ("5",), ("5", "enter"), ("6",), ("question_mark",), ("c",), ("q",), ("slash",),
    ("colon",),
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS, ids="-".join)
async def test_down_to_one_cell_and_back(scene: Scene, path: tuple[str, ...]) -> None:
    async with hands(scene) as at:
        before = await at.press(*path)
        for size in ((1, 1), (3, 2), (20, 5), (400, 3), (5, 120), (80, 24)):
            await at.pilot.resize_terminal(*size)
            await at.pilot.pause()
            at.app.tick()
            await at.pilot.pause()
        assert screen_text(at.app).splitlines()[:4] == before.splitlines()[:4]


async def test_the_detail_comes_and_goes_with_the_width(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        assert "In the log" in await at.read()
        await at.pilot.resize_terminal(100, 40)
        assert "In the log" not in await at.read()
        await at.pilot.resize_terminal(120, 60)
        assert "In the log" in await at.read()


async def test_nothing_is_drawn_past_the_edge_at_80_cells(scene: Scene) -> None:
    async with hands(scene) as at:
        for path in PATHS[:13]:
            shown = await at.press(*path)
            assert all(len(line) <= 80 for line in shown.splitlines()) and len(shown.splitlines()) == 24
            await at.press("escape", "escape", "escape")
