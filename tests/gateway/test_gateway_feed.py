"""The feed: for holders of the token, from any entry on, whole for the slowest watcher."""

import asyncio
import json
import logging
from pathlib import Path

import pytest
from rig import answer, connect, fetch, gateway, get, journal, ok, post, scripted
from watcher import Watcher, ask, bearer, token_of

from mcpwatch.feed.note import NoteVerifier
from mcpwatch.gateway import feed_server, ring
from mcpwatch.gateway.options import placed
from mcpwatch.gateway.run import Gateway
from mcpwatch.gateway.store import Leaf, Store
from mcpwatch.model.entries import End, GatewayStarted, GatewayStopped, Request
from mcpwatch.model.feed import FeedState

NOWHERE = "http://127.0.0.1:9/mcp"
BULK = 64
"""Refused calls, of 4 entries each: enough to roll a small ring over several times."""


async def call(running: Gateway, times: int = 1, body: bytes = b"{}") -> None:
    """Calls that the gateway refuses, so that they make entries and need no server."""
    talk = await connect(running.listen_address)
    for _ in range(times):
        await talk.send(post(body, host=b"evil.example"))
        assert (await talk.reply()).status == 421
    talk.writer.close()


async def test_a_watcher_proves_the_log_from_its_first_entry(tmp_path: Path) -> None:
    watcher = Watcher()
    async with scripted(answer(ok(b'{"id":1}'))) as server, gateway(tmp_path, server.url) as running:
        await watcher.connect(running.feed_address, running.token.reveal())
        await fetch(running.listen_address, post(b'{"id":1}'))
        await watcher.until(5)
        assert watcher.reader is not None
        assert watcher.reader.status.state is FeedState.LIVE
    await watcher.drain()
    assert watcher.verified == len(watcher.entries) == 6
    data = [entry.record.data for entry in watcher.entries if entry.record is not None]
    assert data == journal(tmp_path)
    assert isinstance(data[0], GatewayStarted)
    assert data[0].upstreams == placed(running.options.upstreams)
    assert data[-1] == GatewayStopped(reason="test over")


async def test_several_watchers_see_the_same(tmp_path: Path) -> None:
    watchers = [Watcher() for _ in range(5)]
    async with gateway(tmp_path, NOWHERE) as running:
        for watcher in watchers:
            await watcher.connect(running.feed_address, token_of(tmp_path))
            await call(running)
        await asyncio.gather(*(watcher.until(1 + 4 * len(watchers)) for watcher in watchers))
    for watcher in watchers:
        await watcher.drain()
    assert len({tuple(entry.leaf for entry in watcher.entries) for watcher in watchers}) == 1


async def test_a_watcher_resumes_after_the_last_entry_it_has(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        await call(running, 2)
        whole = Watcher()
        await whole.connect(running.feed_address, token_of(tmp_path))
        await whole.until(9)
        whole.close()
        for after in range(9):
            talk = await connect(running.feed_address)
            target = b"/v1/feed?after=%d" % after if after % 2 else b"/v1/feed"
            fields = [] if after % 2 else [b"Last-Event-ID: %d" % after]
            await talk.send(get(bearer(token_of(tmp_path)), *fields, target=target))
            await talk.reader.readuntil(b"\r\n\r\n")
            first = await talk.chunk()
            assert first.startswith(b"id: %d\n" % (after + 1) if after < 8 else b"event: checkpoint\n")
            talk.writer.close()


async def test_a_watcher_resumes_over_a_restart(tmp_path: Path) -> None:
    watcher = Watcher()
    for _ in range(3):
        async with gateway(tmp_path, NOWHERE) as running:
            await watcher.connect(running.feed_address, token_of(tmp_path))
            await call(running)
        await watcher.drain()
    assert watcher.verified == len(watcher.entries) == 18
    assert [type(data) for data in journal(tmp_path)].count(GatewayStopped) == 3


@pytest.mark.parametrize(
    ("last", "status"), [(b"5", 409), (b"99999999999999999", 400), (b"-1", 400), (b"x", 400), (b"4", 200)]
)
async def test_where_a_watcher_may_resume(tmp_path: Path, last: bytes, status: int) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        await call(running)
        watcher = Watcher()
        await watcher.connect(running.feed_address, token_of(tmp_path))
        await watcher.until(5)
        talk = await connect(running.feed_address)
        await talk.send(get(bearer(token_of(tmp_path)), b"Last-Event-ID: " + last, target=b"/v1/feed"))
        head = await talk.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 %d " % status)
        talk.writer.close()


async def test_a_slow_watcher_gets_everything_from_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "MAX_ENTRIES", 8)
    monkeypatch.setattr(feed_server, "CHUNK", 2_000)
    read_from_disk: list[int] = []
    leaves = Store.leaves

    def spy(store: Store, first: int, end: int, octets: int) -> list[Leaf]:
        read_from_disk.append(first)
        return leaves(store, first, end, octets)

    monkeypatch.setattr(Store, "leaves", spy)
    slow, quick = Watcher(), Watcher()
    async with gateway(tmp_path, NOWHERE) as running:
        await slow.connect(running.feed_address, token_of(tmp_path))
        await quick.connect(running.feed_address, token_of(tmp_path))
        # So large that the slow watcher's socket, which nobody reads, fills up.
        await call(running, BULK, b'"%b"' % (b"x" * 200_000))
        await quick.until(1 + 4 * BULK)
        assert running.log.ring.first > 4 * (BULK - 4)
        await slow.until(1 + 4 * BULK)
    assert len(read_from_disk) > 1
    assert [entry.leaf for entry in slow.entries] == [entry.leaf for entry in quick.entries[: len(slow.entries)]]


