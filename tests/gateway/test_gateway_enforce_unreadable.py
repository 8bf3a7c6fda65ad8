"""What servers may read in more than one way does not pass an enforcing gateway."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from enforced import (
    MODERN,
    PING,
    REQUIRED,
    RESULT,
    call,
    enforcing,
    pinned,
    refused,
    signed,
)
from rig import (
    Scripted,
    answer,
    connect,
    fetch,
    gateway,
    get,
    logged,
    ok,
    only,
    post,
    scripted,
)

from mcpwatch.model.entries import End
from mcpwatch.policy.policy import Policy, Role, Terms

UNREADABLE = {
    "not JSON": post(b"ping"),
    "two values": post(PING + call()),
    "UTF-16": post(call().decode().encode("utf-16")),
    "said to be UTF-16": post(PING, b"Content-Type: application/json; charset=utf-16").replace(
        b"Content-Type: application/json\r\n", b""
    ),
    "a mark of byte order": post(b"\xef\xbb\xbf" + PING),
    "not UTF-8": post(b'{"jsonrpc":"2.0","id":1,"method":"ping","x":"\xff"}'),
    "compressed": post(gzip.compress(PING), b"Content-Encoding: gzip"),
    "said to be compressed": post(PING, b"content-ENCODING: Deflate"),
    "two methods": post(b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'),
    "two methods, one in escapes": post(b'{"method":"tools/list","jsonrpc":"2.0","id":1,"m\\u0065thod":"ping"}'),
    "a method in other letters": post(b'{"jsonrpc":"2.0","id":1,"method":"ping","METHOD":"tools/list"}'),
    "a method in letters that fold": post(
        '{"jsonrpc":"2.0","id":1,"method":"ping","param\u017f":{"name":"x"}}'.encode()
    ),
    "a name in other letters": post(call("read", Name="delete")),
    "a method that is no text": post(b'{"jsonrpc":"2.0","id":1,"method":["ping"]}'),
    "no method": post(b'{"jsonrpc":"2.0","id":1}'),
    "a tool without a name": post(b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":["x"]}'),
    "an empty batch": post(b"[]"),
    "a batch of anything": post(b"[1]"),
    "a batch too long": post(b"[" + b",".join([PING] * 300) + b"]"),
    "too deep": post(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "another method in the header": post(PING, b"Mcp-Method: tools/list"),
    "a header twice": post(PING, b"Mcp-Method: ping", b"MCP-METHOD: tools/list"),
    "another name in the header": post(call(), b"mcp-name: delete"),
    "another name in the header, in base64": post(call(), b"Mcp-Name: =?base64?ZGVsZXRl?="),
    "bad base64 in the header": post(call(), b"Mcp-Name: =?base64?ZZ?="),
    "another version in the header": post(call(**MODERN), b"MCP-Protocol-Version: 2025-11-25"),
    "two sessions": post(PING, b"Mcp-Session-Id: a", b"mcp-session-id: b"),
    "another method by a field": post(PING, b"X-HTTP-Method-Override: DELETE"),
    "another method by a field as WSGI has it": post(PING, b"X_HTTP_Method_Override: DELETE"),
    "a session as WSGI has it": post(PING, b"Mcp_Session-Id: a"),
    "an encoding as WSGI has it": post(PING, b"Content_Encoding: gzip"),
    "a session that is kept from the server": post(PING, b"Connection: close, mcp-SESSION-id", b"Mcp-Session-Id: a"),
    "a preflight that is none": get(b"X-HTTP-Method-Override: DELETE", method=b"OPTIONS"),
    "a method with an end in it": post(b'{"jsonrpc":"2.0","id":1,"method":"ping\\u0000"}'),
    "a notification that wants an answer": post(b'{"jsonrpc":"2.0","id":1,"method":"notifications/x"}'),
    "a tool with an end in its name": post(call("delete_all\0")),
    "half a surrogate pair in the method": post(b'{"jsonrpc":"2.0","id":1,"method":"ping\\ud800"}'),
    "half a surrogate pair in the id": post(b'{"jsonrpc":"2.0","id":"\\ud800","method":"ping"}'),
    "two tokens": post(PING, b"Authorization: Bearer a", b"authorization: Bearer b"),
    "no stream without a body that can be read": get(b"Content-Length: 4") + b"ping",
}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted(answer(ok(RESULT))) as made:
        yield made


@pytest.mark.parametrize("request_octets", UNREADABLE.values(), ids=UNREADABLE.keys())
@pytest.mark.parametrize("terms", [REQUIRED.everywhere, Terms(roles=(Role.GUEST,))], ids=["signed", "by role"])
async def test_what_servers_may_read_otherwise(
    tmp_path: Path, server: Scripted, request_octets: bytes, terms: Terms
) -> None:
    """All of it, but for what makes it ambiguous, would pass as a handshake or as a guest's call."""
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, Policy(everywhere=terms))) as running:
        reply = await fetch(running.listen_address, request_octets)
    assert reply.status == 403
    assert "nobody can say what servers read in it" in refused(reply, server)
    assert only(tmp_path, End).outcome == "denied"


@pytest.mark.parametrize(
    "framing",
    [
        b"Content-Length: 40\r\nContent-Length: 41",
        b"Content-Length: 40\r\nTransfer-Encoding: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        b"Transfer-Encoding: xchunked",
        b"Content-Length: +40",
        b"Content-Length : 40",
        b"Content-Length: 40\r\n X: folded",
    ],
)
async def test_framing_in_two_ways(tmp_path: Path, server: Scripted, framing: bytes) -> None:
    """A second request that hides in the first one's body reaches nobody."""
    hidden = post(call("delete"))
    octets = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\n" + framing + b"\r\n\r\n" + PING + hidden
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        talk = await connect(running.listen_address)
        await talk.send(octets)
        await asyncio.wait_for(talk.reader.read(1), 30)
        talk.abort()
        await logged(running, End)
    assert all(b"delete" not in head + body for head, body in server.requests)


async def test_a_chunked_body_and_one_that_is_waited_for_are_ruled_whole(tmp_path: Path, server: Scripted) -> None:
    pieces = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, call()[:9], len(call()) - 9, call()[9:])
    chunked = b"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: Chunked\r\n\r\n" + pieces
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/unsigned-call" in refused(await fetch(running.listen_address, chunked), server)
        talk = await connect(running.listen_address)
        await talk.send(post(call(), b"Expect: 100-continue"))
        assert (await talk.reply(bodiless=True)).status == 100
        assert "identity/unsigned-call" in refused(await talk.reply(), server)
        talk.abort()


async def test_a_large_body_is_ruled(tmp_path: Path, server: Scripted) -> None:
    key, body = pinned(tmp_path), call(arguments={"text": "x" * 2_000_000})
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/unsigned-call" in refused(await fetch(running.listen_address, post(body)), server)
        assert (await fetch(running.listen_address, signed(key, body))).body == RESULT


async def test_where_the_policy_asks_for_nothing_all_passes(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, Policy())) as running:
        for octets in UNREADABLE.values():
            assert (await fetch(running.listen_address, octets)).status == 200
