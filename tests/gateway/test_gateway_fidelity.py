"""Octet for octet: what an agent and a server see of each other is what they sent."""

import asyncio
import gzip
import socket
import struct
from pathlib import Path

import pytest
from rig import Talk, answer, connect, every, fetch, field, gateway, get, logged, ok, only, post, scripted

from mcpwatch.model.entries import End, Message, Request, Response

RPC = b'{"jsonrpc": "2.0",  "id": 1, "method":"tools/list", "x": 1.0e2, "x": "\\u00e9"}'
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(octets: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(octets), octets)


async def test_a_request_arrives_as_it_was_sent(tmp_path: Path) -> None:
    fields = (b"X-TWICE: one", b"X-TWICE: two", b"Accept-Encoding: gzip", "X-Name: Malmö".encode(), b"User-Agent: me/1")
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, post(RPC, *fields, target=b"/mcp?a=%zz&b=//x/../y&c"))
    ((head, body),) = server.requests
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /mcp?a=%zz&b=//x/../y&c HTTP/1.1"
    assert [line for line in lines if line in fields] == list(fields)
    assert body == RPC
    names = [line.partition(b":")[0].lower() for line in lines[1:-2]]
    assert sorted(names) == sorted(
        [b"host", b"content-type", b"content-length", *(line.partition(b":")[0].lower() for line in fields)]
    )
    assert field(head, b"host") == server.url.split("/")[2].encode()


async def test_a_repeated_field_survives_in_any_spelling(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, get(b"Accept: one", b"accept: two"))
    assert [line for line in server.requests[0][0].split(b"\r\n") if line.lower().startswith(b"accept")] == [
        b"Accept: one",
        b"Accept: two",
    ]
    assert only(tmp_path, Request).headers == (("accept", "one"), ("accept", "two"))


async def test_an_answer_arrives_as_it_was_sent(tmp_path: Path) -> None:
    head = (
        b"HTTP/1.1 207 Many Things\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Octets: caf\xe9\r\n"
        b"Date: today\r\nContent-Length: 3\r\n\r\n"
    )
    async with scripted(answer(head + b"\x00\xff\n")) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, get())
    assert reply.head == head
    assert reply.body == b"\x00\xff\n"


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 8\r\n\r\naccepted",
        b'HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\nContent-Length: 17\r\n\r\n{"jsonrpc":"2.0"}',
        b"HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 301 Moved Permanently\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Bearer\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_statuses_and_their_bodies_survive(tmp_path: Path, octets: bytes) -> None:
    async with scripted(answer(octets)) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, post(RPC))
    assert reply.head + reply.body == octets


async def test_answers_without_a_body_leave_the_connection_usable(tmp_path: Path) -> None:
    answers = (
        b"HTTP/1.1 204 No Content\r\nX-One: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n",
        ok(b"last"),
    )
    async with scripted(answer(*answers)) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        for request, expected in zip((get(), get(method=b"HEAD"), get()), answers, strict=False):
            await talk.send(request)
            assert (await talk.reply(bodiless=True)).head == expected
        await talk.send(get())
        assert (await talk.reply()).body == b"last"
    assert [head.split(b" ")[0] for head, _ in server.requests] == [b"GET", b"HEAD", b"GET", b"GET"]


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"OPTIONS", b"PUT", b"PATCH"])
async def test_every_method_passes(tmp_path: Path, method: bytes) -> None:
    async with scripted(answer(ok(method))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, get(method=method))).body == method
    assert server.requests[0][0].startswith(method + b" /mcp HTTP/1.1")


async def test_fields_of_the_hop_stay_on_the_hop(tmp_path: Path) -> None:
    hop = (b"Connection: X-Mine, keep-alive", b"X-Mine: 1", b"TE: trailers", b"Keep-Alive: 5", b"Upgrade: h2c")
    reply_head = (
        b"HTTP/1.1 200 OK\r\nConnection: close, X-Theirs\r\nX-Theirs: 1\r\nX-Stays: 1\r\nContent-Length: 0\r\n\r\n"
    )
    async with scripted(answer(reply_head)) as server, gateway(tmp_path, server.url) as running:
        reply = await fetch(running.listen_address, post(RPC, *hop))
    sent = server.requests[0][0].lower()
    assert not any(name in sent for name in (b"x-mine", b"te:", b"keep-alive", b"upgrade", b"connection"))
    assert reply.fields == [b"X-Stays: 1", b"Content-Length: 0"]


async def test_a_chunked_request_arrives_whole(tmp_path: Path) -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, head + chunk(RPC[:5]) + chunk(RPC[5:]) + b"0\r\n\r\n")
    assert server.requests[0][1] == RPC


