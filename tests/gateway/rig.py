"""Gateways, scripted servers and raw clients on loopback, where every octet can be seen.

    async with scripted(answer(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")) as server, \\
            gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, b"GET /mcp HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\n\\r\\n")
"""

import asyncio
import sqlite3
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.enforcer import Enforcement
from mcpwatch.gateway.options import GatewayOptions, parse_upstreams
from mcpwatch.gateway.run import Gateway
from mcpwatch.model.entries import Data

PATIENCE = 60.0
"""Seconds after which a test that waits for something has failed."""

T = TypeVar("T", bound=Data)


class Talk:
    """One connection, from either end: heads, bodies and raw octets."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = b""
        self.body = b""

    async def send(self, octets: bytes) -> None:
        self.writer.write(octets)
        await self.writer.drain()

    async def request(self) -> bool:
        """Read the next request into `head` and `body`; False when the other end has closed."""
        try:
            self.head = await self.reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:
            return False
        length = field(self.head, b"content-length")
        self.body = await self.reader.readexactly(int(length)) if length else b""
        return True

    async def reply(self, *, bodiless: bool = False) -> "Reply":
        """Read one whole answer."""
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), PATIENCE)
        if bodiless:
            return Reply(head, b"")
        if b"chunked" in (field(head, b"transfer-encoding") or b""):
            body = b""
            while chunk := await self.chunk():
                body += chunk
            return Reply(head, body)
        length = field(head, b"content-length")
        return Reply(head, await (self.reader.readexactly(int(length)) if length else self.reader.read()))

    async def chunk(self) -> bytes:
        """Read one chunk of a chunked body; empty at its end."""
        size = int(await asyncio.wait_for(self.reader.readuntil(b"\r\n"), PATIENCE), 16)
        chunk = await self.reader.readexactly(size + 2)
        assert chunk.endswith(b"\r\n")
        return chunk[:-2]

    async def closed(self) -> None:
        """Return when the other end has closed or broken the connection."""
        try:
            while await asyncio.wait_for(self.reader.read(65_536), PATIENCE):
                pass
        except ConnectionError:
            pass

    def abort(self) -> None:
        self.writer.transport.abort()


class Reply(msgspec.Struct):
    """An answer as it came."""

    head: bytes
    body: bytes

    @property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @property
    def fields(self) -> list[bytes]:
        """The header lines in order."""
        return self.head.split(b"\r\n")[1:-2]

    def field(self, name: bytes) -> bytes | None:
        return field(self.head, name)


Script = Callable[[Talk], Awaitable[None]]


class Scripted:
    """A server that does what its script says, once for each connection."""

    def __init__(self, script: Script) -> None:
        self.url = ""
        self.requests: list[tuple[bytes, bytes]] = []
        """Head and body of each, as they came."""
        self._script = script
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        talk = Talk(reader, writer)
        try:
            while await talk.request():
                self.requests.append((talk.head, talk.body))
                await self._script(talk)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


def answer(*octets: bytes) -> Script:
    """A script that gives these answers in turn, and the last one from then on."""
    left = list(octets)

    async def script(talk: Talk) -> None:
        await talk.send(left.pop(0) if len(left) > 1 else left[0])

    return script


@asynccontextmanager
async def scripted(script: Script, path: str = "/mcp", *, tls: ssl.SSLContext | None = None) -> AsyncIterator[Scripted]:
    """A scripted server on a free port."""
    server = Scripted(script)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=tls)
    server.url = f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}{path}"
    try:
        yield server
    finally:
        listening.close()
        server.stop()


def self_signed(folder: Path) -> ssl.SSLContext:
    """TLS with a certificate that nobody trusts."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, SHA256())
    )
    file = folder / "self-signed.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(private + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@asynccontextmanager
async def gateway(
    state: Path, *upstreams: str, enforcement: Enforcement | None = None, **options: object
) -> AsyncIterator[Gateway]:
    """A gateway on free ports before `upstreams`, each `[NAME=]URL`; with `enforcement` it refuses calls."""
    defaults: dict[str, object] = {"listen": ("127.0.0.1", 0), "feed": ("127.0.0.1", 0)}
    running = Gateway(
        GatewayOptions(upstreams=parse_upstreams(upstreams), state=state, **(defaults | options)),  # type: ignore[arg-type]
        enforcement,
    )
    await running.start()
    try:
        yield running
    finally:
        await running.stop("test over", grace=0)


async def connect(address: str) -> Talk:
    parts = urlsplit(address)
    return Talk(*await asyncio.open_connection(parts.hostname, parts.port, limit=2**20))


async def fetch(address: str, request: bytes) -> Reply:
    """Send `request` on a connection of its own and return the whole answer."""
    talk = await connect(address)
    try:
        await talk.send(request)
        return await talk.reply(bodiless=request.startswith(b"HEAD "))
    finally:
        talk.writer.close()


def post(body: bytes, *fields: bytes, target: bytes = b"/mcp", host: bytes = b"127.0.0.1") -> bytes:
    """A POST of JSON with more header lines."""
    lines = (
        b"POST %b HTTP/1.1" % target,
        b"Host: " + host,
        b"Content-Type: application/json",
        *fields,
        b"Content-Length: %d" % len(body),
    )
    return b"\r\n".join((*lines, b"", body))


def get(*fields: bytes, target: bytes = b"/mcp", method: bytes = b"GET") -> bytes:
    """A request without a body."""
    return b"\r\n".join((b"%b %b HTTP/1.1" % (method, target), b"Host: 127.0.0.1", *fields, b"", b""))


def ok(body: bytes, content_type: bytes = b"application/json", *fields: bytes) -> bytes:
    """A 200 with a body of known length."""
    lines = (b"HTTP/1.1 200 OK", b"Content-Type: " + content_type, *fields, b"Content-Length: %d" % len(body))
    return b"\r\n".join((*lines, b"", body))


def field(head: bytes, name: bytes) -> bytes | None:
    """The value of the first field called `name`, lower-case."""
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return None


def journal(state: Path) -> list[Data]:
    """All entries that are in the journal, in order."""
    return [decode(leaf).data for leaf in leaves(state)]


def leaves(state: Path) -> list[bytes]:
    """The same as octets."""
    with sqlite3.connect(state / "gateway" / "journal.sqlite3") as connection:
        found = connection.execute("SELECT leaf FROM entries ORDER BY idx").fetchall()
    connection.close()
    return [leaf for (leaf,) in found]


def only(state: Path, kind: type[T]) -> T:
    """The one entry of its kind."""
    (found,) = every(state, kind)
    return found


def every(state: Path, kind: type[T]) -> list[T]:
    return [data for data in journal(state) if isinstance(data, kind)]


async def logged(running: Gateway, kind: type[T], count: int = 1) -> list[T]:
    """The first `count` entries of a kind, as soon as they are in the journal."""
    async with asyncio.timeout(PATIENCE):
        while len(found := every(running.options.state, kind)) < count:
            await running.log.news()
    return found[:count]
