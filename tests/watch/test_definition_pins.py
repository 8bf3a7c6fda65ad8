"""Definitions of tools are trusted on first use, over restarts, until a person accepts another."""

import sqlite3
import stat
from collections.abc import Sequence
from pathlib import Path

import pytest
from build import START, Log
from piped import ListSource, watcher_on
from rpc import ask, result, tool

from mcpwatch.errors import LocalError, UsageError
from mcpwatch.model.alerts import Alert
from mcpwatch.model.entries import Entry, Json
from mcpwatch.model.tools import DefinitionPin, Tool
from mcpwatch.watch.definition_pins import FILE, MAX_OCTETS, MAX_TOOLS, DefinitionStore
from mcpwatch.watch.watcher import Watcher

OLD, NEW, NEWER = (tool("read", f"Reads a file{more}.") for more in ("", " and sends it on", " twice"))


def listing(*definitions: Json, upstream: str = "files") -> list[Entry]:
    """A log in which these are listed, one after the other."""
    log = Log(source="gw")
    for id, definition in enumerate(definitions):
        log.exchange(ask(id, "tools/list"), result(id, {"tools": [definition]}), session="s1", upstream=upstream)
    return log.entries


async def watched(state: Path, entries: Sequence[Entry]) -> Watcher:
    """A watcher that has taken in a log."""
    watcher = watcher_on(state, ListSource(entries, name="gw"), author="ann@desk")
    await watcher.run()
    return watcher


def changed(watcher: Watcher) -> list[Alert]:
    return [alert for alert in watcher.state.alerts.values() if alert.rule == "tool/definition-changed"]


def only(watcher: Watcher) -> Tool:
    (found,) = watcher.state.tools.values()
    return found


async def test_a_change_between_two_runs_is_told_with_when_the_definition_was_pinned(tmp_path: Path) -> None:
    first = await watched(tmp_path, listing(OLD))
    assert changed(first) == []
    await first.close()
    second = await watched(tmp_path, listing(NEW))
    (alert,) = changed(second)
    assert alert.severity.name == "CRITICAL"
    assert '"Reads a file." → "Reads a file and sends it on."' in alert.reason
    assert "; pinned on first use, " in alert.reason and " UTC." in alert.reason
    assert only(second).previous == OLD and only(second).pin is None
    await second.close()


async def test_the_same_definition_in_another_run_is_quiet(tmp_path: Path) -> None:
    for _ in range(2):
        watcher = await watched(tmp_path, listing(OLD))
        assert changed(watcher) == []
        assert only(watcher).pin == only(watcher).pins[0]
        await watcher.close()


async def test_what_a_person_accepted_is_quiet_in_this_run_and_the_next(tmp_path: Path) -> None:
    entries = listing(OLD, NEW)
    watcher = await watched(tmp_path, entries)
    watcher.definitions.look()
    one = only(watcher)
    assert len(changed(watcher)) == 1
    watcher.definitions.accept(one, one.digest, " release 2 of the server ")
    assert one.pin is not None
    assert (one.pin.author, one.pin.note, one.pin.definition) == ("ann@desk", "release 2 of the server", NEW)
    assert [pin.author for pin in one.pins] == ["", "ann@desk"]
    await watcher.close()
    again = await watched(tmp_path, entries)
    assert changed(again) == []
    assert only(again).pin == one.pin
    await again.close()


async def test_a_change_after_an_acceptance_names_who_accepted(tmp_path: Path) -> None:
    watcher = await watched(tmp_path, listing(OLD, NEW))
    watcher.definitions.look()
    watcher.definitions.accept(only(watcher), only(watcher).digest, "a release")
    await watcher.close()
    again = await watched(tmp_path, listing(OLD, NEW, NEWER))
    (alert,) = changed(again)
    assert "what ann@desk accepted, " in alert.reason
    await again.close()


async def test_other_feeds_and_servers_have_pins_of_their_own(tmp_path: Path) -> None:
    await (await watched(tmp_path, listing(OLD))).close()
    other = await watched(tmp_path, listing(NEW, upstream="mail"))
    assert changed(other) == []
    await other.close()
    elsewhere = ListSource(listing(NEW), name="elsewhere")
    elsewhere.address = "http://127.0.0.1:2"
    feed = watcher_on(tmp_path, elsewhere)
    await feed.run()
    assert changed(feed) == []
    await feed.close()


