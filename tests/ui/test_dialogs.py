"""Dialogs name what they do, are deaf at first, and do it once."""

import pytest
from hands import Hands, hands
from rpc import call, result, text
from scene import Scene
from textual import events

from mcpwatch.model.alerts import AlertState, Severity
from mcpwatch.ui.commands import Scope
from mcpwatch.ui.dialogs.dialog import DEAF_FOR, Dialog
from mcpwatch.ui.dialogs.help import HelpDialog
from mcpwatch.ui.looks import EDGES, SEVERITIES, STRENGTHS, VERDICTS

pytest_plugins = ["played"]


async def opened(at: Hands, key: str) -> None:
    """Open a dialog with a key, with no time passing after it."""
    at.scene.monotonic += 1
    await at.pilot.press(key)
    await at.pilot.pause()
    assert isinstance(at.app.screen, Dialog)


async def test_acknowledging_names_the_alert_and_keeps_who_when_and_why(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("3", "a")
        assert "Acknowledge" in shown and "Tool changed" in shown and "read_file at files" in shown
        await at.type("known release")
        await at.press("enter")
        alert = next(each for each in scene.state.alerts.values() if each.rule == "tool/definition-changed")
        assert alert.state is AlertState.ACKNOWLEDGED and alert.acknowledgement is not None
        assert alert.acknowledgement.author == "ann@desk" and alert.acknowledgement.note == "known release"
        await at.press("end", "tab")
        shown = await at.press("z")
        assert "acknowledged" in shown and "ann@desk" in shown and "known release" in shown


async def test_an_acknowledged_alert_sinks_and_can_be_brought_back(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "a")
        await at.type("seen")
        first = (await at.press("enter")).splitlines()[4]
        assert not first.startswith("▌") and "Tool changed" not in first
        shown = await at.press("u")
        assert "Un-acknowledge" in shown and "Tool changed" in shown
        await at.type("not so sure")
        await at.press("enter")
        alert = next(each for each in scene.state.alerts.values() if each.rule == "tool/definition-changed")
        assert alert.state is AlertState.FIRING and [event.note for event in alert.history] == ["seen", "not so sure"]


async def test_a_note_is_required(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "a")
        shown = await at.press("enter")
        assert isinstance(at.app.screen, Dialog) and "note" in shown.lower()
        assert all(alert.state is AlertState.FIRING for alert in scene.state.alerts.values())


async def test_escape_changes_nothing(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "a")
        await at.type("no")
        await at.press("escape")
        assert not isinstance(at.app.screen, Dialog)
        assert all(alert.state is AlertState.FIRING for alert in scene.state.alerts.values())


async def test_what_grew_behind_the_dialog_is_not_acknowledged_unseen(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "j", "j", "j", "j")
        await at.press("a")
        before = at.app.screen
        scene.take(scene.log.exchange(call(70, "search"), result(70, text("x")), session="a", peer="10.0.0.7:50112"))
        await at.type("fine")
        shown = await at.press("enter")
        assert at.app.screen is before and "has grown" in shown
        await at.press("enter")
        assert at.app.screen is not before


@pytest.mark.parametrize("key", ["enter", "x", "escape"])
async def test_a_dialog_is_deaf_to_what_was_typed_before_it_could_be_read(scene: Scene, key: str) -> None:
    async with hands(scene) as at:
        await opened(at, "q")
        scene.monotonic += DEAF_FOR - 0.01
        await at.pilot.press(key, key)
        await at.pilot.pause()
        assert isinstance(at.app.screen, Dialog) and at.app.is_running
        scene.monotonic += 0.02
        await at.pilot.press("escape")
        await at.pilot.pause()
        assert not isinstance(at.app.screen, Dialog)


async def test_a_typed_answer_of_the_terminal_does_not_reach_the_note(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3")
        await opened(at, "a")
        await at.pilot.press("r", "m", "enter")
        at.app.post_message(events.Paste("rm -rf"))
        await at.pilot.pause()
        scene.monotonic += 1
        shown = await at.type("ok")
        assert " ok" in shown and "rm" not in shown.replace("firm", "")
        assert all(alert.state is AlertState.FIRING for alert in scene.state.alerts.values())


async def test_quitting_asks_while_serious_alerts_are_open(scene: Scene) -> None:
    async with hands(scene) as at:
        serious = sum(alert.severity >= Severity.HIGH for alert in scene.state.alerts.values())
        assert f"{serious} high or critical alerts are open" in await at.press("q")
        await at.press("escape")
        assert at.app.is_running
        await at.press("ctrl+q", "enter")
        assert not at.app.is_running


async def test_quitting_does_not_ask_when_nothing_serious_is_open(blank: Scene) -> None:
    async with hands(blank) as at:
        await at.pilot.press("q")
        await at.pilot.pause()
        assert not at.app.is_running


async def test_numbers_do_nothing_behind_a_dialog(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("q", "3")
        assert at.app.current_mode == "live"


async def test_help_leaves_what_has_a_text_and_all_of_it_again(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        whole = await at.press("question_mark")
        assert "/ find" in whole
        found = await at.press("slash", *"replay")
        assert "↻ REPLAY" in found and "Verdicts" in found and "UNSIGNED" not in found
        assert "Nothing here has that text" in await at.press(*"zz?q")
        assert await at.press("escape") == whole
        assert "Help · " not in await at.press("escape")


async def test_help_keeps_what_was_found_when_the_text_is_entered(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        found = await at.press("question_mark", "slash", *"severities", "enter")
        assert "‼ critical" in found and "Verdicts" not in found
        assert "Help · " not in await at.press("q")


def test_the_help_has_every_sign_of_the_tables() -> None:
    shown = "\n".join("".join(part.text for part in line.spans) for line in HelpDialog(Scope.ALERTS, []).lines())
    for looks in (VERDICTS, SEVERITIES, STRENGTHS, EDGES):
        for look in looks.values():
            assert f"{look.glyph} " in shown
            assert look.means.removeprefix(f"{look.means.partition(':')[0]}: ").lower() in shown.lower()
    for told in ("‼ critical", "● strong", "═ signed", "→ data flow", "┄ inferred", "✓ server", "@subject", "?name"):
        assert told in shown
