"""What a client sends arrives signed and otherwise as it was; what the server answers arrives as it is."""

import asyncio
import socket

import pytest
from rig import Talk, answer, connect, fetch, field, get, ok, post, scripted
from signing_rig import KEY, RPC, signing, verdicts

from mcpwatch.model.identity import Covered, Word

SCHEMES = pytest.mark.parametrize("scheme", ["rfc9421", "aip"])
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(octets: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(octets), octets)


@SCHEMES
async def test_every_request_is_verified(scheme: str) -> None:
    session = (b"MCP-Protocol-Version: 2025-11-25", b"Mcp-Session-Id: s1")
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, scheme) as running:
        for request in (post(RPC), post(RPC, *session), get(*session), get(*session, method=b"DELETE")):
            assert (await fetch(running.listen_address, request)).status == 200
    results = verdicts(server)
    assert [(result.word, result.reasons) for result in results] == [(Word.VERIFIED, ())] * 4
    assert {result.signer.id for result in results if result.signer} == {
        KEY.did_key if scheme == "rfc9421" else KEY.did_aip
    }
    covers = [Covered.SESSION in result.coverage for result in results]
    assert covers == [False, *[scheme == "rfc9421"] * 3]


async def test_the_fields_of_a_modern_request_are_covered() -> None:
    fields = (b"MCP-Protocol-Version: 2026-07-28", b"Mcp-Method: tools/call", b"Mcp-Name: echo")
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        await fetch(running.listen_address, post(RPC, *fields))
    ((head, _),) = server.requests
    listed = (field(head, b"signature-input") or b"").partition(b";")[0]
    assert listed == (b'sig1=("@method" "@target-uri" "content-digest" "mcp-protocol-version" "mcp-method" "mcp-name")')


@SCHEMES
async def test_a_request_is_otherwise_as_it_was_sent(scheme: str) -> None:
    fields = (
        b"X-TWICE: one",
        b"X-TWICE: two",
        b"Authorization: Bearer t",
        "X-Name: Malmö".encode(),
        b"User-Agent: me/1",
    )
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, scheme) as running:
        await fetch(running.listen_address, post(RPC, *fields, target=b"/mcp?a=%zz&b=//x/../y&c"))
    ((head, body),) = server.requests
    lines = head.split(b"\r\n")
    assert lines[0] == b"POST /mcp?a=%zz&b=//x/../y&c HTTP/1.1"
    assert [line for line in lines if line in fields] == list(fields)
    assert body == RPC
    assert field(head, b"host") == server.url.split("/")[2].encode()
    (result,) = verdicts(server)
    assert result.word is Word.VERIFIED


async def test_the_upstream_is_what_its_url_says() -> None:
    async with scripted(answer(ok(b"{}")), path="/notes/mcp") as server, signing(server.url) as running:
        await fetch(running.listen_address, post(RPC, target=b"/"))
        await fetch(running.listen_address, post(RPC, target=b"/.well-known/x"))
    assert [head.split(b" ")[1] for head, _ in server.requests] == [b"/notes/mcp", b"/.well-known/x"]
    assert [result.word for result in verdicts(server)] == [Word.VERIFIED] * 2


async def test_an_answer_arrives_as_it_was_sent() -> None:
    head = (
        b"HTTP/1.1 207 Many Things\r\nMcp-Session-Id: s1\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nX-Octets: caf\xe9\r\n"
        b"Date: today\r\nContent-Length: 3\r\n\r\n"
    )
    async with scripted(answer(head + b"\x00\xff\n")) as server, signing(server.url) as running:
        reply = await fetch(running.listen_address, get())
    assert (reply.head, reply.body) == (head, b"\x00\xff\n")


async def test_fields_of_the_hop_stay_on_the_hop_and_are_not_signed() -> None:
    hop = (b"Connection: Mcp-Session-Id, keep-alive", b"Mcp-Session-Id: s1", b"TE: trailers", b"Keep-Alive: 5")
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        await fetch(running.listen_address, post(RPC, *hop))
    sent = server.requests[0][0].lower()
    assert not any(name in sent for name in (b"mcp-session-id", b"te:", b"keep-alive", b"connection"))
    assert [result.word for result in verdicts(server)] == [Word.VERIFIED]


async def test_a_chunked_request_arrives_whole_and_signed() -> None:
    head = b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        await fetch(running.listen_address, head + chunk(RPC[:5]) + chunk(RPC[5:]) + b"0\r\n\r\n")
    assert server.requests[0][1] == RPC
    assert [result.word for result in verdicts(server)] == [Word.VERIFIED]