@pytest.mark.parametrize(
    ("digest", "note", "why"),
    [
        ("", " ", "Say why"),
        ("", "x" * 2_001, "longer than 2,000"),
        ("0" * 64, "a release", "changed again"),
    ],
)
async def test_what_was_not_read_or_explained_is_not_accepted(tmp_path: Path, digest: str, note: str, why: str) -> None:
    watcher = await watched(tmp_path, listing(OLD, NEW))
    one = only(watcher)
    with pytest.raises(UsageError, match=why):
        watcher.definitions.accept(one, digest or one.digest, note)
    assert one.pin is None
    await watcher.close()


async def test_what_is_trusted_already_is_not_accepted_once_more(tmp_path: Path) -> None:
    watcher = await watched(tmp_path, listing(OLD))
    with pytest.raises(UsageError, match="trusted already"):
        watcher.definitions.accept(only(watcher), only(watcher).digest, "again")
    await watcher.close()


async def test_an_acceptance_reaches_the_other_watchers_of_this_machine(tmp_path: Path) -> None:
    one, other = [await watched(tmp_path, listing(OLD, NEW)) for _ in range(2)]
    one.definitions.look()
    other.definitions.look()
    one.definitions.accept(only(one), only(one).digest, "a release")
    assert only(other).pin is None
    other.definitions.look()
    assert only(other).pin == only(one).pin
    with sqlite3.connect(tmp_path / FILE) as base:
        assert base.execute("SELECT count(*) FROM definition").fetchone() == (2,)
    base.close()
    await one.close()
    await other.close()


def listed(name: str, definition: Json = None) -> Tool:
    """A tool as the fold makes it, trusted on first use."""
    pin = DefinitionPin("ab" * 32, START, definition, index=3)
    return Tool("files", name, definition, pin.digest, 3, 3, pins=(pin,), source="gw")


def test_first_use_is_first_and_later_ones_change_nothing(tmp_path: Path) -> None:
    store = DefinitionStore(tmp_path / "state" / FILE)
    assert store.trust([listed("a", {"name": "a"})]) == [("gw", "files", "a")]
    assert store.trust([listed("a", {"name": "other"})]) == []
    assert store.of("gw") == {("files", "a"): (DefinitionPin("ab" * 32, START, {"name": "a"}),)}
    assert store.of("other") == {}
    store.close()


def test_a_flood_of_tools_fills_no_disk_and_pushes_nothing_out(tmp_path: Path) -> None:
    store = DefinitionStore(tmp_path / FILE)
    store.trust([listed(f"t{number}") for number in range(MAX_TOOLS + 50)])
    store.trust([listed("late")])
    assert len(store.of("gw")) == MAX_TOOLS
    assert ("files", "t0") in store.of("gw")
    store.close()
    again = DefinitionStore(tmp_path / FILE)
    assert again.trust([listed("later")]) == []
    assert len(again.of("gw")) == MAX_TOOLS
    again.close()


def test_of_a_long_definition_the_digest_is_kept(tmp_path: Path) -> None:
    store = DefinitionStore(tmp_path / FILE)
    store.trust([listed("a", {"description": "x" * MAX_OCTETS})])
    (pin,) = store.of("gw")["files", "a"]
    assert (pin.digest, pin.definition) == ("ab" * 32, None)
    store.close()


def test_all_its_files_are_private(tmp_path: Path) -> None:
    store = DefinitionStore(tmp_path / FILE)
    store.trust([listed("a")])
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in tmp_path.iterdir())
    store.close()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is no database, and it is longer than a header " * 40)
    (tmp_path / FILE).chmod(0o600)
    with pytest.raises(LocalError, match="cannot be read or written"):
        DefinitionStore(tmp_path / FILE)


async def test_a_disk_that_takes_no_more_leaves_the_watcher_running(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    watcher = await watched(tmp_path, listing(OLD, NEW))
    with sqlite3.connect(tmp_path / FILE) as base:
        base.execute("DROP TABLE definition")
    base.close()
    watcher.definitions.look()
    watcher.definitions.look()
    assert [record.getMessage() for record in caplog.records if "trusted definitions" in record.getMessage()]
    assert len(changed(watcher)) == 1
    with pytest.raises(LocalError):
        watcher.definitions.accept(only(watcher), only(watcher).digest, "a release")
    assert only(watcher).pin is None
    await watcher.close()
