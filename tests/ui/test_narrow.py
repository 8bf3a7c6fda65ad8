"""Walks with `/` over the lists: only the rows that have a text stay."""

import pytest
from hands import Hands, hands
from rpc import call, result, text
from scene import Scene

from mcpwatch.ui import sifting
from mcpwatch.ui.screens.alerts import AlertsScreen

pytest_plugins = ["played"]

NOTE = "asked Ann, who knows"


async def rows(at: Hands) -> list[str]:
    """The rows of the list, as they are drawn above its page."""
    lines = (await at.read()).splitlines()
    end = next((number for number, line in enumerate(lines) if line.startswith("▔")), -1)
    return [line for line in lines[4:end] if line.strip()]


async def rows_after(at: Hands, *keys: str) -> list[str]:
    """The rows of the list that keys lead to."""
    await at.press(*keys)
    return await rows(at)


async def test_a_note_is_found_again_and_esc_brings_all_rows_back(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "a")
        await at.type(NOTE)
        await at.press("enter")
        title = scene.state.alerts[next(id for id, alert in scene.state.alerts.items() if alert.acknowledgement)].title
        every = len(scene.state.alerts)
        await at.press("g", "slash")
        shown = await at.type("ASKED ann")
        assert f"1 of {every} have “ASKED ann”; enter keeps them, esc shows all" in shown
        shown = await at.press("enter")
        (row,) = await rows(at)
        assert title in row and "ack'd" in row and NOTE in shown
        shown = await at.press("escape")
        assert "have “" not in shown and len(await rows(at)) > 1
        assert next(line for line in await rows(at) if line.startswith("▌")).split()[:3] == row.split()[:3]


async def test_left_without_entering_all_is_as_it_was(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "j", "j")
        before = await rows(at)
        await at.press("slash")
        assert "esc shows all" in await at.type("tool changed")
        assert await rows(at) != before
        await at.press("escape")
        assert await rows(at) == before


async def test_very_many_are_looked_through_a_helping_at_a_time(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "AT_ONCE", 1)
    async with hands(scene) as at:
        await at.press("3", "j", "j")
        before, wanted = await rows(at), "tool changed"
        every = len(scene.state.alerts)
        screen = at.app.screen
        assert isinstance(screen, AlertsScreen)
        screen.narrow(wanted)
        assert screen.crumbs()[-1].startswith(f"looking through {every} for “{wanted}”")
        assert len(screen.table) == every
        while not screen._sifting.is_done:
            await at.pilot.pause(0.01)
        found = await rows(at)
        assert 0 < len(found) < every and all("ool changed" in row for row in found)
        await at.press("escape")
        assert sorted(row[1:] for row in await rows(at)) == sorted(row[1:] for row in before)


@pytest.mark.parametrize(
    ("screen", "wanted", "found", "of"),
    [("2", "nobody proven", 1, 5), ("4", "release", 2, 3), ("5", "WRITE", 1, 4)],
)
async def test_every_list_is_narrowed(scene: Scene, screen: str, wanted: str, found: int, of: int) -> None:
    async with hands(scene) as at:
        assert len(await rows_after(at, screen)) == of
        assert f"{found} of {of} have “{wanted}”" in await at.command(f"narrow {wanted}")
        assert len(await rows(at)) == found


async def test_where_no_row_has_it_the_way_back_is_said(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("5", "slash")
        shown = await at.type("nosuch")
        assert "0 of 4 have “nosuch”; enter keeps them, esc shows all" in shown
        assert "mail.send" in await at.press("enter", "escape")


async def test_what_comes_in_is_narrowed_and_counted(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3")
        await at.command("narrow tool changed")
        assert len(await rows(at)) == 1
        every = len(scene.state.alerts)
        scene.take(scene.log.exchange(call(90, "search"), result(90, text("x")), session="new", peer="10.9.9.9:50112"))
        assert len(scene.state.alerts) > every
        assert f"1 of {len(scene.state.alerts)} have “tool changed”" in await at.read()
        assert len(await rows(at)) == 1
