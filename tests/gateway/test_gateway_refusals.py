"""What the gateway answers itself: with a JSON-RPC error the client understands, and never unlogged."""

import asyncio
import json
import socket
from pathlib import Path

import pytest
from rig import (
    Reply,
    Talk,
    answer,
    connect,
    every,
    fetch,
    gateway,
    get,
    journal,
    logged,
    ok,
    only,
    post,
    scripted,
    self_signed,
)

from mcpwatch.gateway import arrival, run
from mcpwatch.gateway.mask_text import mask_authority
from mcpwatch.model.entries import End, Message, Request, Response

CALL = b'{"jsonrpc":"2.0","id":"c-7","method":"tools/call"}'


def error_of(reply: Reply) -> tuple[object, str]:
    """The id and the message of a JSON-RPC error."""
    value = json.loads(reply.body)
    assert value["jsonrpc"] == "2.0"
    assert reply.field(b"content-type") == b"application/json"
    return value["id"], value["error"]["message"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def test_a_server_that_is_down(tmp_path: Path) -> None:
    async with gateway(tmp_path, f"files=http://127.0.0.1:{free_port()}/mcp") as running:
        reply = await fetch(running.listen_address, post(CALL))
    assert reply.status == 502
    assert error_of(reply) == ("c-7", "mcpwatch gateway: files cannot be reached")
    assert only(tmp_path, Request).upstream == "files"
    assert only(tmp_path, Response).status == 502
    assert only(tmp_path, Message).body.text == reply.body.decode()
    assert (only(tmp_path, End).outcome, only(tmp_path, End).sent) == ("error", len(reply.body))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "closed the connection without an answer"),
        (b"HTTP/1.1 200", "closed the connection without an answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not answer in HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            "answers with 101, which was not asked for",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "does not answer in HTTP"),
    ],
)
async def test_a_server_that_does_not_answer_in_http(tmp_path: Path, octets: bytes, why: str) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(octets)
        talk.writer.close()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, post(CALL))
    assert reply.status == 502
    assert error_of(reply)[1].endswith(why)
    assert only(tmp_path, End).outcome == "error"


async def test_a_server_whose_certificate_does_not_hold(tmp_path: Path) -> None:
    async with (
        scripted(answer(ok(b"{}")), tls=self_signed(tmp_path)) as server,
        gateway(tmp_path, server.url) as running,
    ):
        reply = await fetch(running.listen_address, post(CALL))
    assert (reply.status, server.requests) == (502, [])
    assert error_of(reply)[1].endswith("has a certificate that does not hold")


@pytest.mark.parametrize(
    ("body", "call"),
    [(b'{"id":3}', 3), (b'{"id":null}', None), (b'{"id":1.5}', None), (b"[]", None), (b"{", None), (b"", None)],
)
async def test_the_error_carries_the_id_of_the_call(tmp_path: Path, body: bytes, call: object) -> None:
    async with gateway(tmp_path, f"http://127.0.0.1:{free_port()}/mcp") as running:
        reply = await fetch(running.listen_address, post(body))
    assert error_of(reply)[0] == call


HOSTS = [
    (b"127.0.0.1", 200),
    (b"localhost:4180", 200),
    (b"LOCALHOST", 200),
    (b"[::1]:99", 200),
    (b"127.8.8.8", 200),
    (b"gateway.example", 200),
    (b"gateway.example:8443", 200),
    (b"pinned.example:1234", 200),
    (b"pinned.example:1235", 421),
    (b"pinned.example", 421),
    (b"evil.example", 421),
    (b"127.0.0.1.evil.example", 421),
    (b"localhost.evil.example:4180", 421),
    (b"localhost@evil.example", 421),
    (b"", 421),
]


@pytest.mark.parametrize(("host", "status"), HOSTS)
async def test_hosts(tmp_path: Path, host: bytes, status: int) -> None:
    hosts = ("Gateway.example", "pinned.example:1234")
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, allowed_hosts=hosts) as running:
        reply = await fetch(running.listen_address, post(CALL, host=host))
    assert reply.status == status
    assert len(server.requests) == (status == 200)
    (end,) = every(tmp_path, End)
    assert end.outcome == ("complete" if status == 200 else "denied")
    assert only(tmp_path, Request).authority == mask_authority(host.decode())
    assert only(tmp_path, Request).upstream == server.url.split("/")[2]


