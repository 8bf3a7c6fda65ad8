"""Entries that are kept no more: whole tiles go, what stays can be proven, and no watcher sees a silent hole."""

import asyncio
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from rig import PATIENCE, connect, gateway, get
from watcher import Watcher, ask, bearer

from mcpwatch.errors import UsageError
from mcpwatch.feed.about import parse_about
from mcpwatch.feed.envelope import encode, seal
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.feed.note import NoteVerifier
from mcpwatch.feed.proof_answers import parse_consistency, parse_inclusion
from mcpwatch.feed.proofs import verify_consistency, verify_inclusion
from mcpwatch.gateway import feed_server, journal, retention, ring, store
from mcpwatch.gateway.hash_tree import completed
from mcpwatch.gateway.keep import DAY, Keep, parse_days, parse_size
from mcpwatch.gateway.retention import Retention
from mcpwatch.gateway.run import Gateway
from mcpwatch.gateway.store import Leaf, Store
from mcpwatch.model.entries import End

NOWHERE = "http://127.0.0.1:9/mcp"
ORIGIN = "gateway.example/feed/1"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def end(number: int, octets: int = 0) -> End:
    return End(exchange=number, outcome="complete", duration_us=1, sent=2, reason="x" * octets)


def grow(journal: Store, size: int, *, octets: int = 0, signed: bool = True) -> list[bytes]:
    """Write entries until there are `size`, with a checkpoint over every 64 of them if `signed`."""
    edge, leaves = journal.frontier, list[bytes]()
    while edge.size < size:
        batch, nodes = list[Leaf](), list[tuple[int, int, bytes]]()
        for index in range(edge.size, min(edge.size + 64, size)):
            leaf = encode(seal(index, ORIGIN, NOON, end(index, octets)))
            nodes += completed(edge, leaf_hash(leaf))
            edge.append(leaf_hash(leaf))
            batch.append((index, leaf))
        journal.write(batch, edge, nodes, [(edge.size, b"note %d" % edge.size)] if signed else [])
        leaves += [leaf for _, leaf in batch]
    return leaves


@pytest.fixture
def kept(tmp_path: Path) -> Store:
    return Store.create(tmp_path / "journal.sqlite3", ORIGIN, b"key")


def step_all(keep: Keep, journal: Store, now: float = NOON.timestamp()) -> int:
    """Let all go that is due; how many tiles went."""
    retention, before = Retention(journal, keep, lambda: now), journal.oldest
    while retention.step():
        pass
    return (journal.oldest - before) // 256


def test_tiles_go_when_their_newest_entry_is_too_old(kept: Store) -> None:
    grow(kept, 1_000)
    keep = Keep(seconds=10.0)
    assert step_all(keep, kept, NOON.timestamp() + 10) == 0
    assert step_all(keep, kept, NOON.timestamp() + 11) == 3
    assert kept.oldest == 768
    assert [index for index, _ in kept.leaves(0, 1_000, 1 << 30)] == list(range(768, 1_000))
    kept.close()


def test_entries_of_another_version_grow_old_as_well(kept: Store) -> None:
    """A leaf that this version would not have written does not stop what writes the journal."""
    edge, batch, nodes = kept.frontier, list[Leaf](), list[tuple[int, int, bytes]]()
    for index in range(300):
        leaf = b'{"type":"mcpwatch.of.another.version","id":"%d","time":"2026-11-22T12:00:00Z","data":{}}' % index
        nodes += completed(edge, leaf_hash(leaf))
        edge.append(leaf_hash(leaf))
        batch.append((index, leaf))
    kept.write(batch, edge, nodes, [(300, b"note")])
    assert step_all(Keep(seconds=10.0), kept, NOON.timestamp() + 11) == 1
    kept.close()


@pytest.mark.parametrize("leaf", [b"", b"[]", b"{}", b'{"time":"noon"}', b'{"time":1}', b"\xff"])
def test_an_entry_without_its_time_is_told_as_such(kept: Store, leaf: bytes) -> None:
    edge, batch, nodes = kept.frontier, list[Leaf](), list[tuple[int, int, bytes]]()
    for index in range(300):
        nodes += completed(edge, leaf_hash(leaf))
        edge.append(leaf_hash(leaf))
        batch.append((index, leaf))
    kept.write(batch, edge, nodes, [(300, b"note")])
    with pytest.raises(ValueError):
        Retention(kept, Keep(seconds=10.0)).step()
    kept.close()


