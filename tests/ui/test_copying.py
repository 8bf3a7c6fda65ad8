"""Y copies as text what the pages tell of the thing that is selected."""

import pytest
from hands import Hands, hands
from rpc import call
from scene import Scene
from verdicts import verified

from mcpwatch.text import show
from mcpwatch.ui.pages.session import identity_card
from mcpwatch.ui.screens.session import SessionScreen
from mcpwatch.ui.widgets.lines import plain
from mcpwatch.ui.widgets.page import Page

pytest_plugins = ["played"]


def shown_on(at: Hands) -> list[str]:
    """The lines of the page beside the list."""
    return at.app.screen.query_one("#about", Page).text.splitlines()


@pytest.mark.parametrize("screen", ["2", "3", "4", "5"])
async def test_a_list_copies_the_page_of_the_selected_item(scene: Scene, screen: str) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press(screen, "down")
        shown = [line.rstrip() for line in shown_on(at)]
        said = await at.press("Y")
        copied = at.app.clipboard.splitlines()
        assert copied == "\n".join(shown).strip("\n").splitlines() and len(copied) > 5
        assert f"Copied {len(copied)} lines of text" in said


async def test_live_copies_the_entry_where_no_page_is_shown_too(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.command("goto 43")
        await at.press("Y")
        copied = at.app.clipboard
        assert "✗ BAD SIG" in copied and "the body's digest is not the one that was signed" in copied
        assert '"name": "write_file"' in copied and "sha256" in copied


async def test_a_call_copies_both_sides_where_they_are_shown_and_else_the_entry(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.command("filter tool:read_file")
        await at.press("end", "enter", "Y")
        both = at.app.clipboard
        assert both.startswith("Request") and "\nAnswer" in both and "TOKEN=***" in both
        await at.press("v", "Y")
        entry = at.app.clipboard
        assert not entry.startswith("Request") and "tools/call  read_file  files  message" in entry
        await at.press("v", "Y")
        assert at.app.clipboard not in (both, entry)


async def test_what_is_folded_is_copied_too(blank: Scene) -> None:
    log, long = blank.log, "word " * 2_000 + "the end"
    asked = log.request(call(90, "search", query=long), session="a")
    blank.take(asked, verified("alice"))
    async with hands(blank) as at:
        shown = await at.press("enter", "enter", "minus", "Y")
        assert "the end" not in shown
        assert "the end" in at.app.clipboard and '"method": "tools/call"' in at.app.clipboard


async def test_a_screen_about_one_thing_copies_its_page(scene: Scene) -> None:
    async with hands(scene) as at:
        for screen in ("4", "5"):
            await at.press(screen, "enter", "Y")
            assert at.app.clipboard.splitlines() == [line.rstrip() for line in shown_on(at)]


async def test_a_session_copies_its_card_and_a_path_its_alert(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("2", "enter", "Y")
        session = at.app.screen
        assert isinstance(session, SessionScreen)
        assert at.app.clipboard.splitlines()[0] == plain(identity_card(session.session, scene.watcher)[0]).rstrip()
        alert = next(iter(scene.state.alerts.values()))
        at.app.show_path(alert)
        await at.press("Y")
        assert alert.title in at.app.clipboard.splitlines()[0] and alert.reason in at.app.clipboard


async def test_what_is_copied_has_passed_the_door(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        for keys in (["5"], ["3"], ["1"]):
            await at.press(*keys, "Y")
            copied = at.app.clipboard
            assert copied and all(show(line) == line for line in copied.split("\n"))
        await at.press("5", "slash")
        await at.type("read_file")
        await at.press("enter", "Y")
        assert "\\x1b]52;c;cm0gLXJmIC8=\\x07" in at.app.clipboard


async def test_where_nothing_is_selected_nothing_is_copied(blank: Scene) -> None:
    async with hands(blank) as at:
        assert "Nothing is selected" in await at.press("3", "Y")
        assert not at.app.clipboard
