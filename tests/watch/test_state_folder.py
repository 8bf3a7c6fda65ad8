"""What other programs do in the state folder reaches a watcher that runs."""

import asyncio
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from build import Log
from piped import ALICE, MALLORY, ListSource, signed, story, watcher_on
from rpc import call
from test_pipeline import Ear, words

from mcpwatch.errors import UsageError
from mcpwatch.identity.pins import add_pin, pins_path, read_known, remove_pin, set_name
from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.model.identity import Resolution
from mcpwatch.watch.state_folder import StateFolderWatch
from mcpwatch.watch.watcher import Watcher


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[StateFolderWatch]]:
    """What looks at the state folder, of each watcher that is run."""
    found: list[StateFolderWatch] = []

    async def run(self: StateFolderWatch) -> None:
        found.append(self)

    monkeypatch.setattr(StateFolderWatch, "run", run)
    yield found


def bad_signature(watcher: Watcher) -> Alert:
    return next(alert for alert in watcher.state.alerts.values() if alert.rule == "identity/bad-signature")


async def test_a_key_pinned_meanwhile_verifies_what_was_seen(state_folder: Path, made: list[StateFolderWatch]) -> None:
    log = Log()
    signed(log, call(1, "read"), did=ALICE.did_aip)
    signed(log, call(2, "read"), key=MALLORY, did=MALLORY.did_aip)
    watcher, ear = watcher_on(state_folder, ListSource(log.entries)), Ear()
    await watcher.run(ear)
    assert words(watcher.state) == ["NO CHECK", "NO CHECK"]
    (watch,) = made
    touches = watcher.state.touches

    add_pin(pins_path(state_folder), ALICE.did_aip, ALICE.public_base64)
    await watch.look()
    assert words(watcher.state) == ["VERIFIED", "NO CHECK"]
    assert watcher.state.touches > touches
    await watch.look()
    assert [value for kind, value in ear.heard if kind == "verdict"] == [(0, "VERIFIED")]

    remove_pin(pins_path(state_folder), ALICE.did_aip)
    await watch.look()
    assert words(watcher.state) == ["NO CHECK", "NO CHECK"]
    await watcher.close()


async def test_a_key_pinned_meanwhile_takes_its_session_from_who_came_later(
    state_folder: Path, made: list[StateFolderWatch]
) -> None:
    log = Log()
    log.initialize("s1")
    signed(log, call(1, "read"), did=ALICE.did_aip, session="s1")
    signed(log, call(2, "read"), key=MALLORY, session="s1")
    watcher, ear = watcher_on(state_folder, ListSource(log.entries)), Ear()
    await watcher.run(ear)
    assert words(watcher.state) == ["NO CHECK", "VERIFIED"]
    add_pin(pins_path(state_folder), ALICE.did_aip, ALICE.public_base64)
    await made[0].look()
    assert words(watcher.state) == ["VERIFIED", "WRONG KEY"]
    (session,) = watcher.state.sessions.values()
    assert session.binding.signer is not None and session.binding.signer.id == ALICE.did_aip
    remove_pin(pins_path(state_folder), ALICE.did_aip)
    await made[0].look()
    assert words(watcher.state) == ["NO CHECK", "VERIFIED"]
    assert session.binding.signer is not None and session.binding.signer.id == MALLORY.did_key
    await watcher.close()


async def test_a_name_reaches_the_rows_and_raises_no_alert_again(
    state_folder: Path, made: list[StateFolderWatch]
) -> None:
    watcher = watcher_on(state_folder, ListSource(story()))
    await watcher.run()
    counts = {alert.rule: alert.count for alert in watcher.state.alerts.values()}
    set_name(pins_path(state_folder), ALICE.did_key, "ledger")
    await made[0].look()
    assert words(watcher.state) == ["VERIFIED", "BAD SIG", "REPLAY", "WRONG KEY"]
    told = [row.who.text for row in watcher.state.rows if row.tool]
    assert told[:2] == [f"ledger {watcher.state.identities[ALICE.did_key].fingerprint[:8]}", "?ledger"]
    assert watcher.state.identities[ALICE.did_key].name == "ledger"
    assert {alert.rule: alert.count for alert in watcher.state.alerts.values()} == counts
    await watcher.close()


async def test_a_key_pinned_on_the_screen_verifies_what_was_seen_and_back(state_folder: Path) -> None:
    log = Log()
    log.initialize("s1")
    signed(log, call(1, "read"), session="s1")
    watcher, ear = watcher_on(state_folder, ListSource(log.entries)), Ear()
    await watcher.run(ear)
    identity = watcher.state.identities[ALICE.did_key]
    assert identity.resolution is Resolution.DID_KEY and not watcher.is_pinned(identity.id)

    watcher.pin(identity.id, identity.fingerprint, "ledger")
    await asyncio.sleep(0)
    assert (identity.resolution, identity.name) == (Resolution.PINNED, "ledger")
    assert watcher.is_pinned(identity.id)
    assert [row.who.text for row in watcher.state.rows if row.tool] == [f"ledger {identity.fingerprint[:8]}"]
    assert read_known(pins_path(state_folder)).names == {ALICE.did_key: "ledger"}

    watcher.unpin(identity.id)
    await asyncio.sleep(0)
    assert (identity.resolution, identity.name) == (Resolution.DID_KEY, "")
    with pytest.raises(UsageError, match="is pinned"):
        watcher.unpin(identity.id)
    with pytest.raises(UsageError, match="is not held any more"):
        watcher.pin(identity.id, "f" * 43)
    with pytest.raises(UsageError, match="is no name"):
        watcher.pin(identity.id, identity.fingerprint, "?ledger")
    assert read_known(pins_path(state_folder)).pins == []
    await watcher.close()


async def test_a_broken_file_keeps_the_keys_and_is_told_once(
    state_folder: Path, made: list[StateFolderWatch], caplog: pytest.LogCaptureFixture
) -> None:
    path = pins_path(state_folder)
    add_pin(path, ALICE.did_aip, ALICE.public_base64)
    log = Log()
    signed(log, call(1, "read"), did=ALICE.did_aip)
    watcher = watcher_on(state_folder, ListSource(log.entries))
    await watcher.run()
    path.write_bytes(b"{")
    with caplog.at_level(logging.WARNING):
        await made[0].look()
        await made[0].look()
    assert caplog.text.count("is not a file of pinned keys") == 1
    assert words(watcher.state) == ["VERIFIED"]
    path.unlink()
    await made[0].look()
    assert words(watcher.state) == ["NO CHECK"]
    await watcher.close()


async def test_what_is_said_in_one_dashboard_shows_in_the_other(
    state_folder: Path, made: list[StateFolderWatch]
) -> None:
    entries = story()
    one, other = (watcher_on(state_folder, ListSource(entries), author=name) for name in ("ann@desk", "ben@desk"))
    for watcher in (one, other):
        await watcher.run()
    alert, seen = bad_signature(one), bad_signature(other)
    await one.acknowledge(alert.id, "known", alert.last_index)
    changes = other.state.alert_changes
    for watch in made:
        await watch.look()
    assert seen.state is AlertState.ACKNOWLEDGED
    assert seen.acknowledgement == alert.acknowledgement
    assert other.state.alert_changes == changes + 1
    assert len(alert.history) == 1
    await other.unacknowledge(seen.id, "not so")
    for watch in made:
        await watch.look()
    assert alert.state is AlertState.FIRING
    assert [event.note for event in alert.history] == [event.note for event in seen.history] == ["known", "not so"]
    for watcher in (one, other):
        await watcher.close()
