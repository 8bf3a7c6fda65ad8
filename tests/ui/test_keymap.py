"""Keys of the operator's: what cannot be is told, and what can is what is pressed and what is shown."""

import pytest
from hands import Hands, hands
from scene import Scene

from mcpwatch.ui.app import WatchApp
from mcpwatch.ui.commands import COMMANDS, Command
from mcpwatch.ui.keymap import faults, keymap
from mcpwatch.ui.settings import Settings

pytest_plugins = ["played"]


@pytest.mark.parametrize(
    ("keys", "at", "says"),
    [
        ({"frezee": "x"}, "frezee", "did you mean freeze?"),
        ({"freeze": "blank"}, "freeze", "blank is not a key"),
        ({"freeze": "spce"}, "freeze", "did you mean space?"),
        ({"freeze": "f"}, "freeze", "f is the key of follow already"),
        ({"follow": "x", "freeze": "x"}, "follow", "x is the key of freeze already"),
        ({"mute": "o"}, "mute", "o is the key of order already"),
        ({"quit": ""}, "quit", "must keep a key that types no text, such as ctrl+q"),
        ({"back": "x"}, "back", "must keep a key that types no text, such as escape"),
    ],
)
def test_what_cannot_be_is_told(keys: dict[str, str], at: str, says: str) -> None:
    told = list(faults(keys))
    assert told and told[0].at == ("keys", at) and says in told[0].what


@pytest.mark.parametrize(
    "keys",
    [
        {},
        {"freeze": "x,f5", "mute": ""},
        {"follow": "X", "theme": "ctrl+t", "find": "F"},
        {"acknowledge": "A", "quit": "ctrl+x"},
    ],
)
def test_what_can_be_is_taken(keys: dict[str, str]) -> None:
    assert not list(faults(keys))


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.id)
def test_the_keys_that_a_command_has_may_be_written_down(command: Command) -> None:
    assert not [fault for fault in faults({command.id: command.keys}) if "is not a key" in fault.what]


def test_keys_are_written_as_people_do() -> None:
    assert keymap({"filter": "/, ctrl+/", "freeze": " space,x ", "mute": ""}) == {
        "filter": "slash,ctrl+slash",
        "freeze": "space,x",
        "mute": "",
    }


async def _with(at: Hands, keys: dict[str, str]) -> str:
    assert not list(faults(keys))
    at.app.take(Settings(keymap(keys)))
    assert at.app.current is not None
    at.app.current.look()
    return await at.read()


async def test_a_key_does_what_it_was_given_and_the_old_one_nothing(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        shown = await _with(at, {"alerts": "A", "freeze": "x", "theme": "ctrl+t", "mute": ""})
        assert "x freeze" in shown
        await at.press("3", "b")
        assert (at.app.current_mode, at.app.muted) == ("live", False)
        before = at.app.theme
        await at.press("ctrl+t")
        assert at.app.theme != before
        await at.press("A")
        assert at.app.current_mode == "alerts"


async def test_the_key_that_opens_does_so_from_a_page_too(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await _with(at, {"open": "f9"})
        await at.press("3", "tab")
        alerts = at.app.screen
        await at.press("enter")
        assert at.app.screen is alerts
        await at.press("f9")
        assert at.app.screen is not alerts


async def test_a_letter_is_text_while_one_types(scene: Scene) -> None:
    async with hands(scene) as at:
        await _with(at, {"alerts": "A"})
        await at.press("slash")
        assert "tool:A" in await at.type("tool:A")
        assert at.app.current_mode == "live"


async def test_help_and_palette_show_the_keys_there_are(scene: Scene) -> None:
    async with hands(scene, (100, 60)) as at:
        await _with(at, {"freeze": "f9"})
        assert "f9" in "".join(
            line for line in (await at.press("question_mark")).splitlines() if "Hold the view" in line
        )
        await at.press("escape", "ctrl+p")
        assert "f9" in await at.type("Hold the view still")


def test_a_dashboard_without_settings_has_the_keys_of_the_table(blank: Scene) -> None:
    app = blank.app()
    assert isinstance(app, WatchApp) and not app.keys and app.theme == "mcpwatch-dark"
