"""The journal: indexes at once, the disk soon, and never a hole that is not declared."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rig import PATIENCE

from mcpwatch.errors import IntegrityError, LocalError
from mcpwatch.feed.envelope import decode
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.gateway import journal, log, store
from mcpwatch.gateway.folder import Folder, open_folder
from mcpwatch.gateway.log import Log
from mcpwatch.model.entries import End, GatewayStarted, GatewayStopped
from mcpwatch.text import count

STARTED = GatewayStarted(version="0", capture="masked", upstreams=())


def end(number: int) -> End:
    return End(exchange=number, outcome="complete", duration_us=1, sent=2)


@asynccontextmanager
async def running(folder: Folder) -> AsyncIterator[Log]:
    """A log over an open folder; closes both."""
    ledger = Log(folder.key, folder.store, STARTED)
    try:
        yield ledger
    finally:
        await ledger.close("test over", PATIENCE)
        folder.close()


async def until(ledger: Log, what: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not what():
            await ledger.news()


def leaves(state: Path) -> list[bytes]:
    with sqlite3.connect(state / "gateway" / "journal.sqlite3") as connection:
        rows = connection.execute("SELECT leaf FROM entries ORDER BY idx").fetchall()
    connection.close()
    return [leaf for (leaf,) in rows]


def alter(state: Path, statement: str, *values: object) -> None:
    """Change the journal behind the gateway's back."""
    connection = sqlite3.connect(state / "gateway" / "journal.sqlite3", isolation_level=None)
    connection.execute(statement, values)
    connection.close()


async def test_a_log_goes_on_where_it_ended(tmp_path: Path) -> None:
    origins = set()
    for run in range(3):
        folder = open_folder(tmp_path)
        origins.add(folder.key.origin)
        async with running(folder) as ledger:
            assert [ledger.append(end(n)) for n in range(4)] == [run * 6 + n for n in range(1, 5)]
    assert len(origins) == 1
    written = [decode(leaf) for leaf in leaves(tmp_path)]
    assert [record.id for record in written] == [str(index) for index in range(18)]
    kinds = [GatewayStarted, End, End, End, End, GatewayStopped]
    assert [type(record.data) for record in written] == kinds * 3
    assert {record.source for record in written} == origins


async def test_a_checkpoint_covers_what_is_on_the_disk_and_holds(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    verifier = NoteVerifier(folder.key.verifier_key, folder.key.time_verifier_key)
    async with running(folder) as ledger:
        for number in range(300):
            ledger.append(end(number))
            checkpoint = verifier.open(ledger.note.text)
            assert checkpoint.size == ledger.note_frontier.size <= ledger.size
        await until(ledger, lambda: ledger.note.size == 301)
    frontier = Frontier()
    for leaf in leaves(tmp_path):
        frontier.append(leaf_hash(leaf))
    final = verifier.open(ledger.note.text)
    assert (final.size, final.root) == (302, frontier.root())


async def test_256_entries_call_for_a_checkpoint_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "CHECKPOINT_SECONDS", 3_600.0)
    async with running(open_folder(tmp_path)) as ledger:
        for number in range(255):
            ledger.append(end(number))
        await until(ledger, lambda: ledger.note.size == 256)


async def test_an_idle_log_is_signed_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "IDLE_SECONDS", 0.01)
    async with running(open_folder(tmp_path)) as ledger:
        await until(ledger, lambda: ledger.note.size == 1)
        serial = ledger.note.serial
        await until(ledger, lambda: ledger.note.serial > serial + 2)
        assert ledger.note.size == 1


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DELETE FROM entries WHERE idx = 3", "entry 3 is missing"),
        ("DELETE FROM entries WHERE idx >= 4", "frontier"),
        ("DELETE FROM entries", "frontier"),
        ("UPDATE entries SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 2", "not those its tree was made of"),
        ("UPDATE entries SET leaf = 'text' WHERE idx = 2", "entry 2 is missing"),
        ("UPDATE meta SET value = zeroblob(64) WHERE key = 'frontier'", "not those its tree was made of"),
        ("UPDATE meta SET value = x'00' WHERE key = 'frontier'", "frontier"),
        ("DELETE FROM meta", "it has no frontier"),
        ("DROP TABLE entries", "no such table"),
        ("UPDATE meta SET value = CAST('other' AS BLOB) WHERE key = 'origin'", "it is of other"),
        ("UPDATE checkpoints SET note = x'00'", "its newest checkpoint does not hold"),
    ],
)
async def test_a_damaged_journal_is_refused(tmp_path: Path, statement: str, why: str) -> None:
    async with running(open_folder(tmp_path)) as ledger:
        for number in range(4):
            ledger.append(end(number))
    alter(tmp_path, statement)
    with pytest.raises(IntegrityError, match=why) as caught:
        open_folder(tmp_path)
    assert "evidence" in caught.value.hint


async def test_a_journal_rewritten_as_a_whole_does_not_fit_what_was_signed(tmp_path: Path) -> None:
    async with running(open_folder(tmp_path)) as ledger:
        ledger.append(end(1))
    kept = leaves(tmp_path)
    for fake, why in (([*kept[:-1], b"{}"], "not those that were signed for"), (kept[:-1], "were signed for")):
        frontier = Frontier()
        for leaf in fake:
            frontier.append(leaf_hash(leaf))
        alter(tmp_path, "DELETE FROM entries")
        for index, leaf in enumerate(fake):
            alter(tmp_path, "INSERT INTO entries VALUES (?, ?)", index, leaf)
        alter(tmp_path, "UPDATE meta SET value = ? WHERE key = 'frontier'", b"".join(frontier.hashes()))
        with pytest.raises(IntegrityError, match=why):
            open_folder(tmp_path)


