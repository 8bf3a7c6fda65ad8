"""The trend of a session and of an identity: on their pages, the same whether it is lived or replayed."""

from pathlib import Path

import pytest
from hands import Hands, hands
from msgspec.structs import replace
from retold import Stage, StagedScene, retell, until_there
from rpc import ask, result
from scene import Scene
from verdicts import judged, verified

from mcpwatch.model.identity import Word
from mcpwatch.ui.trends import trend_line
from mcpwatch.ui.widgets.lines import plain
from mcpwatch.watch.transport import Goal
from mcpwatch.watch.trend import Trend

pytest_plugins = ["played"]

BARS = "█         ▃"
"""Three calls in one second and one in the tenth after it."""


def busy(scene: Scene) -> None:
    """Three calls in one second, one ten seconds later, and a while."""
    scene.take(scene.log.initialize("a", client="x"), verified())
    for number in range(2, 5):
        if number == 4:
            scene.wait(10.0)
        scene.take(scene.log.exchange(ask(number, "ping"), result(number, {}), session="a"), verified())
    scene.wait(4.0)
    scene.feed()


def test_the_highest_bar_says_what_it_stands_for() -> None:
    told = plain(trend_line(Trend([100.0, 100.5, 102.0]), 103.0, 10))
    assert told == "█ ▄   most 2 in 1s"
    assert plain(trend_line(Trend(), 103.0, 10)) == ""


async def trend_of_session(at: Hands) -> str:
    """What stands at the right of the views of the first session."""
    shown = await at.press("2", "enter")
    return next(line for line in shown.splitlines() if line.startswith(" view "))


@pytest.mark.parametrize("size", [(80, 24), (140, 40)])
async def test_a_session_shows_when_its_calls_were_made(blank: Scene, size: tuple[int, int]) -> None:
    busy(blank)
    async with hands(blank, size) as at:
        views = await trend_of_session(at)
        assert f" {BARS} " in views and views.endswith("most 3 in 1s")
        assert size[0] < 120 or f" {BARS} " in await at.press("escape")


async def test_a_replay_shows_the_same(blank: Scene, tmp_path: Path) -> None:
    busy(blank)
    stage = Stage(
        retell(blank, tmp_path / "busy.mcpfeed"), tmp_path / "replayed", goal=Goal(index=len(blank.log.entries))
    )
    try:
        async with hands(StagedScene(tmp_path / "staged", stage)) as at:
            await until_there(at, stage)
            assert f" {BARS} " in await trend_of_session(at)
    finally:
        await stage.player.close()


async def test_an_identity_shows_when_it_sent_what_it_provably_sent(blank: Scene) -> None:
    busy(blank)
    async with hands(blank, (100, 60)) as at:
        shown = await at.press("4", "enter")
    assert any("traffic" in line and "most 4 in 1s" in line for line in shown.splitlines())


def test_a_request_that_proves_nothing_any_more_leaves_the_trend(blank: Scene) -> None:
    busy(blank)
    (identity,) = blank.state.identities.values()
    before = sum(identity.trend.series(blank.now, 30)[1])
    asked = next(row for row in blank.state.rows if row.verdict is not None)
    blank.state.rejudge(replace(asked.seen, verdict=judged(Word.BAD_SIG)))
    assert sum(identity.trend.series(blank.now, 30)[1]) == before - 1 == identity.proven
