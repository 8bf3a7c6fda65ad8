"""A disk that is really full: the log says so as its last word, stays whole, and goes on when there is room."""

import asyncio
import errno
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from rig import PATIENCE, fetch, gateway, leaves, post

from mcpwatch.errors import LocalError
from mcpwatch.feed.envelope import decode
from mcpwatch.feed.merkle import Frontier, leaf_hash
from mcpwatch.gateway import journal, log
from mcpwatch.gateway.folder import open_folder
from mcpwatch.gateway.log import FULL, Log
from mcpwatch.gateway.reserve import RESERVE_FILE, SIZE, Reserve
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import End, GatewayStarted, GatewayStopped

NOWHERE = "http://127.0.0.1:9/mcp"
STARTED = GatewayStarted(version="0", capture="masked", upstreams=())


def end(number: int) -> End:
    return End(number, "complete", 1, 2, "x" * 2_000)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 16 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0700", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a file system can be mounted by root only")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Take all the room there is."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"\0" * 4_096):
                pass
        except OSError:
            pass
    return filler


@asynccontextmanager
async def running(disk: Path) -> AsyncIterator[Log]:
    folder = open_folder(disk)
    ledger = Log(folder.key, folder.store, STARTED)
    try:
        yield ledger
    finally:
        await ledger.close("test over", 0.2)
        folder.close()


async def until_it_says_so(ledger: Log, number: int) -> int:
    """Append until the log says that it stops; how many entries were appended before, from `number` on."""
    async with asyncio.timeout(PATIENCE):
        while not ledger.journal._is_full:
            ledger.append(end(number))
            number += 1
            await ledger.news()
    return number


async def signed(ledger: Log, size: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while ledger.note.size < size:
            await ledger.news()


def whole(disk: Path) -> list[object]:
    """What each entry says, once the journal opened and its leaves hash to its root."""
    folder = open_folder(disk)
    frontier, root = Frontier(), folder.store.frontier.root()
    folder.close()
    found = leaves(disk)
    for leaf in found:
        frontier.append(leaf_hash(leaf))
    assert frontier.root() == root
    records = [decode(leaf) for leaf in found]
    assert [record.id for record in records] == [str(index) for index in range(len(records))]
    return [record.data for record in records]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.02)
    monkeypatch.setattr(log, "IDLE_SECONDS", 0.02)


async def test_the_last_that_is_written_says_that_the_disk_is_full(disk: Path, impatient: None) -> None:
    async with running(disk) as ledger:
        await signed(ledger, 1)
        fill(disk)
        await until_it_says_so(ledger, 0)
        async with asyncio.timeout(PATIENCE):
            while ledger.journal.waiting or ledger.note.size < ledger.size:
                await ledger.news()
        shown, trouble = ledger.size, ledger.trouble
        for number in range(50):
            ledger.append(end(number))
        serial = ledger.note.serial
        async with asyncio.timeout(PATIENCE):
            while ledger.note.serial < serial + 5:
                await ledger.news()
        assert ledger.size == shown
        assert "full" in trouble
        # As a gateway leaves it that is killed now.
        found = leaves(disk)
        assert len(found) == shown
        assert decode(found[-1]).data == GatewayStopped(reason=FULL)
        assert ledger.store.signed == shown


async def test_it_goes_on_when_there_is_room_and_nothing_taken_is_lost(disk: Path, impatient: None) -> None:
    async with running(disk) as ledger:
        await signed(ledger, 1)
        filler = fill(disk)
        before = await until_it_says_so(ledger, 0)
        for number in range(before, before + 200):
            ledger.append(end(number))
        filler.unlink()
        await signed(ledger, before + 200 + 3)
        assert ledger.trouble == ""
        assert (disk / "gateway" / RESERVE_FILE).stat().st_size == SIZE
    data = whole(disk)
    assert [each.exchange for each in data if isinstance(each, End)] == list(range(before + 200))
    others = [each for each in data if not isinstance(each, End)]
    assert others == [STARTED, GatewayStopped(reason=FULL), STARTED, GatewayStopped(reason="test over")]
    assert not (disk / "gateway" / RESERVE_FILE).exists()


async def test_it_ends_in_good_order_on_a_full_disk(disk: Path, impatient: None) -> None:
    async with running(disk) as ledger:
        await signed(ledger, 1)
        filler = fill(disk)
        before = await until_it_says_so(ledger, 0)
        ledger.append(end(before))
    assert ledger.note.size == ledger.size == before + 4
    filler.unlink()
    data = whole(disk)
    assert data[-3:] == [GatewayStopped(reason=FULL), end(before), GatewayStopped(reason="test over")]


async def test_calls_are_refused_meanwhile(disk: Path, impatient: None) -> None:
    async def status(gate: Gateway) -> int:
        return (await fetch(gate.listen_address, post(b"{}"))).status

    async with gateway(disk, NOWHERE) as gate:
        assert await status(gate) == 502
        # What is set aside for a full disk is there once anything was written.
        await signed(gate.log, 1)
        filler = fill(disk)
        await until_it_says_so(gate.log, 0)
        assert await status(gate) == 503
        filler.unlink()
        async with asyncio.timeout(PATIENCE):
            while gate.log.trouble:
                await gate.log.news()
        assert await status(gate) == 502


async def test_a_journal_that_cannot_be_opened_for_want_of_room_is_not_called_damaged(disk: Path) -> None:
    async with running(disk):
        pass
    filler = fill(disk)
    with pytest.raises(LocalError, match="cannot be opened") as caught:
        open_folder(disk)
    assert "Make room" in caught.value.hint
    filler.unlink()
    assert whole(disk)


LIMITED = """
import asyncio, resource, sys
from pathlib import Path
from mcpwatch.gateway import journal
from mcpwatch.gateway.folder import open_folder
from mcpwatch.gateway.log import Log
from mcpwatch.model.entries import End, GatewayStarted

async def main():
    resource.setrlimit(resource.RLIMIT_FSIZE, (3 << 20, 3 << 20))
    journal.RETRY_SECONDS = 0.01
    folder = open_folder(Path(sys.argv[1]))
    log = Log(folder.key, folder.store, GatewayStarted(version="0", capture="masked", upstreams=()))
    while not log.trouble:
        log.append(End(0, "complete", 1, 2, "x" * 2_000))
        while log.journal.waiting > 20 and not log.trouble:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
    print(log.size, log.trouble, flush=True)
    await log.close("over", 0.05)

asyncio.run(main())
"""


def test_a_file_that_may_not_grow_stays_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", LIMITED, str(tmp_path)]
    child = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert child.returncode == 0, child.stderr
    shown = int(child.stdout.split()[0])
    assert shown > 100
    assert len(whole(tmp_path)) >= shown


def test_room_that_a_disk_which_became_read_only_does_not_give_back_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reserve = Reserve(tmp_path)
    assert reserve.fill()

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        raise OSError(errno.EROFS, "Read-only file system", str(path))

    monkeypatch.setattr(Path, "unlink", refuse)
    assert reserve.release()
    assert not reserve.release()
