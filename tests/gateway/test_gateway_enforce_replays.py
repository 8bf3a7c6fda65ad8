"""Before an enforcing gateway the same signed octets pass once, over restarts too."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from enforced import (
    PING,
    REQUIRED,
    RESULT,
    call,
    edit,
    enforcing,
    origin,
    pinned,
    refused,
    registry_of,
    signed,
    silent,
)
from receipts import call as carrying
from receipts import receipt
from rig import (
    Scripted,
    answer,
    fetch,
    gateway,
    journal,
    logged,
    ok,
    post,
    scripted,
)

from mcpwatch.gateway import verdicts
from mcpwatch.gateway.enforcer import Enforcement
from mcpwatch.gateway.recall import Recalled, recall
from mcpwatch.gateway.store import Store
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import make_nonce, rfc9421_headers
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.entries import Json, Request
from mcpwatch.policy.policy import Members, Policy, Terms


@pytest.fixture
async def server() -> AsyncIterator[Scripted]:
    async with scripted(answer(ok(RESULT))) as made:
        yield made


async def test_a_replay_names_the_entry_that_came_first(tmp_path: Path, server: Scripted) -> None:
    request = signed(pinned(tmp_path), call())
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        await fetch(running.listen_address, request)
        reply = await fetch(running.listen_address, request)
    assert len(server.requests) == 1
    assert b"came first as entry 1" in reply.body
    assert b"identity/replayed" in reply.body


@pytest.mark.parametrize("capture", ["full", "masked", "digest"])
async def test_a_replay_of_what_came_before_a_restart(tmp_path: Path, server: Scripted, capture: str) -> None:
    key, other = pinned(tmp_path), pinned(tmp_path)
    request = signed(key, call(password="s3cret"))
    for _ in range(2):
        async with gateway(tmp_path, server.url, capture=capture, enforcement=enforcing(tmp_path)) as running:
            reply = await fetch(running.listen_address, request)
            assert (await fetch(running.listen_address, signed(other, call()))).body == RESULT
    assert len(server.requests) == 3
    assert b"came first as entry 1 (identity/replayed" in reply.body


@pytest.mark.parametrize(
    ("target", "tool", "covered"),
    [
        ("/mcp?api_key=s3cret", "echo", {}),
        ("/mcp", "https://files.example/?token=s3cret", {"mcp-name": "https://files.example/?token=s3cret"}),
        ("/mcp", "echo", {"x-large": "x" * 30_000, "x-larger": "x" * 30_000}),
    ],
    ids=["a query that is masked", "a name that is masked", "long fields"],
)
async def test_a_replay_of_what_the_log_does_not_show_whole(
    tmp_path: Path, server: Scripted, target: str, tool: str, covered: dict[str, str]
) -> None:
    key = pinned(tmp_path)
    request = signed(key, call(tool), target=target, covered=covered)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert (await fetch(running.listen_address, request)).body == RESULT
    server.requests.clear()
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert refused(await fetch(running.listen_address, request), server)


@pytest.mark.parametrize("capture", ["full", "masked", "digest"])
async def test_a_replay_of_a_receipt_in_the_body(tmp_path: Path, server: Scripted, capture: str) -> None:
    """A signature that the log may not show: then none from before the restart passes."""
    key = AgentKey.generate()
    policy = Policy(everywhere=Terms(members=Members(identities=(fingerprint(key.public),))))

    def enforcement() -> Enforcement:
        return enforcing(tmp_path, policy)

    def request() -> bytes:
        arguments: dict[str, Json] = {"password": "s3cret"}
        made = receipt("echo", arguments, key=key, now=time.time(), nonce=make_nonce())
        return post(json.dumps(carrying(made, "echo", arguments)).encode())

    first = request()
    async with gateway(tmp_path, server.url, capture=capture, enforcement=enforcement()) as running:
        assert (await fetch(running.listen_address, first)).body == RESULT
    server.requests.clear()
    async with gateway(tmp_path, server.url, capture=capture, enforcement=enforcement()) as running:
        assert refused(await fetch(running.listen_address, first), server)
        if capture == "full":
            assert (await fetch(running.listen_address, request())).body == RESULT


async def test_a_replay_after_a_restart_whose_key_has_to_be_fetched(tmp_path: Path, server: Scripted) -> None:
    key = AgentKey.generate()
    request = signed(key, call())
    async with scripted(registry_of(key)) as registry:
        for _ in range(2):
            enforcement = enforcing(tmp_path, registry=origin(registry))
            async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
                reply = await fetch(running.listen_address, request)
    assert len(server.requests) == 1
    assert b"identity/replayed" in reply.body


async def test_what_may_have_come_where_nobody_looked_does_not_pass(tmp_path: Path, server: Scripted) -> None:
    key = pinned(tmp_path)
    async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
        assert running.enforcer is not None
        running.enforcer.verdicts.remember(Recalled([], missing_until=time.time() - 100))
        reply = await fetch(running.listen_address, signed(key, call(), at=time.time() - 200))
        assert "whether it came before cannot be told" in refused(reply, server)
        assert (await fetch(running.listen_address, signed(key, call()))).body == RESULT


async def test_a_signature_without_a_time_could_be_sent_again_for_ever(tmp_path: Path, server: Scripted) -> None:
    key = pinned(tmp_path)
    for policy in (REQUIRED, Policy(everywhere=Terms(members=Members(identities=(key.did_aip,))))):
        request = timeless(key, call(id=repr(policy)))
        async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path, policy)) as running:
            reply = await fetch(running.listen_address, request)
        assert "identity/weak-replay-protection" in refused(reply, server)


def timeless(key: AgentKey, body: bytes) -> bytes:
    """A request whose signature says neither when it was made nor that it is one of a kind."""
    made = rfc9421_headers(key, "POST", "http://127.0.0.1/mcp", {}, body, now=1, nonce="n")
    digest = made["Content-Digest"]
    text = f'("@method" "@target-uri" "content-digest");keyid="{key.did_aip}"'
    lines = ('"@method": POST', '"@target-uri": http://127.0.0.1/mcp', f'"content-digest": {digest}')
    base = "\n".join((*lines, f'"@signature-params": {text}'))
    signature = base64.b64encode(key.sign(base.encode())).decode()
    fields = {"Content-Digest": digest, "Signature-Input": f"sig1={text}", "Signature": f"sig1=:{signature}:"}
    return post(body, *(f"{name}: {value}".encode() for name, value in fields.items()))


async def test_how_far_back_the_log_is_looked_through(tmp_path: Path, server: Scripted) -> None:
    async with gateway(tmp_path, server.url) as running:
        for _ in range(3):
            await fetch(running.listen_address, post(PING))
    store = Store.open(tmp_path / "gateway" / "journal.sqlite3")
    try:
        whole, some, none = recall(store, 0.0), recall(store, 0.0, 6), recall(store, time.time() + 1)
        of_whole, of_some, of_none = (list(recalled.requests) for recalled in (whole, some, none))
    finally:
        store.close()
    requests = [index for index, data in enumerate(journal(tmp_path)) if isinstance(data, Request)]
    assert ([past.index for past in of_whole], whole.missing_until) == (requests, None)
    assert [past.index for past in of_some] == requests[-1:]
    assert some.missing_until is not None
    assert some.missing_until <= of_some[0].time
    assert (of_none, none.missing_until) == ([], None)


async def test_what_was_signed_before_the_policy_asked_for_it_is_a_replay_after(
    tmp_path: Path, server: Scripted
) -> None:
    request = signed(pinned(tmp_path), call())
    policies = [Policy(), REQUIRED]
    enforcement = enforcing(tmp_path, load=lambda: policies.pop(0))
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


@pytest.mark.parametrize("limit", ["MAX_PAST", "MAX_PAST_OCTETS"])
async def test_what_waits_for_a_key_and_is_too_much_is_told_from_nothing_any_more(
    tmp_path: Path, server: Scripted, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = pinned(tmp_path)
    async with scripted(silent) as registry:
        enforcement = enforcing(tmp_path, registry=origin(registry), wait_s=0.05)
        async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
            assert refused(await fetch(running.listen_address, signed(AgentKey.generate(), call())), server)
        async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
            assert (await fetch(running.listen_address, signed(key, call()))).body == RESULT
        server.requests.clear()
        monkeypatch.setattr(verdicts, limit, 0)
        async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
            reply = await fetch(running.listen_address, signed(key, call()))
    assert "whether it came before cannot be told" in refused(reply, server)
