"""The guarded GET: what it refuses to ask, what it makes of answers, how often it asks."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamed import streamed

from mcpwatch.identity.resolution import ThrottledError, Unavailable
from mcpwatch.identity.resolvers.addresses import MAX_LOOKUPS, GuardedTransport, is_public
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.rate_limit import ALL_BURST, ALL_RATE, BURST, MAX_HOSTS, TRUSTED_BURST

URL = "https://agent.example/.well-known/did.json"
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
Handler = Callable[[httpx.Request], httpx.Response]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def fetcher(handler: Handler, clock: Callable[[], float] | None = None, *, allow_private: bool = False) -> Fetcher:
    return Fetcher(
        transport=httpx.MockTransport(lambda request: streamed(handler(request))),
        clock=clock or Clock(),
        wall=NEW_YEAR.timestamp,
        allow_private=allow_private,
    )


def never(request: httpx.Request) -> httpx.Response:
    raise AssertionError("asked")


async def test_an_answer_comes_whole() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        head = {"content-type": "Application/JSON; charset=utf-8", "set-cookie": "a=b"}
        return httpx.Response(404, content=b"{}", headers=head)

    async with fetcher(answer) as fetch:
        for _ in range(2):
            fetched = await fetch.get(f"{URL}#key-1", accept="application/did+json")
    assert (fetched.status, fetched.media_type, fetched.body) == (404, "application/json", b"{}")
    assert [str(request.url) for request in asked] == [URL, URL]
    sent = asked[1].headers
    assert (sent["accept"], sent["accept-encoding"]) == ("application/did+json", "identity")
    assert not {"authorization", "cookie"} & set(sent)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://agent.example/", "not an https one"),
        ("ftp://agent.example/", "not an https one"),
        ("file:///etc/passwd", "none that can be asked"),
        ("https://", "none that can be asked"),
        ("https://user:secret@agent.example/", "none that can be asked"),
        ("https://[::", "none that can be asked"),
        ("https://agent.example/" + "a" * 3000, "none that can be asked"),
        ("https://agent.example:0/", "none that can be asked"),
        ("https://agent.example:65536/", "none that can be asked"),
        ("https://agent.example:99999999999999999999/", "none that can be asked"),
        ("", "none that can be asked"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_not_asked(url: str, reason: str) -> None:
    async with fetcher(never) as fetch:
        with pytest.raises(Unavailable, match=reason) as caught:
            await fetch.get(url)
    assert "secret" not in caught.value.reason


async def test_plain_http_is_for_what_the_operator_named() -> None:
    async with fetcher(lambda request: httpx.Response(200)) as fetch:
        assert (await fetch.get("http://registry.example/", trusted=True)).status == 200
        with pytest.raises(Unavailable, match="https"):
            await fetch.get("http://localhost:8000/")
    async with fetcher(lambda request: httpx.Response(200), allow_private=True) as fetch:
        assert (await fetch.get("http://localhost:8000/")).status == 200
        with pytest.raises(Unavailable, match="https"):
            await fetch.get("http://agent.example/")


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        (httpx.Response(302, headers={"location": "https://agent.example/loop"}), "redirect"),
        (httpx.Response(200, content=b" " * 1001), "longer than 1000"),
        (httpx.Response(200, content=b"x", headers={"content-encoding": "gzip"}), "compressed"),
    ],
)
async def test_answers_that_do_not_count(response: httpx.Response, reason: str) -> None:
    async with fetcher(lambda request: response) as fetch:
        with pytest.raises(Unavailable, match=reason):
            await fetch.get(URL, limit=1000)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("field", "pause"),
    [
        ("7", 7),
        ("0", 1),
        ("999999999", 3600),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 1),
        (format_datetime(NEW_YEAR.replace(minute=2), usegmt=True), 120),
    ],
)
async def test_a_host_is_left_alone_as_it_asks(status: int, field: str, pause: float) -> None:
    clock, count = Clock(), 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(status, headers={"retry-after": field}) if count == 1 else httpx.Response(200)

    async with fetcher(answer, clock) as fetch:
        for said in (f"HTTP status {status}", *["not to be asked"] * 2):
            with pytest.raises(Unavailable, match=said) as caught:
                await fetch.get(URL)
            assert caught.value.after_s == pause
        assert count == 1
        assert (await fetch.get("https://other.example/")).status == 200
        clock.now = pause
        assert (await fetch.get(URL)).status == 200


async def test_too_many_requests_without_a_time_is_a_minute() -> None:
    async with fetcher(lambda request: httpx.Response(429, headers={"retry-after": "soon"})) as fetch:
        with pytest.raises(Unavailable, match="again in 60 s"):
            await fetch.get(URL)
    async with fetcher(lambda request: httpx.Response(503)) as fetch:
        assert (await fetch.get(URL)).status == 503


@pytest.mark.parametrize(("trusted", "burst", "later"), [(True, TRUSTED_BURST, 60), (False, BURST, BURST)])
async def test_each_host_has_its_own_pace(trusted: bool, burst: int, later: int) -> None:
    clock, count = Clock(), 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(200)

    async def attempt(url: str) -> None:
        for _ in range(500):
            try:
                await fetch.get(url, trusted=trusted)
            except ThrottledError as failure:
                assert failure.after_s is not None and failure.after_s > 0

    async with fetcher(answer, clock) as fetch:
        await attempt(URL)
        assert count == burst
        await attempt("https://other.example/")
        assert count == 2 * burst
        clock.now = 60.0
        await attempt(URL)
        assert count == 2 * burst + later


async def test_many_made_up_hosts_are_no_way_around_it() -> None:
    clock, count = Clock(), 0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(200)

    async with fetcher(answer, clock) as fetch:
        for second in (0.0, 1.0):
            clock.now = second
            for number in range(500):
                with suppress(ThrottledError):
                    await fetch.get(f"https://made-up-{number}.example/")
        assert count == ALL_BURST + ALL_RATE
        assert (await fetch.get("https://registry.example/", trusted=True)).status == 200


@pytest.mark.parametrize("port", ["", ":8443", ".", ".:8443"])
async def test_every_port_and_spelling_of_a_host_is_that_host(port: str) -> None:
    async with fetcher(lambda request: httpx.Response(200)) as fetch:
        for _ in range(BURST):
            await fetch.get("https://agent.example/")
        with pytest.raises(ThrottledError):
            await fetch.get(f"https://agent.example{port}/")


async def test_no_flood_of_names_makes_a_hosts_silence_forgotten() -> None:
    clock = Clock()
    async with fetcher(lambda request: httpx.Response(429, headers={"retry-after": "3600"}), clock) as fetch:
        with pytest.raises(Unavailable, match="HTTP status 429"):
            await fetch.get(URL)
        for number in range(2 * MAX_HOSTS):
            with pytest.raises(Unavailable):
                await fetch.get(f"https://made-up-{number}.example/")
        clock.now = 60.0
        with pytest.raises(Unavailable, match="another 3540 s"):
            await fetch.get(URL)


async def test_names_that_answer_slowly_hold_up_nothing_of_the_operators(monkeypatch: pytest.MonkeyPatch) -> None:
    ended, begun = threading.Event(), list[str]()

    def look(host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        if host.startswith("slow"):
            begun.append(host)
            ended.wait(10)
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", look)
    async with Fetcher(transport=GuardedTransport(inner=Wire())) as fetch, asyncio.TaskGroup() as group:
        asking = [group.create_task(fetch.get(f"https://slow-{number}.example/")) for number in range(MAX_LOOKUPS)]
        while len(begun) < MAX_LOOKUPS:
            await asyncio.sleep(0)
        assert (await fetch.get("http://registry.example/", trusted=True)).status == 200
        for each in asking:
            each.cancel()
        ended.set()


async def test_who_waits_gets_turns_one_after_another() -> None:
    async with fetcher(lambda request: httpx.Response(200)) as fetch:
        for _ in range(BURST):
            await fetch.get(URL)
        waits = []
        for _ in range(3):
            with pytest.raises(ThrottledError) as caught:
                await fetch.get(URL)
            waits.append(caught.value.after_s)
    assert waits == [5.0, 10.0, 15.0]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.100.100.200"),
        *("168.63.129.16", "192.0.0.192", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1"),
        *("::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "100::1"),
        *("::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:0:1:2:3:4:80ff:fffe"),
        *("2001:db8::1", "64:ff9b:1::1", "localhost", ""),
    ],
)
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_every_address_has_an_answer(address: object) -> None:
    assert is_public(str(address)) in (True, False)


class Wire(httpx.AsyncBaseTransport):
    """Notes where connections go; `refusing` addresses do not take any."""

    def __init__(self, *refusing: str) -> None:
        self.refusing = refusing
        self.seen: list[tuple[str, str, object]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.seen.append((request.url.host, request.headers["host"], request.extensions["sni_hostname"]))
        if request.url.host in self.refusing:
            raise httpx.ConnectError("refused")
        return streamed(httpx.Response(200))


def guarded(wire: Wire, *answers: list[str], allow_private: bool = False) -> Fetcher:
    """A fetcher whose name lookups give these answers, one after another."""
    left = list(answers)

    async def lookup(host: str, port: int) -> list[str]:
        return left.pop(0)

    transport = GuardedTransport(inner=wire, lookup=lookup, allow_private=allow_private)
    return Fetcher(transport=transport, clock=Clock())


async def test_the_address_that_was_checked_is_the_one_connected_to() -> None:
    wire = Wire("93.184.216.34")
    async with guarded(wire, ["10.0.0.1", "93.184.216.34", "2606:4700::1111"], ["127.0.0.1"]) as fetch:
        assert (await fetch.get("https://agent.example:8443/")).status == 200
        # The name answers otherwise the second time: nothing is connected to.
        with pytest.raises(Unavailable, match=r"127\.0\.0\.1 is not a public address"):
            await fetch.get("https://agent.example:8443/")
    name = ("agent.example:8443", "agent.example")
    assert wire.seen == [("93.184.216.34", *name), ("2606:4700::1111", *name)]


async def test_private_addresses_where_the_operator_allows_them() -> None:
    wire = Wire()
    async with guarded(wire, ["127.0.0.1"], allow_private=True) as fetch:
        assert (await fetch.get(URL)).status == 200
    async with guarded(wire, ["127.0.0.1"], ["127.0.0.1"]) as fetch:
        assert (await fetch.get(URL, trusted=True)).status == 200
        with pytest.raises(Unavailable, match="not a public address"):
            await fetch.get(URL)


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]"])
async def test_no_spelling_of_this_machine_is_asked(host: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        async with Fetcher() as fetch:
            with pytest.raises(Unavailable):
                await fetch.get(f"https://{host}:{server.getsockname()[1]}/")
        with pytest.raises(BlockingIOError):
            server.accept()


async def test_a_name_that_leads_nowhere_is_unavailable() -> None:
    async def lookup(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "no such name")

    async with Fetcher(transport=GuardedTransport(inner=Wire(), lookup=lookup)) as fetch:
        with pytest.raises(Unavailable, match="cannot be reached: gaierror"):
            await fetch.get("https://nobody.example/")
    async with Fetcher() as fetch:
        for host in ("a" * 64 + ".example", "xn--.example"):
            with pytest.raises(Unavailable):
                await fetch.get(f"https://{host}/")


@asynccontextmanager
async def server(octets: bytes) -> AsyncIterator[str]:
    """A server on loopback that answers with fixed octets, and then says nothing more without hanging up."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(octets)
        await reader.read()
        writer.close()

    listening = await asyncio.start_server(talk, "127.0.0.1", 0)
    async with listening:
        yield f"http://localhost:{listening.sockets[0].getsockname()[1]}/"


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "did not answer within"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{", "did not answer within"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 10_000_000, "longer than 262144"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 0\r\n\r\n", "compressed"),
        (b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\n\r\n", "redirect"),
        (b"nonsense\r\n\r\n", "cannot be reached: RemoteProtocolError"),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_a_server_that_stalls_floods_or_loops(octets: bytes, reason: str) -> None:
    async with server(octets) as address, Fetcher(allow_private=True, deadline_s=0.3) as fetch:
        with pytest.raises(Unavailable, match=reason):
            await fetch.get(address)


async def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    async with Fetcher(allow_private=True) as fetch:
        with pytest.raises(Unavailable, match="cannot be reached: ConnectError"):
            await fetch.get(f"http://localhost:{port}/")