ORIGINS = [
    (b"http://localhost:6274", 200),
    (b"https://127.0.0.1", 200),
    (b"http://[::1]:3000", 200),
    (b"https://app.example", 200),
    (b"https://APP.example", 200),
    (b"http://app.example", 403),
    (b"https://evil.example", 403),
    (b"http://localhost.evil.example", 403),
    (b"http://localhost@evil.example", 403),
    (b"file://localhost", 403),
    (b"null", 403),
    (b"", 403),
    (b"http://[", 403),
]


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
async def test_origins(tmp_path: Path, origin: bytes, status: int) -> None:
    origins = ("https://app.example",)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, allowed_origins=origins) as running:
        reply = await fetch(running.listen_address, post(CALL, b"Origin: " + origin))
    assert reply.status == status
    assert len(server.requests) == (status == 200)
    request = only(tmp_path, Request)
    assert ("origin", origin.decode()) in request.headers
    assert request.body is not None
    assert request.body.text == CALL.decode()


@pytest.mark.parametrize("field", [b"Host: evil.example", b"Origin: http://evil.example"])
async def test_a_second_field_does_not_slip_past_the_check(tmp_path: Path, field: bytes) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, get(b"Origin: http://localhost", field))
    assert (reply.status in (400, 403, 421), server.requests) == (True, [])


async def test_an_absolute_target_does_not_slip_past_the_host_check(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, get(target=b"http://evil.example/mcp"))
    assert reply.status == 421
    assert only(tmp_path, Request).authority == "evil.example"


@pytest.mark.parametrize("length", [b"Content-Length: 101", b"Transfer-Encoding: chunked"])
async def test_a_body_that_is_too_large(tmp_path: Path, length: bytes) -> None:
    body = b"x" * 101 if length.startswith(b"C") else b"65\r\n%b\r\n0\r\n\r\n" % (b"x" * 101)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, max_body=100) as running:
        request = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\n%b\r\n\r\n" % length + body
        reply = await fetch(running.listen_address, request)
        fits = await fetch(running.listen_address, post(b"x" * 100))
    assert reply.status == 413
    assert error_of(reply) == (None, "mcpwatch gateway: the body is larger than 100 octets")
    assert fits.status == 200
    assert [end.outcome for end in every(tmp_path, End)] == ["denied", "complete"]


async def test_a_body_that_drips(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, body_seconds=0.05) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(CALL)[:-1])
        reply = await talk.reply()
        await talk.closed()
    assert (reply.status, server.requests) == (408, [])
    assert error_of(reply)[1].endswith("the body took longer than 0.05 s")
    assert (only(tmp_path, End).outcome, only(tmp_path, End).reason) == ("denied", "the body took longer than 0.05 s")


async def test_a_body_that_stands_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "PAUSE_SECONDS", 0.05)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(CALL)[:-1])
        assert (await talk.reply()).status == 408
    assert only(tmp_path, End).reason == "the body did not come"


async def test_bodies_of_all_requests_together(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def script(talk: Talk) -> None:
        await go.wait()
        await talk.send(ok(b"{}"))

    async with scripted(script) as server, gateway(tmp_path, server.url, max_received=150) as running:
        first = await connect(running.listen_address)
        await first.send(post(b"x" * 100))
        await logged(running, Request)
        turned_away = await fetch(running.listen_address, post(b"x" * 51))
        second = await connect(running.listen_address)
        await second.send(post(b"x" * 50))
        go.set()
        assert ((await first.reply()).status, (await second.reply()).status) == (200, 200)
        assert (await fetch(running.listen_address, post(b"x" * 150))).status == 200
    assert (turned_away.status, turned_away.field(b"retry-after")) == (503, b"1")
    ends = sorted((end.outcome, end.reason) for end in every(tmp_path, End))
    assert ends == [("complete", "")] * 3 + [("denied", "too many octets of bodies at a time")]


async def test_headers_that_are_too_large(tmp_path: Path) -> None:
    fields = [b"X-%d: %b" % (number, b"v" * 20_000) for number in range(4)]
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, get(*fields))
    assert reply.status == 431
    assert only(tmp_path, End).outcome == "denied"


@pytest.mark.parametrize(
    "octets", [b"X-Name: caf\xe9", b"Mcp-Name: \xff", b"X-Bell: \x07", b"X-Nul: \x00", b"X-Del: \x7f"]
)
async def test_what_cannot_be_passed_on_exactly_is_not_passed_on(
    tmp_path: Path, octets: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, post(CALL, octets))
        target = await fetch(running.listen_address, get(target=b"/\xff"))
    assert (reply.status, target.status, server.requests) == (400, 400, [])
    assert "Traceback" not in caplog.text