async def test_a_client_that_waits_to_be_asked_is_asked(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        head, _, body = post(RPC, b"Expect: 100-continue").partition(b"\r\n\r\n")
        await talk.send(head + b"\r\n\r\n")
        assert await talk.reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        await talk.send(body)
        assert (await talk.reply()).status == 200
    assert server.requests[0][1] == RPC


async def test_an_event_is_passed_on_before_the_next_is_made(tmp_path: Path) -> None:
    seen = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.send(STREAM)
        await talk.send(chunk(b": hello\r\n\r\n"))
        await talk.send(chunk(b'event: message\r\ndata: {"n":1}\r\n\r\n'))
        await seen.wait()
        await talk.send(chunk(b'id: 7\ndata: {"n":\ndata: 2}\n\n') + b"0\r\n\r\n")

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        first = b""
        await talk.reader.readuntil(b"\r\n\r\n")
        while b'{"n":1}' not in first:
            first += await talk.chunk()
        assert [message.body.text for message in await logged(running, Message)] == ['{"n":1}']
        seen.set()
        rest = b""
        while more := await talk.chunk():
            rest += more
    assert first == b': hello\r\n\r\nevent: message\r\ndata: {"n":1}\r\n\r\n'
    assert rest == b'id: 7\ndata: {"n":\ndata: 2}\n\n'
    one, two = every(tmp_path, Message)
    assert (one.stream, one.event, one.event_id) == (True, "message", "")
    assert (two.body.text, two.event_id) == ('{"n":\n2}', "7")
    assert only(tmp_path, End).outcome == "complete"


async def test_the_head_of_a_silent_stream_comes_at_once(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(STREAM)
        await talk.closed()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(get())
        assert b"text/event-stream" in await talk.reader.readuntil(b"\r\n\r\n")
        assert (await logged(running, Response))[0].status == 200
        talk.writer.close()


async def test_an_agent_that_leaves_takes_the_server_with_it(tmp_path: Path) -> None:
    left = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.send(STREAM + chunk(b"data: 1\n\n"))
        await talk.closed()
        left.set()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        await talk.reader.readuntil(b"data: 1")
        talk.writer.close()
        await asyncio.wait_for(left.wait(), 10)
        (end,) = await logged(running, End)
    assert (end.outcome, end.sent) == ("client-closed", 9)


async def test_an_agent_that_leaves_before_the_answer_cancels_the_call(tmp_path: Path) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        asked.set()
        await talk.closed()
        left.set()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        await asked.wait()
        talk.abort()
        await asyncio.wait_for(left.wait(), 10)
        (end,) = await logged(running, End)
    assert (end.outcome, end.sent) == ("client-closed", 0)
    assert every(tmp_path, Response) == []


@pytest.mark.parametrize("octets", [STREAM + chunk(b"data: 1\n\n"), ok(b"whole")[:-2]])
async def test_an_answer_that_breaks_off_breaks_off_for_the_agent(tmp_path: Path, octets: bytes) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(octets)
        talk.abort()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await talk.reply()
        (end,) = await logged(running, End)
    assert end.outcome == "upstream-closed"


async def test_an_answer_that_ends_with_its_connection_ends_well(tmp_path: Path) -> None:
    async def script(talk: Talk) -> None:
        await talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
        talk.writer.close()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, get())).body == b"{}"
        old = await fetch(running.listen_address, b"GET /mcp HTTP/1.0\r\nHost: localhost\r\n\r\n")
    assert old.field(b"connection") == b"close"
    assert (old.field(b"transfer-encoding"), old.body) == (None, b"{}")
    assert [end.outcome for end in every(tmp_path, End)] == ["complete", "complete"]


async def test_ten_calls_are_under_way_at_a_time(tmp_path: Path) -> None:
    together = asyncio.Barrier(10)

    async def script(talk: Talk) -> None:
        await together.wait()
        await talk.send(ok(talk.body))

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        bodies = [b'{"jsonrpc":"2.0","id":%d}' % number for number in range(10)]
        replies = await asyncio.gather(*(fetch(running.listen_address, post(body)) for body in bodies))
    assert [reply.body for reply in replies] == bodies
    assert len(every(tmp_path, Request)) == 10


async def test_compressed_answers_pass_verbatim(tmp_path: Path) -> None:
    packed = gzip.compress(b'{"jsonrpc":"2.0","id":1,"result":{}}')
    async with (
        scripted(answer(ok(packed, b"application/json", b"Content-Encoding: gzip"))) as server,
        gateway(tmp_path, server.url) as running,
    ):
        reply = await fetch(running.listen_address, post(RPC))
    assert reply.body == packed
    body = only(tmp_path, Message).body
    assert (body.text, body.encoding, body.size) == ('{"jsonrpc":"2.0","id":1,"result":{}}', "gzip", len(packed))


@pytest.mark.parametrize("framing", [b"Transfer-Encoding: chunked\r\n", b""], ids=["malformed", "reset"])
async def test_an_answer_that_goes_wrong_on_its_way_is_broken_off(tmp_path: Path, framing: bytes) -> None:
    arrived = asyncio.Event()
    begun = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n%b\r\n" % framing

    async def script(talk: Talk) -> None:
        await talk.send(begun + (b"9\r\ndata: 1\n\n\r\n" if framing else b"data: 1\n\n"))
        await arrived.wait()
        if framing:
            await talk.send(b"zz\r\n")
            await talk.closed()
        else:
            at_once = struct.pack("ii", 1, 0)
            talk.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            talk.abort()

    async with scripted(script) as server, gateway(tmp_path, server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(get())
        await talk.reader.readuntil(b"data: 1\n\n\r\n")
        arrived.set()
        await talk.closed()
    end = only(tmp_path, End)
    assert (end.outcome, end.sent) == ("upstream-closed", 9)