def test_tiles_go_while_there_is_too_much(kept: Store) -> None:
    leaves = grow(kept, 2_000)
    total = sum(map(len, leaves))
    assert kept.octets == total
    assert step_all(Keep(octets=total), kept) == 0
    assert step_all(Keep(octets=total - 1), kept) == 1
    assert kept.octets == total - sum(map(len, leaves[:256]))
    assert step_all(Keep(octets=0), kept) == 6
    assert kept.octets == sum(map(len, leaves[7 * 256 :]))
    kept.close()


def test_what_no_checkpoint_covers_and_the_newest_entry_stay(kept: Store) -> None:
    grow(kept, 512, signed=False)
    assert step_all(Keep(octets=0), kept) == 0
    grow(kept, 513)
    assert step_all(Keep(octets=0), kept) == 2
    assert kept.leaves(0, 513, 1 << 30)[0][0] == 512
    kept.close()
    grow(whole := Store.create(Path(kept.path).with_name("other"), ORIGIN, b"key"), 512)
    assert step_all(Keep(octets=0), whole) == 1
    whole.close()


def test_a_journal_opens_again_after_tiles_went(kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(kept, 1_000)
    step_all(Keep(octets=0), kept)
    kept.close()
    for checked in (65_536, 256):
        monkeypatch.setattr(store, "MAX_CHECKED", checked)
        again = Store.open(tmp_path / "journal.sqlite3")
        assert (again.oldest, again.size, again.signed) == (768, 1_000, 1_000)
        assert again.frontier.root() == kept.frontier.root()
        assert again.octets == kept.octets
        again.close()


def test_entries_that_were_changed_are_kept_as_evidence(kept: Store) -> None:
    grow(kept, 600)
    kept._writer.execute("UPDATE entries SET leaf = CAST(leaf || ' ' AS BLOB) WHERE idx = 7")
    with pytest.raises(ValueError, match="0 to 255 are not those"):
        step_all(Keep(octets=0), kept)
    assert kept.oldest == 0
    assert len(kept.leaves(0, 600, 1 << 30)) == 600
    kept.close()


def test_of_old_checkpoints_a_few_stay(kept: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "SPARSE_TILES", 2)
    grow(kept, 1_400)
    step_all(Keep(octets=0), kept)
    sizes = [size for size, _ in kept.notes(0, 1_400)]
    assert [size for size in sizes if size < kept.oldest] == [192, 704, 1216]
    assert [size for size in sizes if size >= kept.oldest] == [1280, 1344, 1400]
    kept.close()


def test_the_file_stops_growing_and_gives_back_what_is_free(
    kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "SPARE_PAGES", 64)
    pages: Callable[[], int] = lambda: kept._writer.execute("PRAGMA page_count").fetchone()[0]  # noqa: E731
    grow(kept, 4_000, octets=2_000)
    full = pages()
    keep = Keep(octets=1_000_000)
    step_all(keep, kept)
    assert kept.octets <= 1_000_000
    assert pages() < full / 3
    peak = 0
    for size in range(4_500, 12_000, 500):
        grow(kept, size, octets=2_000)
        step_all(keep, kept)
        peak = max(peak, pages())
    # 32 octets of each entry that went stay.
    assert peak < full / 2
    kept.close()


@pytest.mark.parametrize(
    ("text", "octets"), [("1M", 1 << 20), ("500m", 500 << 20), ("2G", 2 << 30), ("1T", 1 << 40), ("1048576", 1 << 20)]
)
def test_sizes(text: str, octets: int) -> None:
    assert parse_size(text) == octets


@pytest.mark.parametrize("text", ["", "0", "1K", "2 G", "2GB", "-1G", "1.5G", "\u0661G", "9" * 10])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(UsageError, match="not a size"):
        parse_size(text)


def test_days() -> None:
    assert (parse_days("30"), parse_days("0.5")) == (30 * DAY, DAY / 2)
    for text in ("0", "-1", "nan", "inf", "a week", ""):
        with pytest.raises(UsageError, match="not a number of days"):
            parse_days(text)


async def fill(running: Gateway, entries: int) -> None:
    for number in range(entries):
        running.log.append(end(number))
    await running.log.sign_now()


async def removed(running: Gateway, oldest: int) -> None:
    """Return once entries before `oldest` are gone."""
    async with asyncio.timeout(PATIENCE):
        while running.log.store.oldest < oldest:
            await running.log.news()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Keep as little as can be, at once."""
    monkeypatch.setattr(retention, "PACE_SECONDS", 0.0)
    monkeypatch.setattr(journal, "PACE_SECONDS", 0.0)
    monkeypatch.setattr("mcpwatch.gateway.log.IDLE_SECONDS", 0.01)
    return Keep(octets=0)


async def test_proofs_reach_over_what_was_removed(tmp_path: Path, eager: Keep) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        await fill(running, 700)
        leaves = [leaf for _, leaf in running.log.store.leaves(0, 700, 1 << 30)]
    async with gateway(tmp_path, NOWHERE, keep=eager) as running:
        await removed(running, 512)
        reply = await ask(running.feed_address, running.token.reveal())
        about = parse_about(reply.body)
        assert about is not None
        assert about.oldest == 512
        newest = NoteVerifier(*about.keys).open(about.note.encode())
        for first in (1, 300, 512):
            target = f"/v1/proof/consistency?first={first}&second={newest.size}"
            answer = parse_consistency((await ask(running.feed_address, running.token.reveal(), target.encode())).body)
            assert answer is not None
            edge = Frontier()
            for leaf in leaves[:first]:
                edge.append(leaf_hash(leaf))
            assert answer.frontier == edge.hashes()
            verify_consistency(first, newest.size, edge.root(), newest.root, answer.hashes)
        target = f"/v1/proof/inclusion?index=77&size={newest.size}"
        found = parse_inclusion((await ask(running.feed_address, running.token.reveal(), target.encode())).body)
        assert found is not None
        verify_inclusion(leaf_hash(leaves[77]), 77, newest.size, found.hashes, newest.root)


@pytest.mark.parametrize(("after", "status"), [(None, 410), (0, 410), (510, 410), (511, 200)])
async def test_who_asks_for_what_went_is_told_so(tmp_path: Path, eager: Keep, after: int | None, status: int) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        await fill(running, 700)
    async with gateway(tmp_path, NOWHERE, keep=eager) as running:
        await removed(running, 512)
        talk = await connect(running.feed_address)
        fields = [] if after is None else [b"Last-Event-ID: %d" % after]
        await talk.send(get(bearer(running.token.reveal()), *fields, target=b"/v1/feed"))
        reply = await talk.reader.readuntil(b"\r\n\r\n")
        assert reply.startswith(b"HTTP/1.1 %d " % status)
        if status == 200:
            assert (await talk.chunk()).startswith(b"id: 512\n")
        talk.writer.close()


async def test_a_watcher_that_is_overtaken_gets_no_hole(
    tmp_path: Path, eager: Keep, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "MAX_ENTRIES", 8)
    monkeypatch.setattr(feed_server, "CHUNK", 1)
    async with gateway(tmp_path, NOWHERE) as running:
        await fill(running, 2_000)
    # The removal comes while the watcher is being served from the disk.
    leaves, reads = Store.leaves, list[int]()

    def overtake(journal: Store, first: int, end: int, octets: int) -> list[Leaf]:
        if octets == 1:
            reads.append(first)
            while first > 100 and journal.oldest <= first:
                journal.remove_tile()
        return leaves(journal, first, end, octets)

    async with gateway(tmp_path, NOWHERE) as running:
        monkeypatch.setattr(Store, "leaves", overtake)
        watcher = Watcher()
        await watcher.connect(running.feed_address, running.token.reveal())
        await watcher.drain()
        assert reads[-1] == len(watcher.entries) == 101
        assert watcher.reader is not None
        assert watcher.reader.evidence == ()
        indexes = [entry.index for entry in watcher.entries]
        assert all(later == earlier + 1 for earlier, later in pairwise(indexes))


async def test_old_entries_go_while_others_come(tmp_path: Path, eager: Keep) -> None:
    watcher = Watcher()
    async with gateway(tmp_path, NOWHERE, keep=eager) as running:
        await watcher.connect(running.feed_address, running.token.reveal())
        for _ in range(8):
            await fill(running, 300)
        await removed(running, 2_304)
        await watcher.until(2_401)
        size = running.log.size
    await watcher.drain()
    assert watcher.reader is not None
    assert watcher.reader.evidence == ()
    assert len(watcher.entries) == size + 1
    with sqlite3.connect(tmp_path / "gateway" / "journal.sqlite3") as connection:
        (first,) = connection.execute("SELECT min(idx) FROM entries").fetchone()
    connection.close()
    assert first == 2_304


async def test_a_removal_that_fails_is_told_once_and_the_log_goes_on(
    tmp_path: Path, eager: Keep, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(journal: Store) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(Store, "remove_tile", fail)
    async with gateway(tmp_path, NOWHERE, keep=eager) as running:
        for _ in range(3):
            await fill(running, 300)
        assert running.log.size == 901
    assert caplog.text.count("old entries cannot be removed: disk I/O error") == 1
