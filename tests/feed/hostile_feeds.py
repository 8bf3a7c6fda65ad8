"""A feed over a real socket that turns hostile: what it answers octet by octet, headers and all."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import repeat

import msgspec
from msgspec import Struct
from tiny_log import TinyLog

from mcpwatch.feed.about import About

MIB = 2**20
ENDLESS = 256 * MIB
"""Octets that stand for a body without end; each is far more than a watcher may hold."""
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n"
JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n"
Octets = Callable[[], Iterator[bytes]]


class Attack(Struct, frozen=True):
    """What a feed answers from the second connection on, and what a watcher is to make of it."""

    octets: Octets
    """The whole answer, from its status line on."""
    state: str
    says: str
    """Part of the reason."""
    path: str = "/v1/feed"
    """Where it answers so."""


def plain(head: bytes, *body: bytes) -> Octets:
    """An answer of these parts."""
    return lambda: iter([head + b"\r\n", *body])


def endless(head: bytes, part: bytes, begin: bytes = b"", octets: int = ENDLESS) -> Octets:
    """`begin`, then `part` again and again."""

    def written() -> Iterator[bytes]:
        block = part * max(MIB // 4 // len(part), 1)
        yield head + b"\r\n" + begin
        yield from repeat(block, octets // len(block))

    return written


def bomb(head: bytes) -> Octets:
    """A body of some hundred KB that a client which unpacks it has to hold as 256 MiB."""
    return plain(head + b"Content-Encoding: gzip\r\n", gzip.compress(b"data:" + bytes(ENDLESS)))


@asynccontextmanager
async def hostile(attack: Attack, log: TinyLog) -> AsyncIterator[str]:
    """A feed that answers well once, all of `log` with its proof, and hostile from then on."""
    asked: set[str] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readuntil(b"\r\n\r\n")
            path = request.split(b" ")[1].partition(b"?")[0].decode()
            turned = path == attack.path and path in asked
            asked.add(path)
            for part in attack.octets() if turned else well(path, request):
                writer.write(part)
                await writer.drain()
        writer.close()

    def well(path: str, request: bytes) -> Iterator[bytes]:
        if path == "/v1/checkpoint":
            yield JSON + b"\r\n" + about(log)
        else:
            yield STREAM + b"\r\n"
            yield b"".join(log.entry(index) for index in range(log.size)) + log.checkpoint()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


def about(log: TinyLog) -> bytes:
    """The introduction of a log."""
    keys = (log.key.verifier_key, log.key.time_verifier_key)
    return msgspec.json.encode(About(log.key.origin, keys, log.note().decode(), log.frontier.hashes()))