async def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    async with running(open_folder(tmp_path)):
        pass
    (tmp_path / "gateway" / "journal.sqlite3").write_bytes(b"not a database, not at all" * 100)
    with pytest.raises(IntegrityError, match="damaged"):
        open_folder(tmp_path)


async def test_only_so_many_entries_are_hashed_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with running(open_folder(tmp_path)) as ledger:
        for number in range(20):
            ledger.append(end(number))
    monkeypatch.setattr(store, "MAX_CHECKED", 4)
    alter(tmp_path, "UPDATE entries SET leaf = x'20' WHERE idx = 19")
    folder = open_folder(tmp_path)
    assert folder.store.frontier.size == 22
    folder.close()
    alter(tmp_path, "UPDATE entries SET leaf = x'20' WHERE idx = 20")
    with pytest.raises(IntegrityError):
        open_folder(tmp_path)


async def test_a_lost_journal_begins_another_log(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    token = folder.token.reveal()
    async with running(folder):
        pass
    for file in (tmp_path / "gateway").glob("journal*"):
        file.unlink()
    again = open_folder(tmp_path)
    assert again.key.origin != folder.key.origin
    assert again.store.frontier.size == 0
    assert again.token.reveal() == token
    again.close()


async def test_a_journal_without_its_key_is_an_error(tmp_path: Path) -> None:
    async with running(open_folder(tmp_path)):
        pass
    (tmp_path / "gateway" / "log.key").unlink()
    with pytest.raises(LocalError, match=r"its key .* is not"):
        open_folder(tmp_path)


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    folder = open_folder(tmp_path)
    with pytest.raises(LocalError, match="Another gateway is writing") as caught:
        open_folder(tmp_path)
    assert "MCPWATCH_STATE" in caught.value.hint
    folder.close()
    open_folder(tmp_path).close()


def test_all_its_files_are_private(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "state")
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "state" / "gateway").iterdir()}
    folder.close()
    assert set(modes) >= {"journal.sqlite3", "journal.sqlite3-wal", "log.key", "feed.token", "lock"}
    assert set(modes.values()) == {0o600}
    assert (tmp_path / "state" / "gateway").stat().st_mode & 0o777 == 0o700


def limit(ledger: Log, pages: int) -> None:
    """Let the disk be full at that many pages more than there are."""
    writer = ledger.store._writer
    (count,) = writer.execute("PRAGMA page_count").fetchone()
    writer.execute(f"PRAGMA max_page_count = {count + pages}")


async def test_a_full_disk_loses_nothing_that_was_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    async with running(open_folder(tmp_path)) as ledger:
        await until(ledger, lambda: ledger.size == 1)
        limit(ledger, 0)
        for number in range(200):
            ledger.append(end(number))
        async with asyncio.timeout(PATIENCE):
            while not ledger.trouble:
                await asyncio.sleep(0)
        assert "full" in ledger.trouble
        assert ledger.size == 1
        limit(ledger, 10_000)
        await until(ledger, lambda: ledger.size == 201)
        assert ledger.trouble == ""
    assert [decode(leaf).id for leaf in leaves(tmp_path)] == [str(index) for index in range(202)]


@pytest.mark.parametrize("is_replaced", [False, True])
async def test_a_journal_that_is_taken_away_is_noticed_and_goes_on_when_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_replaced: bool
) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(log, "IDLE_SECONDS", 0.01)
    file = tmp_path / "gateway" / "journal.sqlite3"
    async with running(open_folder(tmp_path)) as ledger:
        await until(ledger, lambda: ledger.size == 1)
        file.rename(tmp_path / "elsewhere")
        if is_replaced:
            file.write_bytes((tmp_path / "elsewhere").read_bytes())
        async with asyncio.timeout(PATIENCE):
            while not ledger.trouble:
                await asyncio.sleep(0)
        assert "removed or replaced" in ledger.trouble
        ledger.append(end(1))
        assert ledger.size == 1
        (tmp_path / "elsewhere").rename(file)
        await until(ledger, lambda: ledger.size == 2)
        assert ledger.trouble == ""
    assert len(leaves(tmp_path)) == 3


async def test_what_could_not_be_taken_is_declared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(journal, "MAX_BACKLOG", 1_000)
    async with running(open_folder(tmp_path)) as ledger:
        await until(ledger, lambda: ledger.size == 1)
        limit(ledger, 0)
        refused = 0
        for number in range(50):
            try:
                ledger.append(end(number))
            except journal.Unwritable:
                refused += 1
        assert 0 < refused < 50
        limit(ledger, 10_000)
        await until(ledger, lambda: ledger.size == 51 - refused + 2)
        assert ledger.append(end(50)) == 51 - refused + 2
    data = [decode(leaf).data for leaf in leaves(tmp_path)]
    hole = GatewayStopped(reason=f"{count(refused, 'entry')} lost while the journal could not be written")
    assert data[-4:-2] == [hole, STARTED]


async def test_a_log_ends_though_the_disk_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 3_600.0)
    folder = open_folder(tmp_path)
    ledger = Log(folder.key, folder.store, STARTED)
    await until(ledger, lambda: ledger.size == 1)
    limit(ledger, 0)
    for number in range(200):
        ledger.append(end(number))
    await ledger.close("full", 0.05)
    folder.close()
    assert len(leaves(tmp_path)) == 1
    open_folder(tmp_path).close()
