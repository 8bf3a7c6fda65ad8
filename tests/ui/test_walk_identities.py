"""Walks over signers: who made this call, how we know, what is not covered, since when; pinning and back."""

from pathlib import Path

import pytest
import signers
from hands import Hands, hands
from scene import Scene

from mcpwatch.errors import LocalError
from mcpwatch.identity.pins import pins_path, read_known
from mcpwatch.model.identity import Resolution
from mcpwatch.ui import looks
from mcpwatch.ui.dialogs.dialog import Dialog
from mcpwatch.ui.widgets.page import Page

pytest_plugins = ["played"]


@pytest.fixture
def many(blank: Scene) -> Scene:
    """Every kind of signer has been seen."""
    return signers.play(blank)


def known(folder: Path) -> tuple[list[str], dict[str, str]]:
    """What the file of pinned keys says: whose keys, and names."""
    said = read_known(pins_path(folder))
    return [pin.id for pin in said.pins], said.names


async def opened(at: Hands, start: str) -> str:
    """The page of the identity whose id begins so, from the list."""
    await at.press("4", "g")
    for _ in range(len(at.scene.state.identities) + len(at.scene.state.servers)):
        shown = await at.press("enter")
        if f"identity     {start}" in shown or f"identity     ledger  {start}" in shown:
            return shown
        await at.press("escape", "j")
    raise AssertionError(f"no identity {start}")


def test_every_resolution_has_a_sentence() -> None:
    assert set(looks.RESOLUTIONS) == set(Resolution)


async def test_the_four_questions_are_answered_on_the_page_of_a_call(many: Scene) -> None:
    async with hands(many, (100, 60)) as at:
        await at.press("1")
        await at.command("filter tool:transfer kind:request")
        shown = await at.press("enter")
    assert "identity     ledger  did:aip:56475aa75463474c0285df5dbf2bcab7" in shown
    assert f"key          {signers.print_of(signers.NEW)}   current" in shown
    assert "resolved     asked the registry at https://registry.example" in shown
    assert "in use since 2026-11-22 12:01:00" in shown and "first seen here, entry 8" in shown
    assert "valid from   2026-11-19 12:00:00.000+00:00  asserted by the registry" in shown
    assert "HTTP Message Signatures (RFC 9421) · web-bot-auth" in shown
    assert "not covered  ✗ session id" in shown and "✗ access token" in shown
    assert "Other signatures on this request" in shown and "✗ BAD SIG  AIP headers" in shown
    assert "It is the one above that counts" in shown and "the signature does not fit the request" in shown
    assert "receipt      r-2  signed" in shown and "led to by    r-1" in shown and "trace-7" in shown
    assert "Server, another party than the agent" in shown
    assert f"server       {signers.SERVER.did_key}" in shown


async def test_a_call_leads_to_the_identity_that_signed_it(many: Scene) -> None:
    async with hands(many, (100, 40)) as at:
        await at.command("filter tool:transfer kind:request")
        assert "Identities" in (shown := await at.press("i")) and "Keys" in shown
        await at.press("escape")
        assert "key          " in await at.press("enter", "i")


async def test_a_rotated_identity_tells_each_key_with_its_times(many: Scene) -> None:
    async with hands(many, (100, 60)) as at:
        shown = await opened(at, signers.LEDGER)
    new, old = (shown.index(signers.print_of(key)) for key in (signers.NEW, signers.OLD))
    assert f"{signers.print_of(signers.OLD)}  superseded" in shown and new < old
    assert "until 2026-11-19 12:00:00.000+00:00 asserted by the registry" in shown
    assert shown.count("seen here from") == 2


async def test_a_name_that_you_gave_to_another_stands_out(many: Scene) -> None:
    async with hands(many, (120, 60)) as at:
        shown = await opened(at, "key:")
        assert "came with a request itself, and nobody vouches for whose it is" in shown
        assert "Ledger 1.0  claimed, and the name you gave to did:aip:5647…2bcab7" in shown


async def test_servers_are_told_apart_from_agents(many: Scene) -> None:
    async with hands(many, (140, 40)) as at:
        shown = await opened(at, signers.SERVER.did_key[:20])
        assert "server  signs answers" in shown and "1 answer that it provably sent" in shown


async def test_pinning_shows_the_whole_key_and_writes_it_with_a_name(many: Scene, tmp_path: Path) -> None:
    async with hands(many) as at:
        await opened(at, "key:")
        shown = await at.press("p")
        assert "Pin this key" in shown
        print_ = signers.print_of(signers.STRANGER)
        assert print_ in shown and f"key:{print_}" in shown and "nobody vouches" in shown
        await at.type("visitor")
        shown = await at.press("enter")
        assert "Pinned visitor" in shown and "Pin this key" not in shown
    assert known(tmp_path) == ([f"key:{print_}"], {f"key:{print_}": "visitor"})
    assert f"key:{print_}" in many.watcher.judged_again[0]


async def test_a_name_is_not_needed(many: Scene, tmp_path: Path) -> None:
    async with hands(many) as at:
        await opened(at, "key:")
        await at.press("p", "enter")
    assert known(tmp_path) == ([signers.OF_STRANGER.id], {})


