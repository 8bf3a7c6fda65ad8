"""Walks over the other screens, with real keys."""

import re
import time
from pathlib import Path

import pytest
from hands import hands
from msgspec.structs import replace
from scene import SOURCE, Scene

from mcpwatch.commands.watch import require_terminal
from mcpwatch.errors import LocalError
from mcpwatch.model.alerts import Alert, Severity
from mcpwatch.model.entries import UpstreamInfo
from mcpwatch.model.feed import FeedState
from mcpwatch.model.traffic import SessionKind
from mcpwatch.ui.theme import OURS
from mcpwatch.watch.names import short_session

pytest_plugins = ["played"]


async def test_numbers_go_to_the_main_screens(scene: Scene) -> None:
    async with hands(scene) as at:
        for key, word in (
            ("2", "BOUND TO"),
            ("3", "SEVERITY"),
            ("4", "IDENTITY"),
            ("5", "CHANGED"),
            ("6", "checkpoint"),
            ("1", "OUTCOME"),
        ):
            assert word in await at.press(key)


async def test_sessions_tell_who_is_bound_and_how_firmly(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("2")
    assert "◐ fair" in shown and "○ none" in shown and "nobody proven" in shown


async def test_a_session_shows_its_card_its_calls_and_a_running_one(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        shown = await at.press("2", "enter")
        assert "signer" in shown and "binding" in shown and "claims" in shown
        assert "release-agent 1.0" in shown and "(asserted)" in shown
        assert "≠ WRONG KEY" in shown and "↻ REPLAY" in shown
        assert "60%" in shown and "▸" in shown


async def test_v_turns_the_waterfall_to_the_chain_to_entries_and_back(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        await at.press("2", "enter")
        assert "HOW WE KNOW" in await at.press("v")
        assert "HTTP 200" in await at.press("v")
        assert "[waterfall" in await at.press("v")


async def test_a_chain_says_how_each_edge_is_known(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press("2")
        shown = ""
        for _ in range(5):
            shown = await at.press("enter", "v")
            if "traced" in shown:
                break
            await at.press("escape", "j")
        assert "traced" in shown and "(session " in shown


async def test_a_call_shows_verdict_coverage_payload_and_proof(scene: Scene) -> None:
    async with hands(scene, (100, 90)) as at:
        await at.press("2", "enter", "g", "j", "j")
        shown = await at.press("enter")
        assert "✓ VERIFIED" in shown and "covers       ✓ method" in shown and "not covered  ✗" in shown
        assert "✓ body" in shown and "✗ MCP method and name" in shown
        assert '"path": "README.md"' in shown or '{"path":"README.md"}' in shown
        assert "leaf hash" in shown and "✓ proven by the checkpoint at size" in shown


async def test_v_shows_the_exact_leaf(scene: Scene) -> None:
    async with hands(scene, (100, 90)) as at:
        await at.press("2", "enter", "g", "enter")
        shown = await at.press("v")
        assert "The exact leaf," in shown and '{"type":"mcpwatch.exchange.request"' in shown


async def test_escape_goes_up_step_by_step(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("2", "enter", "enter")
        assert "›" in await at.line(2)
        assert "Sessions ›" in (await at.press("escape")).splitlines()[2]
        assert "BOUND TO" in await at.press("escape")
        assert "BOUND TO" in await at.press("escape")


async def test_the_same_number_again_goes_to_the_top_of_that_screen(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("2", "enter", "enter")
        assert "BOUND TO" in await at.press("2")


async def test_alerts_tell_meaning_and_what_to_do_at_80x24(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3")
        shown = await at.press("tab", "z")
    assert "What it means" in shown and "What to do" in shown


async def test_enter_on_an_alert_opens_its_evidence(scene: Scene) -> None:
    async with hands(scene, (100, 40)) as at:
        await at.press("3")
        shown = await at.press("j", "enter")
        assert "≠ WRONG KEY" in shown and "Alerts ›" in shown


async def test_l_shows_the_evidence_of_an_alert_on_live(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "j")
        shown = await at.press("l")
        assert "alert:" in shown.splitlines()[-2] and "≠ WRONG KEY" in shown


async def test_order_changes_and_the_selection_stays(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("3", "j", "j")
        cursor = next(line for line in shown.splitlines() if line.startswith("▌"))
        shown = await at.press("o")
        assert "SEEN▼" in shown
        again = next(line for line in shown.splitlines() if line.startswith("▌"))
        assert again[:40] == cursor[:40]
        assert "SEEN▲" in await at.press("O")


async def test_identities_open_on_a_page_at_80_cells(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("4")
        shown = await at.press("enter")
        assert "✓ VERIFIED" in shown and "calls itself" in shown and "claimed" in shown
        assert "the key is inside the did:key" in shown and "first seen here, entry 1" in shown


async def test_a_changed_tool_comes_first_and_shows_its_diff_with_escapes_visible(scene: Scene) -> None:
    async with hands(scene, (100, 40)) as at:
        shown = await at.press("5")
        assert "≠ 1×" in shown.splitlines()[4]
        shown = await at.press("enter")
        assert "the definition changed once" in shown and "\\x1b]52;c" in shown
        assert "- Reads a file of the project." in shown


async def test_the_feed_screen_tells_key_checkpoint_gaps_and_files(scene: Scene) -> None:
    async with hands(scene, (100, 40)) as at:
        shown = await at.press("6")
        shown += await at.press("end")
    for word in ("origin", "log key", "checkpoint", "gaps", "States, newest first", "CONNECTING", "state", "config"):
        assert word in shown


async def test_help_lists_the_keys_of_this_screen_and_the_filter_words(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        text = await at.press("question_mark")
        assert "Help · live" in text and "Hold the view still" in text
        shown = await at.press("end")
        assert "sev" in shown or "index" in shown
        await at.press("escape", "3")
        text = await at.press("question_mark")
        assert "Help · alerts" in text and "Hold the view still" not in text


async def test_commands_can_be_typed_and_shortened(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "SEVERITY" in await at.command("alerts")
        assert "BOUND TO" in await at.command("sessions")
        assert "tool:notes" in (await at.command("live") and await at.command("filter tool:notes"))


async def test_an_unknown_command_is_told_with_the_nearest(scene: Scene) -> None:
    async with hands(scene, notifications=True) as at:
        assert "there is no command alrts; did you mean" in await at.command("alrts")


async def test_the_palette_runs_commands(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("ctrl+p")
        await at.type("freeze")
        await at.pilot.pause(0.3)
        await at.press("enter")
        assert "FROZEN" in await at.line(-2)


async def test_the_theme_changes_by_name_and_by_turn(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "the theme is mcpwatch-light" in (await at.command("theme mcpwatch-light")).lower()
        assert at.app.theme == "mcpwatch-light"
        seen = [at.app.theme]
        while len(seen) == len(set(seen)):
            await at.command("theme")
            seen.append(at.app.theme)
        assert seen[-1] == seen[0] and set(seen) == set(OURS)


async def test_every_theme_of_the_library_can_be_used(scene: Scene) -> None:
    async with hands(scene) as at:
        for theme in list(at.app.available_themes):
            at.app.theme = theme
            assert "VERIFIED" in await at.read()


async def test_maximise_gives_the_pane_the_screen_and_back(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        split = await at.read()
        assert "In the log" in split
        whole = await at.press("z")
        assert "In the log" not in whole
        assert whole.splitlines()[-1].startswith(" z maximise  esc back")
        assert "esc back" not in (await at.press("escape")).splitlines()[-1]
        await at.press("z")
        assert "In the log" in await at.press("z")
        await at.press("z")
        assert "In the log" in await at.press("escape")


async def test_a_call_maximised_is_its_page_and_not_its_few_entries(scene: Scene) -> None:
    async with hands(scene) as at:
        shown = await at.press("enter", "z")
        assert "KIND" not in shown and "╱╱╱" not in shown
        assert "In the log" in await at.press("G")
        assert "KIND" in await at.press("z")


async def test_a_screenshot_is_a_new_file_of_ones_own(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "strftime", lambda form, *when: "now")
    async with hands(scene) as at:
        assert "Saved mcpwatch-now.svg" in await at.press("f8")
        saved = Path("mcpwatch-now.svg")
        assert "<svg" in saved.read_text() and saved.stat().st_mode & 0o777 == 0o600
        links = re.findall(r'(?:href="|url\()"?(?!#)[^")]*', saved.read_text())
        assert not links, "a browser that shows the picture asks other machines for these"
        saved.unlink()
        saved.symlink_to("elsewhere.svg")
        assert "mcpwatch-now.svg exists already" in await at.press("f8")
        assert saved.is_symlink() and not Path("elsewhere.svg").exists()


async def test_what_the_foot_said_of_one_screen_is_not_said_of_the_next(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "does nothing here" in await at.press("v")
        assert "does nothing here" not in await at.press("3")


async def test_keys_can_be_remapped_by_id(scene: Scene) -> None:
    app = scene.app(keymap={"freeze": "p,x", "plumbing": "P"})
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("x")
        await pilot.pause()
        assert app.screen.view.frozen  # type: ignore[attr-defined]


def selected(shown: str) -> str:
    """The row that the cursor stands on; fails when it is out of view."""
    return next(line for line in shown.splitlines() if line.startswith(("▌", "▏")))


async def test_the_selected_row_is_in_view_after_coming_back_and_after_a_new_order(scene: Scene) -> None:
    async with hands(scene) as at:
        before = selected(await at.press("3", "j"))
        await at.press("1")
        for number in range(20):
            stamp = scene.now + number
            alert = Alert(f"n{number}", "rule/x", "Bad", Severity.CRITICAL, "x", "y", 1, 0, 0, stamp, stamp, SOURCE)
            scene.book.alerts[alert.id] = alert
        scene.state.alerts_changed()
        scene.wait(1.0)
        assert selected(await at.press("3"))[12:40] == before[12:40]
        for alert in list(scene.book.alerts.values()):
            alert.severity = Severity.CRITICAL
        scene.state.alerts_changed()
        scene.wait(1.0)
        assert selected(await at.read())[12:40] == before[12:40]


async def test_a_session_opens_by_the_name_that_lists_show(scene: Scene) -> None:
    async with hands(scene) as at:
        for session in scene.state.sessions.values():
            await at.press("2")
            name = short_session(session).removeprefix("~")
            shown = await at.command(f"session {name} {session.upstream}")
            assert f"Sessions › {short_session(session)} on" in shown
        await at.press("2")
        assert "No session is called nosuch" in await at.command("session nosuch")
        sessions = scene.state.sessions.values()
        name = next(short_session(each) for each in sessions if each.kind is not SessionKind.LEGACY)
        shared = await at.command(f"session {name}")
        assert f"3 sessions are called so: {name} files, {name} notes" in shared


@pytest.mark.parametrize("keys", [("1",), ("2",), ("3",), ("4",), ("5",), ("6",), ("2", "enter"), ("5", "enter")])
async def test_the_footer_always_names_help_and_the_way_out(scene: Scene, keys: tuple[str, ...]) -> None:
    async with hands(scene) as at:
        foot = (await at.press(*keys)).splitlines()[-1]
    assert "? help" in foot and "q close" in foot


async def test_a_lost_feed_says_when_it_was_lost(scene: Scene) -> None:
    status = scene.state.feeds[SOURCE]
    gone = (*status.history, (scene.now, FeedState.DISCONNECTED, "closed"))
    scene.state.set_feed(
        replace(status, state=FeedState.DISCONNECTED, connected_at=None, retry_at=scene.now + 60.5, history=gone)
    )
    scene.wait(60.0)
    async with hands(scene, (100, 40)) as at:
        shown = await at.press("6")
        assert "not now, lost 1m00s ago" in shown and "next try     now" in shown


@pytest.mark.parametrize("width", [80, 100, 140])
async def test_the_head_of_a_session_cuts_nothing_in_the_middle(scene: Scene, width: int) -> None:
    async with hands(scene, (width, 30)) as at:
        await at.press("2")
        for session in list(scene.state.sessions.values()):
            at.app.show_session(session)
            head = (await at.read()).splitlines()[3:8]
            assert all(not line.endswith("…") and len(line) < width for line in head)
            assert f"{session.signed} proven" in head[2]
            assert "[waterfall" in head[4] and " chain " in head[4]
            await at.press("2")


async def test_enter_opens_the_evidence_from_the_page_of_an_alert_too(scene: Scene) -> None:
    async with hands(scene, (100, 40)) as at:
        shown = await at.press("3", "j", "tab")
        assert "▏" in shown and "▌‼" not in shown
        assert "Alerts ›" in (await at.press("enter")).splitlines()[2]


async def test_an_alert_without_entries_opens_the_feed(scene: Scene) -> None:
    alert = Alert("f", "feed/x", "Feed lost", Severity.CRITICAL, "gateway", "y", 1, 0, 0, scene.now, scene.now, SOURCE)
    scene.book.alerts["f"] = alert
    scene.state.alerts_changed()
    async with hands(scene, (100, 40)) as at:
        await at.press("3", "o", "o", "o", "g")
        for _ in range(len(scene.book.alerts)):
            if "Feed lost" in selected(await at.read()):
                break
            await at.press("j")
        assert "log key" in await at.press("enter")


@pytest.mark.parametrize("size", [(100, 30), (120, 40), (140, 40)])
async def test_live_names_the_session_and_the_signer_beside_the_pane(scene: Scene, size: tuple[int, int]) -> None:
    signer = next(each.binding.signer for each in scene.state.sessions.values() if each.binding.signer)
    async with hands(scene, size) as at:
        lines = (await at.read()).splitlines()
        assert "SESSION" in lines[3]
        shown = await at.command(f"filter sess:{short_session(next(iter(scene.state.sessions.values())))}")
    assert f"{signer.fingerprint[:8]} " in shown and f"{signer.id[-6:]} " in shown


async def test_alerts_are_about_a_key_and_a_server_in_few_cells(scene: Scene) -> None:
    for alert in scene.book.alerts.values():
        alert.subject = "m1sI0XSE did:key:z6MkiWNzHycZZNMkP8bt98kEmoc18BawnVaHEqdBURYPGpyt at orders"
    async with hands(scene) as at:
        row = selected(await at.press("3"))
    assert "m1sI0XSE at orders" in row and "firing" in row


async def test_the_gateway_says_what_it_did(scene: Scene) -> None:
    async with hands(scene) as at:
        row = selected(await at.press("g"))
    assert "gateway started" in row and "server" in row


async def test_before_any_call_the_servers_of_the_gateway_are_named(blank: Scene) -> None:
    blank.take(blank.log.started())
    blank.feed()
    async with hands(blank, (140, 40)) as at:
        shown = await at.read()
        assert "No traffic yet" in shown and "in place of" in shown
        blank.take(blank.log.initialize("a", client="x"))
        assert "No traffic yet" not in await at.read()


async def test_before_any_call_the_addresses_for_clients_are_told_whole(blank: Scene) -> None:
    servers = (
        UpstreamInfo("files", "http://127.0.0.1:9000/mcp", "/files/mcp"),
        UpstreamInfo("mail", "http://m/", "/mail/"),
    )
    blank.take(blank.log.started(listen="http://127.0.0.1:4180", upstreams=servers))
    blank.feed()
    async with hands(blank, (140, 40)) as at:
        shown = await at.read()
    assert "http://127.0.0.1:4180/files/mcp   in place of   http://127.0.0.1:9000/mcp" in shown
    assert "http://127.0.0.1:4180/mail/   in place of   http://m/" in shown


async def test_what_a_command_can_go_on_as_stands_over_it(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("colon")
        assert "tab sessions  session" in await at.type("sessi")
        assert "BOUND TO" in await at.press("tab", "enter")


async def test_values_of_a_command_are_offered_once_it_is_typed(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("1", "colon")
        await at.type("got")
        assert "tab alert  -30s  +30s" in await at.press("tab")
        assert ":goto -30s" in await at.press("tab", "tab")


@pytest.mark.parametrize("term", ["dumb", "", "unknown"])
def test_a_terminal_that_cannot_be_drawn_on_is_refused(term: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", term)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    with pytest.raises(LocalError, match="cannot draw") as raised:
        require_terminal()
    assert "mcpwatch tail" in raised.value.hint


async def test_the_feed_screen_names_the_folder_that_is_used(scene: Scene) -> None:
    scene.watcher.files = (("state", "/elsewhere"), ("config", "none read"))
    async with hands(scene, (100, 60)) as at:
        shown = await at.press("6")
    assert "/elsewhere" in shown and "none read" in shown


async def test_an_alert_leads_to_its_signer_and_its_session(scene: Scene) -> None:
    async with hands(scene, (120, 30)) as at:
        await at.press("3")
        while "Bad signature" not in selected(shown := await at.read()):
            await at.press("down")
        assert "i signer" in shown.splitlines()[-1]
        assert "Identities › 2bd806c9" in await at.press("i")
        await at.press("escape")
        assert "Sessions › 483171a4 on files" in await at.press("s")


@pytest.mark.parametrize("keys", [("6", "i"), ("2", "e"), ("5", "enter", "s")])
async def test_a_key_of_other_screens_says_that_it_does_nothing_here(scene: Scene, keys: tuple[str, ...]) -> None:
    async with hands(scene) as at:
        foot = (await at.press(*keys)).splitlines()[-1]
    assert f"{keys[-1]} does nothing here; ? lists the keys" in foot


async def test_the_page_of_a_call_names_the_ways_to_its_signer_and_session(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        foot = (await at.press("2", "enter", "enter")).splitlines()[-1]
    assert "i signer" in foot and "s session" in foot


async def test_a_command_typed_in_one_burst_is_read_whole(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.send(":", *"theme textual-light", "enter")
        assert at.app.theme == "textual-light"


async def test_a_filter_typed_in_one_burst_is_read_whole(scene: Scene) -> None:
    async with hands(scene) as at:
        assert "/ sig:bad" in await at.send("/", *"sig:bad")


async def test_the_command_line_completes_a_filter_and_names_the_nearest_theme(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("colon")
        assert "tab sig:bad" in await at.type("filter sig:ba")
        await at.press("escape")
        assert "did you mean mcpwatch-dark?" in await at.command("theme mcpwatch-drak")
