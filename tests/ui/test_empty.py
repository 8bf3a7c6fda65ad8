"""Empty lists: whatever the feeds' state is, each says why it is empty and what to do."""

from pathlib import Path

import pytest
from feed_states import STATES, WHY, lost, reading
from hands import hands
from msgspec import structs
from retold import Stage, StagedScene, retell, until_there
from rpc import ask, result
from scene import SOURCE, Scene

from mcpwatch.model.feed import FeedState
from mcpwatch.model.traffic import SessionState
from mcpwatch.ui.commands import Scope
from mcpwatch.ui.pages.empty import empty_page
from mcpwatch.ui.pages.lacks import LACKS, LISTS, Lack
from mcpwatch.ui.widgets.lines import plain
from mcpwatch.watch.transport import Goal

pytest_plugins = ["played"]

KEYS = {Scope.LIVE: "1", Scope.SESSIONS: "2", Scope.ALERTS: "3", Scope.IDENTITIES: "4", Scope.TOOLS: "5"}


@pytest.mark.parametrize("is_played", [False, True])
@pytest.mark.parametrize("state", STATES)
def test_each_list_says_in_each_state_what_it_lacks_why_and_what_to_do(
    blank: Scene, state: str, is_played: bool
) -> None:
    STATES[state](blank)
    lack = Lack("played" if is_played and state in ("connecting", "reading", "quiet") else state)
    (status,) = blank.state.feeds.values()
    for scope, listed in LISTS.items():
        head, comes, *rest = [plain(line) for line in empty_page(blank.state, scope, {}, is_played=is_played)]
        assert (head, comes) == (LACKS[lack].head.format(listed.thing), listed.comes)
        told, steps = "\n".join(rest), [line for line in rest if line.startswith("· ")]
        assert f"{status.state.value}  {status.address}" in told and status.detail in told
        assert len(steps) == len(set(steps))
        assert lack is Lack.READING or "press" in told or "mcpwatch" in told


@pytest.mark.parametrize(("state", "scope"), zip(STATES, [*KEYS, *KEYS], strict=False))
async def test_the_screen_says_it(blank: Scene, state: str, scope: Scope) -> None:
    STATES[state](blank)
    async with hands(blank) as at:
        shown = await at.press(KEYS[scope])
    assert LACKS[Lack(state)].head.format(LISTS[scope].thing) in shown
    assert blank.state.feeds[SOURCE].state.value in shown.split("\n", 4)[4]


async def test_what_is_read_of_the_log_and_when_it_is_tried_again_stand_in_the_bar(scene: Scene) -> None:
    reading(scene)
    async with hands(scene, (100, 30)) as at:
        assert "12,000 of 40,000 read" in await at.line(1)
        lost(scene)
        assert "next try in 4.0s" in await at.line(1)


async def test_keys_are_named_as_the_operator_has_them(blank: Scene) -> None:
    blank.feed(FeedState.BROKEN, WHY)
    lines = empty_page(blank.state, Scope.TOOLS, {"feed": "f6", "live": ""})
    assert any("look at the Feed screen   press f6" in plain(line) for line in lines)
    blank.take(blank.log.exchange(ask(1, "ping"), result(1, {})))
    blank.feed()
    lines = empty_page(blank.state, Scope.TOOLS, {"feed": "f6", "live": ""})
    assert any("look at them on Live   type :live" in plain(line) for line in lines)
    assert any("none of which brought one" in plain(line) for line in lines)


async def test_a_feed_that_is_down_hides_neither_the_one_that_is_not_nor_itself(blank: Scene) -> None:
    blank.feed()
    well = blank.state.feeds[SOURCE]
    blank.state.set_feed(structs.replace(well, name="lab", state=FeedState.DISCONNECTED, address="http://lab:1"))
    async with hands(blank) as at:
        shown = await at.press("3")
    assert "No alert yet" in shown and "DISCONNECTED  http://lab:1" in shown and f"LIVE  {well.address}" in shown
    assert "mcpwatch rules" in shown and "is the gateway running?" in shown


@pytest.mark.parametrize("key", "2345")
async def test_narrowed_to_nothing_a_list_says_so_and_esc_shows_all(scene: Scene, key: str) -> None:
    async with hands(scene) as at:
        await at.press(key, "slash")
        await at.type("xyzzy")
        shown = await at.press("enter")
        assert "None of" in shown and "has “xyzzy”" in shown and "press esc" in shown
        assert "have “" not in await at.press("escape")
        assert "▌" in await at.read()


async def test_alerts_of_one_who_has_none_say_so(scene: Scene) -> None:
    identity = next(each for each in scene.state.identities.values())
    identity.alerts.clear()
    async with hands(scene) as at:
        at.app.show_alerts(identity)
        await at.read()
        shown = await at.press("3")
        assert "No alert of " in shown and "press esc" in shown
        assert "No alert of " not in await at.press("escape")


async def test_a_session_without_calls_says_so_and_what_it_waits_for(blank: Scene) -> None:
    blank.take(blank.log.initialize("a", client="x"))
    blank.feed()
    (session,) = blank.state.sessions.values()
    session.calls.clear()
    async with hands(blank) as at:
        shown = await at.press("2", "enter")
        assert "No call yet" in shown and "look at its entries   press v" in shown
        assert "No call yet" in await at.press("v")
        assert "No call yet" not in await at.press("v")
        await at.press("v")
        session.state = SessionState.ENDED
        blank.wait(1.0)
        assert "it is over" in await at.read()


async def test_entries_of_a_session_that_the_filter_hides_come_back_with_esc(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("2", "enter", "v", "v")
        shown = await at.command("filter xyzzy")
        assert "Nothing matches" in shown and "press esc" in shown
        shown = await at.press("escape")
        assert "Nothing matches" not in shown and "▌" in shown


async def test_entries_that_left_the_view_say_how_more_of_them_can_be_kept(blank: Scene) -> None:
    blank.take(blank.log.initialize("a", client="x"))
    blank.feed()
    async with hands(blank) as at:
        await at.press("2", "enter", "v", "v")
        blank.state.rows.max_rows = 2
        for number in range(2):
            blank.take(blank.log.exchange(ask(number, "ping"), result(number, {}), session="b"))
        shown = await at.read()
    assert "not held any more" in shown and "mcpwatch record -o FILE" in shown


async def test_live_held_still_before_anything_came_says_how_it_goes_on(blank: Scene) -> None:
    blank.feed()
    async with hands(blank) as at:
        await at.press("space")
        blank.take(blank.log.initialize("a", client="x"))
        assert "Held still before anything came" in await at.read()
        assert "initialize" in await at.press("space")


async def test_a_replay_says_how_far_it_is_and_at_its_end_that_there_is_none(blank: Scene, tmp_path: Path) -> None:
    blank.take(
        [*blank.log.initialize("a", client="x"), *blank.log.exchange(ask(1, "ping"), result(1, {}), session="a")]
    )
    size = len(blank.log.entries)
    stage = Stage(retell(blank, tmp_path / "story.mcpfeed"), tmp_path / "replayed", goal=Goal(index=2))
    try:
        async with hands(StagedScene(tmp_path / "staged", stage)) as at:
            await until_there(at, stage)
            shown = await at.press("5")
            assert "No tool up to here" in shown and f"entry 2/{size - 1}" in shown
            assert "play, or pause   press space" in shown
            await at.command(f"seek {size}")
            shown = await until_there(at, stage)
            assert "No tool in what was read" in shown and "mcpwatch watch SOURCE" in shown
    finally:
        await stage.player.close()
