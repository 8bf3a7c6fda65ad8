"""Slow and stopped watchers: they cost little, hold up nobody, and miss nothing."""

import asyncio
import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import watcher as watcher_module
from rig import PATIENCE, Talk, gateway
from watcher import Watcher

from mcpwatch.gateway import ring
from mcpwatch.gateway.outflow import outlast, unsent
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import End

NOWHERE = "http://127.0.0.1:9/mcp"
LIMIT = 100


class Outflow(asyncio.Transport):
    """A transport whose other end has left so much unread, look by look."""

    def __init__(self, *left: int, closing_after: int = 1_000) -> None:
        super().__init__()
        self._left = list(left)
        self._looks = closing_after

    def get_write_buffer_limits(self) -> tuple[int, int]:
        return 0, LIMIT

    def get_write_buffer_size(self) -> int:
        return self._left[0]

    def is_closing(self) -> bool:
        self._looks -= 1
        if len(self._left) > 1:
            self._left.pop(0)
        return self._looks < 0


async def test_who_takes_a_little_is_waited_for() -> None:
    slow = Outflow(*(1_000 - 100 * (look // 15) for look in range(150)))
    await outlast(slow, 1_001, 0.001)
    assert slow.get_write_buffer_size() <= LIMIT


async def test_who_takes_nothing_is_not() -> None:
    with pytest.raises(TimeoutError):
        await outlast(Outflow(1_000), 1_000, 0.001)
    with pytest.raises(TimeoutError):
        await outlast(Outflow(1_000, 999), 1_001, 0.001)


async def test_who_is_gone_is_not_waited_for() -> None:
    with pytest.raises(ConnectionResetError):
        await outlast(Outflow(1_000, 999, 998, closing_after=1), 1_001, 0.001)


async def test_what_the_system_holds_counts_as_unsent() -> None:
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    assert unsent(writer.transport) == 0
    writer.write(b"x" * 1_000)
    assert unsent(writer.transport) >= 1_000
    theirs.close()
    writer.close()
    assert reader is not None


async def fill(running: Gateway, entries: int, octets: int) -> None:
    for number in range(entries):
        running.log.append(End(number, "complete", 1, 2, "x" * octets))
    await running.log.sign_now()


async def test_thirty_two_watchers_one_of_them_stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "MAX_ENTRIES", 64)
    watchers, stuck = [Watcher() for _ in range(31)], Watcher()
    async with gateway(tmp_path, NOWHERE) as running:
        for watcher in (stuck, *watchers):
            await watcher.connect(running.feed_address, running.token.reveal())
        size = 1
        while min(watcher.index for watcher in running.vitals.watchers) >= running.log.ring.first:
            await fill(running, 100, 20_000)
            size += 100
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(watcher.until(size) for watcher in watchers))
        # All others have everything while one takes nothing; then it gets the rest from the disk.
        assert stuck.entries == []
        await stuck.until(size)
        assert [entry.leaf for entry in stuck.entries] == [entry.leaf for entry in watchers[0].entries]
    for watcher in (stuck, *watchers):
        watcher.close()


async def connect_small(address: str) -> Talk:
    """A connection whose own end takes in next to nothing by itself."""
    parts, end = urlsplit(address), socket.socket()
    end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    end.connect((parts.hostname, parts.port))
    return Talk(*await asyncio.open_connection(sock=end, limit=2**20))


async def test_a_stopped_watcher_holds_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watcher_module, "connect", connect_small)
    stopped = Watcher()
    async with gateway(tmp_path, NOWHERE) as running:
        await stopped.connect(running.feed_address, running.token.reveal())
        for _ in range(40):
            await fill(running, 10, 100_000)
        (cursor,) = running.vitals.watchers
        assert cursor.index < running.log.ring.first
        sent = sum(len(leaf) for _, leaf in running.log.store.leaves(0, cursor.index, 1 << 40))
        assert sent < 4 << 20
        await stopped.until(running.log.size)
    stopped.close()