async def test_a_late_watcher_reads_the_past_with_its_checkpoints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring, "MAX_OCTETS", 1)
    monkeypatch.setattr(feed_server, "CHUNK", 1)
    late = Watcher()
    async with gateway(tmp_path, NOWHERE) as running:
        for rounds in range(3):
            early = Watcher()
            await call(running, 2)
            await early.connect(running.feed_address, token_of(tmp_path))
            await early.until(9 + 8 * rounds)
            early.close()
        await late.connect(running.feed_address, token_of(tmp_path))
        proven = set()
        while late.verified < 25:
            assert await late.read()
            proven.add(late.verified)
    assert proven >= {9, 17, 25}


async def test_a_watcher_that_takes_nothing_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, feed_server.__name__)
    monkeypatch.setattr(feed_server, "STALL_SECONDS", 0.05)
    async with gateway(tmp_path, NOWHERE) as running:
        stuck = Watcher()
        await stuck.connect(running.feed_address, token_of(tmp_path))
        # More than the sockets' buffers hold between them.
        while "cut off" not in caplog.text:
            await call(running, BULK, b'"%b"' % (b"x" * 200_000))
        await stuck.drain()
        size = running.log.size
        assert 0 < len(stuck.entries) < size
        monkeypatch.setattr(feed_server, "STALL_SECONDS", 10.0)
        await stuck.connect(running.feed_address, token_of(tmp_path))
        await stuck.until(size)


async def test_the_checkpoint_and_its_frontier(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE, capture="digest") as running:
        about = json.loads((await ask(running.feed_address, token_of(tmp_path))).body)
        assert set(about) == {"origin", "keys", "note", "frontier", "oldest", "capture", "scopes"}
        verifier = NoteVerifier(*about["keys"])
        checkpoint = verifier.open(about["note"].encode())
        assert checkpoint.size.bit_count() == len(about["frontier"])
        assert about["origin"] == checkpoint.origin == running.log.key.origin
        assert (about["oldest"], about["capture"]) == (0, "digest")


TOKENS = [
    ([], 401),
    ([b"Authorization: Bearer"], 401),
    ([b"Authorization: Bearer wrong"], 401),
    ([b"Authorization: Basic TOKEN"], 401),
    ([b"Authorization: TOKEN"], 401),
    ([b"Authorization: Bearer \xff"], 401),
    ([b"Authorization: Bearer TOKENx"], 401),
    ([b"Authorization: bearer  TOKEN"], 200),
    ([b"Authorization: Bearer TOKEN", b"Origin: http://localhost:3000"], 403),
    ([b"Authorization: Bearer TOKEN", b"Origin: null"], 403),
    ([b"Authorization: Bearer TOKEN", b"Origin: https://app.example"], 200),
    ([b"Authorization: Bearer wrong", b"Origin: https://evil.example"], 403),
]


@pytest.mark.parametrize(("fields", "status"), TOKENS)
@pytest.mark.parametrize("target", [b"/v1/checkpoint", b"/v1/feed", b"/v1/other"])
async def test_who_may_read(tmp_path: Path, fields: list[bytes], status: int, target: bytes) -> None:
    async with gateway(tmp_path, NOWHERE, allowed_origins=("https://app.example",)) as running:
        token = token_of(tmp_path).encode()
        talk = await connect(running.feed_address)
        await talk.send(get(*(each.replace(b"TOKEN", token) for each in fields), target=target))
        head = await talk.reader.readuntil(b"\r\n\r\n")
        expected = 404 if status == 200 and target == b"/v1/other" else status
        assert head.startswith(b"HTTP/1.1 %d " % expected)
        assert (b"WWW-Authenticate: Bearer" in head) == (expected == 401)
        assert b"Access-Control" not in head
        assert b"Server:" not in head
        talk.writer.close()


async def test_the_feed_has_its_own_host_check(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        request = get(bearer(token_of(tmp_path)), target=b"/v1/checkpoint").replace(b"127.0.0.1", b"evil.example")
        reply = await fetch(running.feed_address, request)
    assert reply.status == 403
    assert set(json.loads(reply.body)) == {"error", "hint"}


@pytest.mark.parametrize("method", [b"POST", b"HEAD", b"DELETE", b"OPTIONS"])
async def test_the_feed_is_only_read(tmp_path: Path, method: bytes) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        reply = await fetch(running.feed_address, get(bearer(token_of(tmp_path)), method=method, target=b"/v1/feed"))
    assert reply.status == 405


async def test_calls_and_feed_do_not_mix(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"theirs"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, get(bearer(token_of(tmp_path)), target=b"/v1/feed"))
        assert reply.body == b"theirs"
        assert (await ask(running.feed_address, token_of(tmp_path), b"/mcp")).status == 404
    assert [type(data) for data in journal(tmp_path)].count(Request) == 1
    assert [data.outcome for data in journal(tmp_path) if isinstance(data, End)] == ["complete"]
