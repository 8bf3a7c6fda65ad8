"""Answers without end, packed, or of another kind: refused with a reason, at no cost in memory."""

import asyncio
import json
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from fake_gateway import TOKEN, FakeTime, proven, read
from hostile_feeds import JSON, MIB, STREAM, Attack, bomb, endless, hostile, plain
from tiny_log import START, TinyLog

from mcpwatch.feed.envelope import MAX_LEAF
from mcpwatch.feed.sse import MAX_LINE
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.model.feed import FeedState
from mcpwatch.secret import Secret

GROWTH = 8 * MIB
"""Octets that a watcher may grow by, whatever a feed sends."""
ENTRY = b"id: 3\nevent: entry\ndata: "
ATTACKS = {
    "line without end": Attack(
        endless(STREAM, b"x", ENTRY), "DISCONNECTED", f"longer than {MAX_LINE} octets, in the event with id 3"
    ),
    "comment without end": Attack(endless(STREAM, b"x", b":"), "DISCONNECTED", f"longer than {MAX_LINE} octets"),
    "2 M data lines": Attack(
        endless(STREAM, b"data:x\n", b"id: 3\n", octets=14 * MIB),
        "DISCONNECTED",
        "an event has more than 128 lines, in the event with id 3",
    ),
    "event of large lines": Attack(
        endless(STREAM, b"data:" + b"x" * 65_530 + b"\n", b"id: 3\n"), "DISCONNECTED", "an event is larger than"
    ),
    "gzip bomb": Attack(bomb(STREAM), "REFUSED", "compressed"),
    "gzip bomb as introduction": Attack(bomb(JSON), "REFUSED", "compressed", "/v1/checkpoint"),
    "introduction without end": Attack(endless(JSON, b" "), "REFUSED", "not a feed", "/v1/checkpoint"),
    "page without end": Attack(
        endless(STREAM.replace(b"event-stream", b"html"), b"x"), "REFUSED", "it answers with text/html"
    ),
    "error without end": Attack(
        endless(b"HTTP/1.1 503 No\r\nContent-Type: application/json\r\n", b" "), "DISCONNECTED", "HTTP 503"
    ),
    "header without end": Attack(endless(STREAM[:-2] + b"\r\nX: ", b"x"), "DISCONNECTED", ""),
    "headers without end": Attack(endless(STREAM[:-2], b"X: x\r\n"), "DISCONNECTED", ""),
    "chunk size without end": Attack(endless(STREAM + b"Transfer-Encoding: chunked\r\n", b"1"), "DISCONNECTED", ""),
    "chunk that is cut off": Attack(
        plain(STREAM + b"Transfer-Encoding: chunked\r\n", b"ffffffff\r\ndata:"), "DISCONNECTED", "cut"
    ),
}


async def test_no_answer_takes_the_watchers_memory() -> None:
    log = TinyLog()
    log.grow(3)
    async with AsyncExitStack() as stack:
        feeds = [await stack.enter_async_context(hostile(attack, log)) for attack in ATTACKS.values()]
        reader = await asyncio.create_subprocess_exec(
            sys.executable,
            str(Path(__file__).with_name("read_hostile.py")),
            *feeds,
            stdout=asyncio.subprocess.PIPE,
        )
        told, _ = await asyncio.wait_for(reader.communicate(), 60.0)
    assert reader.returncode == 0
    for (name, attack), line in zip(ATTACKS.items(), told.splitlines(), strict=True):
        seen = json.loads(line)
        assert (seen["state"], seen["entries"], seen["verified"]) == (attack.state, [0, 1, 2], 3), (name, seen)
        assert attack.says in seen["says"], (name, seen)
        assert seen["grown"] <= GROWTH, (name, seen)


async def test_an_entry_over_the_limit_is_refused_by_its_index_and_those_after_it_are_read() -> None:
    log = TinyLog()
    log.grow(1)
    log.add(leaf=b"x" * MAX_LEAF)
    log.add(leaf=b"x" * (MAX_LEAF + 1024))
    log.grow(1)
    whole = b"".join(log.entry(index) for index in range(4)) + log.checkpoint()
    async with hostile(Attack(plain(STREAM, whole), "", ""), TinyLog()) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START), sleep=FakeTime().sleep)
        entries = await read(source, proven(4))
    assert [(entry.index, len(entry.leaf)) for entry in entries] == [(at, len(log.leaves[at])) for at in range(4)]
    assert entries[2].fault == f"larger than {MAX_LEAF} octets"
    assert (source.status.malformed, source.status.verified_size) == (2, 4)


@pytest.mark.parametrize("path", ["/v1/checkpoint", "/v1/feed"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_not_followed_and_the_token_goes_nowhere(path: str, status: int) -> None:
    reached: list[str] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.close()

    server = await asyncio.start_server(elsewhere, "127.0.0.1", 0)
    other = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{path}"
    redirect = f"HTTP/1.1 {status} Found\r\nLocation: {other}\r\nContent-Length: 0\r\n".encode()
    async with server, hostile(Attack(plain(redirect), "", "", path), TinyLog()) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START), sleep=FakeTime().sleep)
        await read(source)
    assert source.status.state is FeedState.REFUSED
    assert source.status.detail == (
        f"the address redirects, and the token is not sent along; give the final address (HTTP {status})"
    )
    assert reached == []
