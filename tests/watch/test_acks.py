"""Acknowledgements are kept over restarts, for this user's eyes only."""

import sqlite3
import stat
from pathlib import Path

import pytest

from mcpwatch.errors import LocalError
from mcpwatch.model.alerts import AlertEvent, EventKind, Severity
from mcpwatch.watch.acks import AckStore

FIRST = AlertEvent(EventKind.ACKNOWLEDGED, "ann@desk", "seen", 1.5, 40, Severity.HIGH)
SECOND = AlertEvent(EventKind.UNACKNOWLEDGED, "ben@desk", "not yet ✓", 2.5, 41, None)


def test_events_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "acks.sqlite"
    store = AckStore(path)
    store.append("a1", FIRST)
    store.append("b2", SECOND)
    store.close()
    again = AckStore(path)
    assert again.load() == [("a1", FIRST), ("b2", SECOND)]
    again.close()


def test_all_its_files_are_private(tmp_path: Path) -> None:
    store = AckStore(tmp_path / "acks.sqlite")
    store.append("a1", FIRST)
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    store.close()


def test_two_watchers_write_side_by_side(tmp_path: Path) -> None:
    one, other = AckStore(tmp_path / "acks.sqlite"), AckStore(tmp_path / "acks.sqlite")
    one.append("a1", FIRST)
    other.append("b2", SECOND)
    assert one.load() == other.load() == [("a1", FIRST), ("b2", SECOND)]
    one.close()
    other.close()


def test_each_is_told_what_the_others_wrote_once(tmp_path: Path) -> None:
    one, other = AckStore(tmp_path / "acks.sqlite"), AckStore(tmp_path / "acks.sqlite")
    one.append("a1", FIRST)
    assert one.others() == []
    other.append("b2", SECOND)
    one.append("c3", FIRST)
    assert one.others() == [("b2", SECOND)]
    assert one.others() == []
    assert other.others() == [("a1", FIRST), ("c3", FIRST)]
    late = AckStore(tmp_path / "acks.sqlite")
    assert len(late.load()) == 3
    other.append("d4", SECOND)
    assert late.others() == one.others() == [("d4", SECOND)]
    for store in (one, other, late):
        store.close()


def test_nothing_but_appending_is_offered_and_what_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acks.sqlite"
    path.write_bytes(b"this is not a database, and it is longer than a header " * 40)
    with pytest.raises(LocalError, match="cannot be read or written") as caught:
        AckStore(path)
    assert "move the file away" in caught.value.hint


def test_a_write_that_fails_says_so(tmp_path: Path) -> None:
    store = AckStore(tmp_path / "acks.sqlite")
    with sqlite3.connect(tmp_path / "acks.sqlite") as base:
        base.execute("DROP TABLE acknowledgement")
    with pytest.raises(LocalError, match="no such table"):
        store.append("a1", FIRST)
    with pytest.raises(LocalError, match="no such table"):
        store.load()
    store.close()