async def test_the_keys_of_the_pin_dialog_are_in_view_and_its_text_scrolls(many: Scene) -> None:
    async with hands(many) as at:
        await opened(at, "ledger")
        shown = await at.press("p")
        assert "another way than this one." in shown and "enter pin it   esc leave it as it is" in shown
        await at.pilot.resize_terminal(80, 16)
        text = at.app.screen.query_one("#text", Page)
        assert text.max_scroll_y > 0
        assert "another way than this one." in await at.press("pagedown")
        assert "enter pin it   esc leave it as it is" in await at.read()


async def test_a_pinned_key_is_not_pinned_again_but_named(many: Scene) -> None:
    many.state.identities[signers.OF_STRANGER.id].resolution = Resolution.PINNED
    many.watcher.pin(signers.OF_STRANGER.id, signers.OF_STRANGER.fingerprint)
    async with hands(many) as at:
        await opened(at, "key:")
        shown = await at.press("p")
        assert "This key is pinned" in shown and "enter name it" in shown
        await at.type("visitor")
        assert "Named visitor" in await at.press("enter")


async def test_a_did_key_is_pinned_for_its_name(scene: Scene) -> None:
    async with hands(scene) as at:
        await opened(at, "did:key:z6Mk2bd8")
        shown = await at.press("p")
        assert "The key is inside the did:key itself" in shown and "gives it a name" in shown


async def test_escape_pins_nothing(many: Scene, tmp_path: Path) -> None:
    async with hands(many) as at:
        await opened(at, "key:")
        await at.press("p")
        await at.type("no")
        await at.press("escape")
    assert known(tmp_path) == ([], {})


async def test_unpinning_asks_and_takes_the_name_with_it(many: Scene, tmp_path: Path) -> None:
    id = signers.OF_STRANGER.id
    many.watcher.pin(id, signers.OF_STRANGER.fingerprint, "visitor")
    async with hands(many) as at:
        await opened(at, "key:")
        shown = await at.press("P")
        assert "Un-pin this identity" in shown and signers.OF_STRANGER.fingerprint in shown
        await at.press("escape")
        assert known(tmp_path) == ([id], {id: "visitor"})
        assert "Un-pinned" in await at.press("P", "enter")
        assert known(tmp_path) == ([], {})
        assert "No key of it is pinned" in await at.press("P")


async def test_a_name_that_is_taken_is_refused_and_can_be_changed(many: Scene, tmp_path: Path) -> None:
    many.watcher.pin(signers.LEDGER, signers.print_of(signers.NEW), "ledger")
    async with hands(many) as at:
        await opened(at, "key:")
        await at.press("p")
        await at.type("ledger")
        assert "is called ledger already" in await at.press("enter")
        await at.type("2")
        await at.press("enter")
        assert not isinstance(at.app.screen, Dialog)
    assert known(tmp_path)[1] == {signers.LEDGER: "ledger", signers.OF_STRANGER.id: "ledger2"}


@pytest.mark.parametrize("key", ["p", "P"])
async def test_a_state_folder_that_cannot_be_written_is_told(
    many: Scene, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> None:
        raise LocalError("state/keys.json cannot be written: Read-only file system")

    many.watcher.pin(signers.OF_STRANGER.id, signers.OF_STRANGER.fingerprint)
    monkeypatch.setattr("mcpwatch.identity.pins._write", refuse)
    async with hands(many) as at:
        await opened(at, "key:")
        shown = await at.press(key, "enter")
        assert "Read-only file system" in shown and at.app.is_running


async def test_an_identity_without_a_key_has_nothing_to_pin(scene: Scene) -> None:
    identity = next(iter(scene.state.identities.values()))
    identity.fingerprint = ""
    async with hands(scene) as at:
        await at.press("4", "o", "o", "o", "g")
        for _ in scene.state.identities:
            await at.press("j")
        await at.press("g")
        while "no key" not in next(row for row in (await at.read()).splitlines() if row.startswith("▌")):
            await at.press("j")
        assert "there is nothing to pin" in await at.press("p")


async def test_the_alerts_of_one_identity_and_then_all_again(scene: Scene) -> None:
    async with hands(scene, (120, 40)) as at:
        await at.press("4", "j", "j")
        identity = at.app.screen.selected  # type: ignore[attr-defined]
        assert 0 < len(identity.alerts) < len(scene.state.alerts)
        shown = await at.press("a")
        assert "Alerts › of " in shown and len(at.app.screen.table) == len(identity.alerts)  # type: ignore[attr-defined]
        shown = await at.press("escape")
        assert "Alerts › of " not in shown
        assert len(at.app.screen.table) == len(scene.state.alerts)  # type: ignore[attr-defined]


async def test_a_session_that_others_signed_in_says_so(scene: Scene) -> None:
    async with hands(scene, (100, 30)) as at:
        await at.press("2")
        for session in scene.state.sessions.values():
            if session.binding.signer is not None and session.binding.since is not None:
                at.app.show_session(session)
                assert "but 1 other key signed in it too" in await at.read()
                return
    raise AssertionError("no bound session")


async def test_its_alerts_are_all_listed_and_named_whatever_alerts_was_narrowed_to(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("3", "v", "enter", "4")
        shown = await at.press("a")
        assert "of 2bd806c9" in shown or " alone; esc shows all" in shown
        assert "by rule" not in shown and "alone; esc shows all rules" not in shown
        shown = await at.press("v")
        assert "alone; esc shows all › by rule; v shows each" in shown
        await at.press("3", "escape", "escape", "slash")
        await at.type("no such alert")
        await at.press("enter", "4")
        assert "have “no such alert”" not in await at.press("a")
