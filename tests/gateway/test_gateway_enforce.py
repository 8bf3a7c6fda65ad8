"""With a policy enforced, what it refuses never reaches the server."""

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from enforced import (
    MODERN,
    PING,
    REQUIRED,
    RESULT,
    call,
    edit,
    enforcing,
    look,
    origin,
    pinned,
    refused,
    signed,
    silent,
)
from rig import (
    Scripted,
    answer,
    every,
    fetch,
    gateway,
    get,
    leaves,
    ok,
    only,
    post,
    scripted,
)

from mcpwatch.errors import UsageError
from mcpwatch.feed.envelope import decode
from mcpwatch.gateway.denial import Denied
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.model.entries import End, Entry
from mcpwatch.model.traffic import Call, CallState
from mcpwatch.policy.policy import Members, Policy, Role, Signatures, Terms
from mcpwatch.traffic.fold import Traffic


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted(answer(ok(RESULT))) as made:
        yield made


async def test_a_signed_call_passes(tmp_path: Path, server: Scripted) -> None:
    key = pinned(tmp_path)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, signed(key, call()))
    assert (reply.status, reply.body) == (200, RESULT)
    assert [body for _, body in server.requests] == [call()]
    assert (only(tmp_path, End).outcome, only(tmp_path, End).rule) == ("complete", "")


async def test_a_refusal_says_why_by_which_rule_and_where_the_log_has_it(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        reply = await fetch(running.listen_address, post(call(id="seven")))
    told = json.loads(reply.body)
    assert told["id"] == "seven"
    assert told["error"]["data"] == {"rule": "identity/unsigned-call", "entry": 1}
    assert told["error"]["message"].endswith("(identity/unsigned-call, entry 1 of the log)")
    assert "a signature is required" in refused(reply, server)
    end = only(tmp_path, End)
    assert (end.exchange, end.outcome, end.rule) == (1, "denied", "identity/unsigned-call")
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
        handshake = get(b"Content-Length: %d" % len(PING), method=method.encode()) + PING
        for octets in (unsigned, handshake):
            assert (await fetch(running.listen_address, octets)).status in (200, 403)
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


async def test_an_edit_of_the_policy_counts_and_a_bad_one_does_not(
    tmp_path: Path, server: Scripted, caplog: pytest.LogCaptureFixture
) -> None:
    def load() -> Policy:
        text = (tmp_path / "policy.toml").read_text()
        if text == "bad":
            raise UsageError("line 1: no policy")
        return REQUIRED if text == "required" else Policy()

    (tmp_path / "policy.toml").write_text("required")
    enforcement = enforcing(tmp_path, load=load)
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


async def test_a_key_that_is_pinned_and_removed_while_it_runs(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        key = pinned(tmp_path)
        look(running)
        assert (await fetch(running.listen_address, signed(key, call()))).body == RESULT
        (tmp_path / "keys.json").unlink()
        look(running)
        server.requests.clear()
        assert refused(await fetch(running.listen_address, signed(key, call())), server)


async def test_where_it_is_enforced_is_said(tmp_path: Path, server: Scripted) -> None:
    policy = Policy(upstreams=dict.fromkeys(("files", "fils"), REQUIRED.everywhere))
    upstreams = (f"files={server.url}", f"mail={server.url}")
    async with gateway(tmp_path, *upstreams, enforcement=enforcing(tmp_path, policy)) as running:
        assert running.enforcer is not None
        said = running.enforcer.standing()
    told = "enforced at files; calls are not refused at mail; it names what is no server here: fils"
    assert said == f"policy {tmp_path / 'policy.toml'} {told}"


async def test_an_old_signature(tmp_path: Path, server: Scripted) -> None:
    request = signed(pinned(tmp_path), call(), at=time.time() - 400)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert "identity/stale" in refused(await fetch(running.listen_address, request), server)


async def test_what_observes_asks_for_nothing(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(call()))).body == RESULT
        assert running.enforcer is None
    assert len(every(tmp_path, End)) == 1


def test_a_reason_that_quotes_half_a_surrogate_pair_is_told_all_the_same() -> None:
    denied = Denied("signed for \ud800", "identity/bad-signature", 7)
    _, content = denied.answer(b"")
    assert "signed for ?" in json.loads(content)["error"]["message"]
    assert "signed for ?" in denied.message


async def test_one_server_is_not_reached_by_the_name_of_another_at_its_address(tmp_path: Path) -> None:
    async with scripted(answer(ok(RESULT))) as server:
        there = server.url.removesuffix("/mcp")
        policy = Policy(everywhere=Terms(signatures=Signatures.OFF), upstreams={"bank": REQUIRED.everywhere})
        upstreams = (f"files={there}/files", f"bank={there}/bank")
        async with gateway(tmp_path, *upstreams, enforcement=enforcing(tmp_path, policy)) as running:
            for target in (b"/files/bank", b"/files/BANK/", b"/files/files/../bank", b"/files/%62ank", b"/files//bank"):
                request = post(call(), target=target)
                assert "identity/unsigned-call" in refused(await fetch(running.listen_address, request), server)
            for target in (b"/files", b"/files/files", b"/files/elsewhere"):
                assert (await fetch(running.listen_address, post(call(), target=target))).body == RESULT
