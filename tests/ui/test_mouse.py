"""All that can be clicked: tabs, counts, the way back, rows, headers, the filter, the pill, and keys that are named."""

from hands import Hands, hands
from scene import Scene
from textual import events

from mcpwatch.ui import bars
from mcpwatch.ui.widgets.lines import Line

pytest_plugins = ["played"]


async def click(at: Hands, text: str, times: int = 1) -> str:
    """Click on a text that is on the screen."""
    lines = (await at.read()).splitlines()
    y = next(y for y, line in enumerate(lines) if text in line)
    for _ in range(times):
        await at.pilot.click(offset=(lines[y].index(text) + 1, y))
    return await at.read()


async def test_a_tab_goes_to_its_screen(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "SEVERITY" in await click(at, "3 Alerts")
        assert "OUTCOME" in await click(at, "1 Live")


async def test_a_row_is_selected_and_then_opened(scene: Scene) -> None:
    async with hands(scene) as at:
        lines = (await click(at, "admin.drop")).splitlines()
        y = next(y for y, line in enumerate(lines) if line.startswith("▌"))
        assert "admin.drop" in lines[y]
        await at.pilot.click(offset=(30, y), times=2)
        assert "Live › tools/call admin.drop" in await at.read()


async def test_a_header_orders_and_turns_round(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3")
        assert "COUNT▼" in await click(at, "COUNT")
        assert "COUNT▲" in await click(at, "COUNT▼")


async def test_the_pill_goes_on_and_the_footer_runs_commands(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "FROZEN" in await click(at, "space freeze")
        assert "FROZEN" not in await click(at, "FROZEN")
        await at.press("g")
        assert "following" in (await click(at, "below")).splitlines()[-2]


async def test_the_wheel_leaves_following(scene: Scene) -> None:
    async with hands(scene) as at:
        up = events.MouseScrollUp(None, 30, 10, 0, -1, 0, False, False, False, screen_x=30, screen_y=10)
        at.app.post_message(up)
        await at.pilot.pause()
        assert "▼ following" not in await at.read()


async def test_the_views_of_a_session_can_be_clicked(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("2", "enter")
        assert "HOW WE KNOW" in await click(at, "chain")


async def test_the_counts_of_alerts_and_the_feed_go_to_their_screens(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "SEVERITY" in await click(at, "critical")
        assert at.app.current_mode == "alerts"
        await click(at, "LIVE")
        assert at.app.current_mode == "feed"


async def test_the_way_down_leads_back(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "Sessions ›" in await at.press("2", "enter")
        assert "Sessions ›" not in await click(at, "Sessions ›")
        assert "Sessions ›" in await at.press("enter")
        assert "Sessions ›" not in await click(at, "2 Sessions")


async def test_a_click_on_the_filter_clears_it(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("sig:bad")
        assert "/ sig:bad" in await at.press("enter")
        assert "/ sig:bad" not in await click(at, "/ sig:bad")


async def test_the_keys_of_a_dialog_can_be_clicked(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "on or off" in await at.press("c")
        scene.monotonic += 1
        assert "on or off" not in await click(at, "done")
        await at.press("q")
        scene.monotonic += 1
        assert "quit all the same" not in await click(at, "stay")
        await at.press("q")
        scene.monotonic += 1
        await click(at, "quit all the same")
        assert not at.app.is_running


def test_text_that_came_from_outside_carries_no_click() -> None:
    name = "[@click=app.quit]x[/]"
    assert {part.action for part in bars.crumbs([name, name], Line(), 80).spans} == {"", "app.back"}
