"""Several feeds on one screen: which is down, whose a row is, and one feed at a time."""

import feeds
import pytest
from msgspec import structs
from scene import Scene

from mcpwatch.ui import bars
from mcpwatch.ui.screens.feed import FeedScreen
from mcpwatch.ui.screens.lists import ListScreen
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.widgets.lines import plain

pytest_plugins = ["played"]


@pytest.fixture
def several(blank: Scene) -> Scene:
    return feeds.play(blank)


@pytest.mark.parametrize("cells", [80, 140])
def test_the_status_bar_names_what_is_down_and_counts_what_is_well(several: Scene, cells: int) -> None:
    said = plain(bars.feed_line(several.state, cells))
    assert said.strip().startswith("◌ DISCONNECTED lab")
    assert "● LIVE 2" in said
    assert "proven" in said


def test_the_status_bar_counts_those_that_share_a_trouble(several: Scene) -> None:
    lab = several.state.feeds[feeds.LAB]
    for name in ("attic", "cellar", "yard"):
        several.state.set_feed(structs.replace(lab, name=name))
    assert "◌ DISCONNECTED lab, attic +2" in plain(bars.feed_line(several.state, 140))


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
@pytest.mark.parametrize("count", [1, 3])
async def test_each_list_says_whose_a_row_is_where_there_are_several(several: Scene, key: str, count: int) -> None:
    several.watcher.sources = several.watcher.sources[:count]
    async with several.app().run_test(size=(80, 24)) as pilot:
        await pilot.press(key)
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, LiveScreen | ListScreen)
        assert ("feed" in screen.grid.shown_columns) is (count > 1)


async def test_enter_on_a_feed_shows_its_entries(several: Scene) -> None:
    async with several.app().run_test(size=(80, 24)) as pilot:
        await pilot.press("6")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, FeedScreen)
        assert screen.table.items[0].name == feeds.LAB, "the worst is on top"
        screen.select(feeds.OFFICE)
        await pilot.press("enter")
        await pilot.pause()
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, LiveScreen)
        assert {row.source for row in screen.view.rows(0, 1_000)} == {feeds.OFFICE}


async def test_a_session_of_one_id_on_two_feeds_shows_its_own_entries(several: Scene) -> None:
    async with several.app().run_test(size=(80, 24)) as pilot:
        await pilot.press("2")
        await pilot.pause()
        screen = pilot.app.screen
        assert isinstance(screen, ListScreen)
        keys = [key for key in several.state.sessions if key[0] == feeds.OFFICE]
        screen.select(keys[0])
        assert screen.its_filter().endswith(f" gw={feeds.OFFICE}")
