"""With a policy enforced, what it refuses never reaches the server, whatever shape it comes in."""

import asyncio
import gzip
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from enforced import REQUIRED, call, enforcing, pinned, registry_of, signed, silent
from rig import Reply, Scripted, answer, connect, every, fetch, gateway, get, leaves, logged, ok, only, post, scripted

from mcpwatch.errors import UsageError
from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.run import Gateway
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.model.entries import End, Entry, Request
from mcpwatch.model.traffic import Call, CallState
from mcpwatch.policy.policy import Members, Policy, Role, Signatures, Terms
from mcpwatch.traffic.fold import Traffic

RESULT = b'{"jsonrpc":"2.0","id":1,"result":{}}'
MODERN: dict[str, Any] = {"_meta": {"io.modelcontextprotocol/protocolVersion": "2026-07-28"}}


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted(answer(ok(RESULT))) as made:
        yield made


def refused(reply: Reply, server: Scripted) -> str:
    """Why the gateway refused it, having passed nothing on."""
    assert not server.requests
    told = json.loads(reply.body)
    message: str = told["error"]["message"]
    assert message.startswith("mcpwatch gateway: denied by the policy: ")
    return message


async def test_a_signed_call_passes(tmp_path: Path, server: Scripted) -> None:
    key = pinned(tmp_path)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, signed(key, call()))
    assert (reply.status, reply.body) == (200, RESULT)
    assert [body for _, body in server.requests] == [call()]
    assert only(tmp_path, End).outcome == "complete"


async def test_a_refusal_says_why_by_which_rule_and_where_the_log_has_it(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, post(call(id="seven")))
    told = json.loads(reply.body)
    assert told["id"] == "seven"
    assert told["error"]["data"] == {"rule": "identity/unsigned-call", "entry": 1}
    assert told["error"]["message"].endswith("(identity/unsigned-call, entry 1 of the log)")
    assert "a signature is required" in refused(reply, server)
    end = only(tmp_path, End)
    assert (end.exchange, end.outcome) == (1, "denied")
    assert end.reason in told["error"]["message"]


@pytest.mark.parametrize(("more", "status"), [({}, 200), (MODERN, 403)], ids=["handshake era", "stateless era"])
async def test_the_status_is_the_one_with_which_clients_of_the_era_show_the_reason(
    tmp_path: Path, server: Scripted, more: dict[str, Any], status: int
) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, post(call(**more)))
    assert reply.status == status
    assert refused(reply, server)


@pytest.mark.parametrize("more", [{}, MODERN], ids=["handshake era", "stateless era"])
async def test_a_watcher_sees_the_call_as_denied_with_the_reason(
    tmp_path: Path, server: Scripted, more: dict[str, Any]
) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        why = refused(await fetch(running.listen_address, post(call(**more))), server)
    traffic = Traffic()
    calls: dict[str, Call] = {}
    for index, leaf in enumerate(leaves(tmp_path)):
        seen = traffic.apply(Entry(index, leaf, decode(leaf), time.time()), None)
        calls |= {each.id: each for each in (*seen.opened, *seen.updated)}
    (denied,) = calls.values()
    assert (denied.state, denied.error_text) == (CallState.DENIED, why)


async def test_a_key_that_is_not_the_signers(tmp_path: Path, server: Scripted) -> None:
    key = pinned(tmp_path)
    forged = signed(AgentKey.generate(), call(), key_id=key.did_aip)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/bad-signature" in refused(await fetch(running.listen_address, forged), server)


async def test_a_body_that_was_changed(tmp_path: Path, server: Scripted) -> None:
    request = signed(pinned(tmp_path), call("echo")).replace(b'"echo"', b'"evil"')
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/bad-signature" in refused(await fetch(running.listen_address, request), server)


async def test_a_replay_names_the_entry_that_came_first(tmp_path: Path, server: Scripted) -> None:
    request = signed(pinned(tmp_path), call())
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        await fetch(running.listen_address, request)
        reply = await fetch(running.listen_address, request)
    assert len(server.requests) == 1
    assert b"came first as entry 1" in reply.body
    assert b"identity/replayed" in reply.body


async def test_what_was_signed_before_the_policy_asked_for_it_is_a_replay_after(
    tmp_path: Path, server: Scripted
) -> None:
    request = signed(pinned(tmp_path), call())
    policies = [Policy(), REQUIRED]
    enforcement = enforcing(tmp_path)
    enforcement = type(enforcement)(path=enforcement.path, load=lambda: policies.pop(0))
    async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
        assert (await fetch(running.listen_address, request)).status == 200
        edit(running, tmp_path)
        assert b"identity/replayed" in (await fetch(running.listen_address, request)).body
    assert len(server.requests) == 1