async def test_an_event_is_passed_on_before_the_next_is_made() -> None:
    seen = asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.send(STREAM + chunk(b"data: 1\n\n"))
        await seen.wait()
        await talk.send(chunk(b"data: 2\n\n") + b"0\r\n\r\n")

    async with scripted(script) as server, signing(server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        await talk.reader.readuntil(b"\r\n\r\n")
        assert await talk.chunk() == b"data: 1\n\n"
        seen.set()
        assert [await talk.chunk(), await talk.chunk()] == [b"data: 2\n\n", b""]


@pytest.mark.parametrize("begun", [STREAM + chunk(b"data: 1\n\n"), b""], ids=["mid-stream", "before the answer"])
async def test_a_client_that_leaves_cancels_the_call(begun: bytes) -> None:
    asked, left = asyncio.Event(), asyncio.Event()

    async def script(talk: Talk) -> None:
        await talk.send(begun)
        asked.set()
        await talk.closed()
        left.set()

    async with scripted(script) as server, signing(server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        await asked.wait()
        if begun:
            await talk.reader.readuntil(b"data: 1")
        talk.abort()
        await asyncio.wait_for(left.wait(), 10)


async def test_an_answer_that_breaks_off_breaks_off_for_the_client() -> None:
    async def script(talk: Talk) -> None:
        await talk.send(STREAM + chunk(b"data: 1\n\n"))
        talk.abort()

    async with scripted(script) as server, signing(server.url) as running:
        talk = await connect(running.listen_address)
        await talk.send(post(RPC))
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await talk.reply()


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"POST"])
async def test_nothing_is_sent_twice(method: bytes) -> None:
    async def script(talk: Talk) -> None:
        talk.writer.close()

    async with scripted(script) as server, signing(server.url) as running:
        reply = await fetch(running.listen_address, get(b"Content-Length: 0", method=method))
    name = server.url.split("/")[2]
    assert (reply.status, reply.field(b"content-type")) == (502, b"text/plain; charset=utf-8")
    assert reply.body.decode() == f"mcpwatch sign: {name} closed the connection without an answer\n"
    assert len(server.requests) == 1


async def test_a_server_that_is_down_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        name = f"127.0.0.1:{free.getsockname()[1]}"
    async with signing(f"http://{name}/mcp") as running:
        reply = await fetch(running.listen_address, post(RPC))
        lookup = await fetch(running.listen_address, get(method=b"HEAD"))
    assert (reply.status, reply.body.decode()) == (502, f"mcpwatch sign: {name} cannot be reached\n")
    assert (lookup.status, lookup.body) == (502, b"")


@pytest.mark.parametrize(
    ("request_octets", "status"),
    [
        (post(RPC, host=b"evil.example"), 421),
        (post(RPC, b"Origin: https://evil.example"), 403),
        (post(RPC, b"Content-Length: 99999999"), 400),
        (post(RPC + b" "), 413),
        (get(target=b"mcp"), 400),
        (get(b"Sec-Fetch-Site: cross-site"), 403),
        (get(target=b"evil.example:443", method=b"CONNECT"), 400),
        (get(target=b"http://evil.example/mcp"), 421),
    ],
    ids=["host", "origin", "framing", "size", "target", "image", "connect", "absolute"],
)
async def test_what_does_not_belong_here_is_not_signed(request_octets: bytes, status: int) -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, max_body=len(RPC)) as running:
        reply = await fetch(running.listen_address, request_octets)
    assert (reply.status, server.requests) == (status, [])


async def test_who_may_not_come_in_sends_no_body_first() -> None:
    head, _, _ = post(RPC, host=b"evil.example").rpartition(RPC)
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url) as running:
        assert (await fetch(running.listen_address, head)).status == 421


async def test_bodies_stay_within_a_bound_and_give_it_back() -> None:
    async with scripted(answer(ok(b"{}"))) as server, signing(server.url, max_received=len(RPC)) as running:
        for body, status in ((RPC, 200), (RPC + b" ", 503), (RPC, 200)):
            assert (await fetch(running.listen_address, post(body))).status == status
    assert len(server.requests) == 2


async def test_others_are_let_in_by_name() -> None:
    async with (
        scripted(answer(ok(b"{}"))) as server,
        signing(server.url, allowed_hosts=("agent.example",), allowed_origins=("https://app.example",)) as running,
    ):
        request = post(RPC, b"Origin: https://app.example", host=b"agent.example")
        assert (await fetch(running.listen_address, request)).status == 200
