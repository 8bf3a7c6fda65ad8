"""Acts are kept over restarts, signed, for this user's eyes only."""

import sqlite3
import stat
from pathlib import Path

import pytest
from msgspec.structs import replace

from mcpwatch.errors import LocalError
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signed_acts import sign_act
from mcpwatch.model.alerts import Act, AlertEvent, EventKind, Kept, Severity, Silence
from mcpwatch.model.entries import Acted, AlertActed, SilenceTerms
from mcpwatch.watch.act_store import ActStore
from mcpwatch.watch.read_acts import act_kept_here

KEY = AgentKey(bytes(32))
_OLD_SCHEMA = """
CREATE TABLE acknowledgement (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    alert TEXT NOT NULL, kind TEXT NOT NULL, author TEXT NOT NULL, note TEXT NOT NULL,
    time REAL NOT NULL, last_index INTEGER NOT NULL, severity INTEGER
) STRICT;
"""


def signed(kind: Acted, alert: str, note: str, time: int, silence: SilenceTerms | None = None) -> AlertActed:
    """An act as a watcher makes it."""
    act = AlertActed(
        alert=alert,
        kind=kind,
        author="ann@desk",
        note=note,
        time=time,
        origin="gw",
        key="",
        signature="",
        last_index=40,
        severity="high",
        silence=silence,
    )
    return sign_act(KEY, act)


FIRST = signed("acknowledged", "a" * 12, "seen", 1)
SECOND = signed("unacknowledged", "b" * 12, "not yet ✓", 2)


def test_acts_come_back_in_order_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state" / "acts.sqlite"
    store = ActStore(path)
    store.append(FIRST)
    store.append(SECOND)
    store.close()
    again = ActStore(path)
    assert again.load() == [act_kept_here(FIRST, 1), act_kept_here(SECOND, 2)]
    again.close()


def test_an_act_says_who_with_which_key_and_that_it_is_kept_here() -> None:
    assert act_kept_here(FIRST) == Act(
        "a" * 12,
        AlertEvent(
            EventKind.ACKNOWLEDGED,
            "ann@desk",
            "seen",
            1.0,
            40,
            Severity.HIGH,
            kept=Kept.HERE,
            key=KEY.fingerprint,
        ),
    )


def test_a_silence_comes_back_whole(tmp_path: Path) -> None:
    store = ActStore(tmp_path / "acts.sqlite")
    store.append(signed("silenced", "c" * 12, "a known test", 10, SilenceTerms("tool/*", "*", 100)))
    (act,) = store.load()
    assert act.silence == Silence(
        "c" * 12, "tool/*", "*", "ann@desk", "a known test", 10.0, 100.0, "gw", KEY.fingerprint
    )
    store.close()


@pytest.mark.parametrize("field", ["note", "author", "alert", "signature"])
def test_a_row_that_was_tampered_with_has_a_fault(tmp_path: Path, field: str) -> None:
    forged = {"note": "nothing to see", "author": "boss", "alert": "b" * 12, "signature": SECOND.signature}
    store = ActStore(tmp_path / "acts.sqlite")
    store.append(replace(FIRST, **{field: forged[field]}))
    (act,) = store.load()
    assert act.event.fault == "its signature does not hold"
    store.close()


def test_a_store_made_before_acts_were_signed_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "acts.sqlite"
    with sqlite3.connect(path) as base:
        base.executescript(_OLD_SCHEMA)
        insert = "INSERT INTO acknowledgement (alert, kind, author, note, time, last_index, severity) VALUES "
        base.execute(insert + "('a1', 'acknowledged', 'ann', 'seen', 1.5, 40, 3)")
        base.execute(insert + "('a1', 'of a later time', 'ann', 'seen', 1.5, 40, 9)")
    base.close()
    one, other = ActStore(path), ActStore(path)
    one.append(SECOND)
    old = AlertEvent(EventKind.ACKNOWLEDGED, "ann", "seen", 1.5, 40, Severity.HIGH, kept=Kept.HERE, seq=1)
    assert one.load() == other.load() == [Act("a1", old), act_kept_here(SECOND, 3)]
    one.close()
    other.close()


def test_all_its_files_are_private(tmp_path: Path) -> None:
    store = ActStore(tmp_path / "acts.sqlite")
    store.append(FIRST)
    files = list(tmp_path.iterdir())
    assert len(files) == 3
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    store.close()


def test_each_is_told_what_the_others_wrote_once(tmp_path: Path) -> None:
    one, other = ActStore(tmp_path / "acts.sqlite"), ActStore(tmp_path / "acts.sqlite")
    one.append(FIRST)
    assert one.others() == []
    other.append(SECOND)
    third, fourth = signed("resolved", "c" * 12, "done", 3), signed("resolved", "d" * 12, "done", 4)
    one.append(third)
    assert one.others() == [act_kept_here(SECOND, 2)]
    assert one.others() == []
    assert other.others() == [act_kept_here(FIRST, 1), act_kept_here(third, 3)]
    late = ActStore(tmp_path / "acts.sqlite")
    assert len(late.load()) == 3
    other.append(fourth)
    assert late.others() == one.others() == [act_kept_here(fourth, 4)]
    for store in (one, other, late):
        store.close()


def test_what_is_not_a_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "acts.sqlite"
    path.write_bytes(b"this is not a database, and it is longer than a header " * 40)
    with pytest.raises(LocalError, match="cannot be read or written") as caught:
        ActStore(path)
    assert "move the file away" in caught.value.hint


def test_a_write_that_fails_says_so(tmp_path: Path) -> None:
    store = ActStore(tmp_path / "acts.sqlite")
    with sqlite3.connect(tmp_path / "acts.sqlite") as base:
        base.execute("DROP TABLE acknowledgement")
    with pytest.raises(LocalError, match="no such table"):
        store.append(FIRST)
    with pytest.raises(LocalError, match="no such table"):
        store.load()
    store.close()