async def test_the_same_octets_while_their_key_is_fetched_pass_once(tmp_path: Path, server: Scripted) -> None:
    key = AgentKey.generate()
    request, asked, told = signed(key, call()), asyncio.Event(), asyncio.Event()

    async def slow(talk: object) -> None:
        asked.set()
        await told.wait()
        await registry_of(key)(talk)  # type: ignore[arg-type]

    async with (
        scripted(slow) as registry,
        gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, registry=origin(registry))) as running,
    ):
        calls = [asyncio.create_task(fetch(running.listen_address, request)) for _ in range(5)]
        await asked.wait()
        await logged(running, Request, 5)
        told.set()
        replies = await asyncio.gather(*calls)
    assert len(server.requests) == 1
    assert sum(b"identity/replayed" in reply.body for reply in replies) == 4


async def test_a_key_that_does_not_come_in_time(tmp_path: Path, server: Scripted) -> None:
    async with scripted(silent) as registry:
        enforcement = enforcing(tmp_path, registry=origin(registry), wait_s=0.05)
        async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
            reply = await fetch(running.listen_address, signed(AgentKey.generate(), call()))
    assert "identity/cannot-check" in refused(reply, server)


async def test_a_registry_that_is_gone(tmp_path: Path, server: Scripted) -> None:
    async with scripted(silent) as registry:
        address = origin(registry)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, registry=address)) as running:
        reply = await fetch(running.listen_address, signed(AgentKey.generate(), call()))
    assert "identity/cannot-check" in refused(reply, server)


@pytest.mark.parametrize(
    ("terms", "passes"),
    [
        (Terms(members=Members(identities=("ann",))), True),
        (Terms(members=Members(identities=("bob",))), False),
        (Terms(roles=(Role.ADMIN,)), False),
        (Terms(roles=(Role.USER,)), True),
    ],
)
async def test_who_may_call(tmp_path: Path, server: Scripted, terms: Terms, passes: bool) -> None:
    key = pinned(tmp_path, "ann")
    policy = Policy(everywhere=terms)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, policy)) as running:
        assert (await fetch(running.listen_address, post(call()))).body != RESULT
        assert not server.requests
        reply = await fetch(running.listen_address, signed(key, call()))
    if passes:
        assert reply.body == RESULT
    else:
        assert "policy/not-permitted" in refused(reply, server)


async def test_the_terms_of_one_tool(tmp_path: Path) -> None:
    policy = Policy(
        upstreams={"demo": Terms(signatures=Signatures.OFF)},
        tools={("demo", "delete_*"): Terms(signatures=Signatures.REQUIRED)},
    )
    async with scripted(answer(ok(RESULT))) as server:
        upstream = f"demo={server.url}"
        async with gateway(tmp_path, upstream, enforcement=enforcing(tmp_path, policy)) as running:
            assert (await fetch(running.listen_address, post(call("read")))).body == RESULT
            server.requests.clear()
            for target in (b"/demo/mcp", b"/mcp", b"/%64emo/mcp", b"/demo/../mcp", b"http://127.0.0.1/mcp"):
                request = post(call("delete_all"), target=target)
                assert "identity/unsigned-call" in refused(await fetch(running.listen_address, request), server)


async def test_one_refused_call_refuses_its_batch(tmp_path: Path, server: Scripted) -> None:
    policy = Policy(tools={(server.url.split("/")[2], "delete"): Terms(signatures=Signatures.REQUIRED)})
    batch = b"[" + b",".join((call("read", 1), call("delete", 2), b'{"jsonrpc":"2.0","method":"x/y"}')) + b"]"
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, policy)) as running:
        reply = await fetch(running.listen_address, post(batch))
    assert not server.requests
    told = json.loads(reply.body)
    assert [each["id"] for each in told] == [1, 2]
    assert all("none of its batch was passed on" in each["error"]["message"] for each in told)


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "HEAD"])
async def test_streams_and_ends_of_sessions_need_a_signature_too(tmp_path: Path, server: Scripted, method: str) -> None:
    key = pinned(tmp_path)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        unsigned = get(b"Mcp-Session-Id: s1", method=method.encode())
        assert (await fetch(running.listen_address, unsigned)).status == 403
        assert not server.requests
        if method != "HEAD":
            reply = await fetch(
                running.listen_address, signed(key, b"", method=method, covered={"mcp-session-id": "s1"})
            )
            assert reply.body == RESULT