async def test_one_exchange_too_many(tmp_path: Path) -> None:
    go = asyncio.Event()

    async def script(talk: Talk) -> None:
        await go.wait()
        await talk.send(ok(b"{}"))

    async with scripted(script) as server, gateway(tmp_path, server.url, max_exchanges=1) as running:
        first = await connect(running.listen_address)
        await first.send(post(CALL))
        await logged(running, Request)
        turned_away = await fetch(running.listen_address, post(CALL))
        go.set()
        assert (await first.reply()).status == 200
        assert (await fetch(running.listen_address, post(CALL))).status == 200
    assert (turned_away.status, turned_away.field(b"retry-after")) == (503, b"1")
    assert sorted(end.outcome for end in every(tmp_path, End)) == ["complete", "complete", "denied"]


async def test_one_connection_too_many(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, max_connections=1) as running:
        first = await connect(running.listen_address)
        await first.send(post(CALL))
        assert (await first.reply()).status == 200
        second = await connect(running.listen_address)
        await second.closed()
        await first.send(post(CALL))
        assert (await first.reply()).status == 200


async def test_one_watcher_too_many_and_one_that_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "MAX_WATCHERS", 1)
    monkeypatch.setattr(run, "KEEP_ALIVE_SECONDS", 0.2)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        first = await connect(running.feed_address)
        await first.send(b"GET /v1/feed HTTP/1.1\r\nHos")
        second = await connect(running.feed_address)
        await second.closed()
        await first.closed()
        assert (await fetch(running.feed_address, get(target=b"/v1/feed"))).status == 401


async def test_exchanges_under_way_end_with_the_gateway(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        await talk.closed()

    async with scripted(script) as server:
        async with gateway(tmp_path, server.url) as running:
            talk = await connect(running.listen_address)
            await talk.send(post(CALL))
            await logged(running, Request)
        await talk.closed()
    assert only(tmp_path, End) == End(
        exchange=1,
        outcome="error",
        duration_us=only(tmp_path, End).duration_us,
        sent=0,
        reason="the gateway was stopped",
    )


@pytest.mark.parametrize("request_line", [b"CONNECT localhost:443 HTTP/1.1", b"GET mcp HTTP/1.1", b"GARBAGE"])
async def test_other_targets_and_garbage_are_turned_away(tmp_path: Path, request_line: bytes) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, request_line + b"\r\nHost: localhost\r\n\r\n")
    assert (reply.status, server.requests) == (400, [])
    assert only(tmp_path, Response).status == 400
    assert (only(tmp_path, End).outcome, only(tmp_path, End).sent) == ("denied", len(reply.body))


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"GET /s3cret HTTP/1.1\r\n\r\n", "this is not a well-formed HTTP request"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "this is not a well-formed HTTP request"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX s3cret: 1\r\n\r\n", "this is not a well-formed HTTP request"),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: s3cret\r\n\r\n",
            "this is not a well-formed HTTP request",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\ns3cret\r\n",
            "this is not a well-formed HTTP request",
        ),
        (
            b"GET /%b HTTP/1.1\r\nHost: localhost\r\n\r\n" % (b"s3cret" * 20_000),
            "a line of the request's head is too long",
        ),
        (
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: %b\r\n\r\n" % (b"s3cret" * 20_000),
            "a line of the request's head is too long",
        ),
    ],
)
async def test_what_cannot_be_read_is_told(
    tmp_path: Path, octets: bytes, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        host, port = talk.writer.get_extra_info("sockname")
        await talk.send(octets)
        reply = await talk.reply()
        await talk.closed()
    assert (reply.status, server.requests) == (400, [])
    assert error_of(reply) == (None, f"mcpwatch gateway: {why}")
    _, request, response, message, end, _ = journal(tmp_path)
    assert request == Request("", "", "http", "", "", f"{host}:{port}", (), withheld=("*",))
    assert (response, message) == (only(tmp_path, Response), only(tmp_path, Message))
    assert only(tmp_path, Message).body.text == reply.body.decode()
    assert end == End(1, "denied", only(tmp_path, End).duration_us, len(reply.body), why)
    assert "s3cret" not in caplog.text + str(journal(tmp_path))


async def test_bad_chunks_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrival, "PAUSE_SECONDS", 0.05)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        head = b"Host: localhost\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
        await talk.send(b"POST /mcp HTTP/1.1\r\n" + head)
        assert (await talk.reply(bodiless=True)).status == 100
        await talk.send(b"2\r\n{}\r\nzz\r\n")
        assert (await talk.reply()).status == 408
        await talk.closed()
    assert (only(tmp_path, Request).method, server.requests) == ("POST", [])
    assert only(tmp_path, End).reason == "the body did not come"