async def test_a_preflight_passes(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert (await fetch(running.listen_address, get(method=b"OPTIONS"))).status == 200
        body = get(b"Content-Length: %d" % len(call()), method=b"OPTIONS") + call()
        assert (await fetch(running.listen_address, body)).status == 200
    assert len(server.requests) == 1


async def test_a_session_stays_its_signers(tmp_path: Path) -> None:
    ann, eve = pinned(tmp_path, "ann"), pinned(tmp_path, "eve")
    hello = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}).encode()
    cancel = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'
    session = {"mcp-session-id": "s1"}
    script = answer(ok(RESULT, b"application/json", b"Mcp-Session-Id: s1"), ok(RESULT))
    async with (
        scripted(script) as server,
        gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running,
    ):
        where = running.listen_address
        assert (await fetch(where, signed(ann, hello))).status == 200
        server.requests.clear()
        for method, body in (("GET", b""), ("DELETE", b""), ("POST", call()), ("POST", cancel)):
            reply = await fetch(where, signed(eve, body, method=method, covered=session))
            assert "identity/wrong-key" in refused(reply, server)
            assert refused(await fetch(where, post(body, b"mcp-session-id: s1")), server)
        assert (await fetch(where, signed(ann, call(), covered=session))).body == RESULT
        assert (await fetch(where, signed(eve, call(), covered={"mcp-session-id": "s2"}))).body == RESULT


async def test_a_handshake_and_notifications_need_none(tmp_path: Path, server: Scripted) -> None:
    hello = b'{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        for body in (hello, b'{"jsonrpc":"2.0","method":"notifications/initialized"}'):
            assert (await fetch(running.listen_address, post(body))).status == 200
    assert len(server.requests) == 2


async def test_an_answer_to_a_question_of_the_server_needs_a_signature(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, post(b'{"jsonrpc":"2.0","id":0,"result":{"action":"accept"}}'))
    assert reply.status == 403
    assert "identity/unsigned-call" in refused(reply, server)


PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
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
    "two tokens": post(PING, b"Authorization: Bearer a", b"authorization: Bearer b"),
    "no stream without a body that can be read": get(b"Content-Length: 4") + b"ping",
}


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


async def test_an_edit_of_the_policy_counts_and_a_bad_one_does_not(
    tmp_path: Path, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> Policy:
        text = (tmp_path / "policy.toml").read_text()
        if text == "bad":
            raise UsageError("line 1: no policy")
        return REQUIRED if text == "required" else Policy()

    (tmp_path / "policy.toml").write_text("required")
    enforcement = enforcing(tmp_path)
    enforcement = type(enforcement)(path=enforcement.path, load=load)
    async with gateway(tmp_path, server.url, enforcement=enforcement) as running:

        async def passes() -> bool:
            return (await fetch(running.listen_address, post(call()))).body == RESULT

        assert not await passes()
        for text, after in (("bad", False), ("off", True), ("bad!"[:3], True), ("required", False)):
            edit(running, tmp_path, text)
            assert await passes() == after
        (tmp_path / "policy.toml").unlink()
        look(running)
        assert not await passes()
    assert [record.message for record in caplog.records].count(
        "line 1: no policy; the policy before stays in force"
    ) == 2


async def test_a_policy_that_cannot_be_loaded_starts_no_gateway(tmp_path: Path, server: Scripted) -> None:
    def load() -> Policy:
        raise UsageError("line 1: no policy")

    enforcement = enforcing(tmp_path)
    enforcement = type(enforcement)(path=enforcement.path, load=load)
    with pytest.raises(UsageError, match="no policy"):
        async with gateway(tmp_path, server.url, enforcement=enforcement):
            pass


async def test_a_key_that_is_pinned_and_removed_while_it_runs(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        key = pinned(tmp_path)
        look(running)
        assert (await fetch(running.listen_address, signed(key, call()))).body == RESULT
        (tmp_path / "keys.json").unlink()
        look(running)
        server.requests.clear()
        assert refused(await fetch(running.listen_address, signed(key, call())), server)


async def test_an_old_signature(tmp_path: Path, server: Scripted) -> None:
    request = signed(pinned(tmp_path), call(), at=time.time() - 400)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/stale" in refused(await fetch(running.listen_address, request), server)


async def test_what_observes_asks_for_nothing(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(call()))).body == RESULT
        assert running.enforcer is None
    assert len(every(tmp_path, End)) == 1


def origin(server: Scripted) -> str:
    return server.url.removesuffix("/mcp")


def look(running: Gateway) -> None:
    """Have it look at its files now."""
    assert running.enforcer is not None
    running.enforcer.look()


def edit(running: Gateway, state: Path, text: str = "edited") -> None:
    """Write another policy, which it takes in."""
    (state / "policy.toml").write_text(text)
    look(running)
