"""Acts on alerts: who may write them into the log, what is refused, and who was first."""

import json
import time
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace
from rig import Reply, fetch, gateway, logged, post
from watcher import Watcher, ask, bearer, token_of

from mcpwatch.gateway import acts as acts_module
from mcpwatch.gateway.folder import operator_token_path
from mcpwatch.gateway.run import Gateway
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signed_acts import sign_act
from mcpwatch.model.entries import AlertActed, SilenceTerms

NOWHERE = "demo=http://127.0.0.1:1/mcp"
ANN, EVE = AgentKey(bytes(range(32))), AgentKey(bytes(range(1, 33)))
ID = "0123456789ab"


def act(running: Gateway, **changes: object) -> AlertActed:
    """What Ann would write into this gateway's log, with changes, signed."""
    wanted = AlertActed(
        alert=ID,
        kind="acknowledged",
        author="ann@desk",
        note="a known client",
        time=int(time.time()),
        origin=running.log.key.origin,
        key="",
        signature="",
        severity="high",
    )
    return sign_act(ANN, replace(wanted, **changes))


async def send(running: Gateway, body: AlertActed | bytes, *, token: str = "", id: str = ID) -> Reply:
    octets = body if isinstance(body, bytes) else msgspec.json.encode(body)
    token = token or operator_token_path(running.options.state).read_text().strip()
    target = f"/v1/alerts/{id}/acts".encode()
    return await fetch(running.feed_address, post(octets, bearer(token), target=target))


def said(reply: Reply) -> dict[str, str]:
    told: dict[str, str] = json.loads(reply.body)
    return told


async def test_an_act_is_in_the_log_and_signed_for_when_the_answer_comes(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        wanted = act(running)
        reply = await send(running, wanted)
        index = json.loads(reply.body)["index"]
        assert reply.status == 201
        assert running.log.note.size > index
        assert await logged(running, AlertActed) == [wanted]
        watcher = Watcher()
        await watcher.connect(running.feed_address, token_of(tmp_path))
        await watcher.until(index + 1)
        record = watcher.entries[index].record
        assert record is not None and record.data == wanted
        watcher.close()


async def test_a_token_for_reading_cannot_act_and_is_told_so(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        reply = await send(running, act(running), token=token_of(tmp_path))
        assert reply.status == 403
        assert said(reply) == {
            "error": "this token may read and not act",
            "hint": "Acts need the gateway's operator.token.",
        }
        assert (await send(running, act(running), token="x" * 43)).status == 401
        assert running.log.store.acts() == []


async def test_each_token_learns_what_it_may_do(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        operator = operator_token_path(tmp_path)
        assert operator.stat().st_mode & 0o777 == 0o600
        scopes = [
            json.loads((await ask(running.feed_address, token)).body)["scopes"]
            for token in (token_of(tmp_path), operator.read_text().strip())
        ]
        assert scopes == [["feed:read"], ["feed:read", "alert:ack"]]


async def test_who_did_not_know_of_the_act_before_is_told_who_was_first_and_when(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        first = json.loads((await send(running, act(running))).body)["index"]
        late = await send(running, act(running, author="ben", note="mine too"))
        assert late.status == 409
        assert said(late)["error"].startswith("ann@desk acknowledged it at 20")
        assert said(late)["error"].endswith(f"(entry {first}): a known client")
        assert (await send(running, act(running, author="ben", previous=first))).status == 201
        assert (await send(running, act(running, alert="f" * 12), id="f" * 12)).status == 201
        assert len(await logged(running, AlertActed, 3)) == 3


async def test_who_was_first_is_known_after_a_restart_and_in_a_journal_without_the_table(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        await running.log.sign_now()
        running.log.store._writer.execute("DROP TABLE acts")
        running.log.store._prepare()
        await send(running, act(running))
    async with gateway(tmp_path, NOWHERE) as running:
        assert (await send(running, act(running, author="ben"))).status == 409


def forged(running: Gateway) -> AlertActed:
    return replace(act(running), note="all is well")


REFUSED = {
    "a signature over something else": (forged, "its signature does not hold"),
    "another's key": (lambda running: replace(act(running), key=EVE.public_base64), "its signature does not hold"),
    "no key": (lambda running: replace(act(running), key="AAAA"), "its key is no Ed25519 key"),
    "a key of small order": (lambda running: replace(act(running), key="A" * 43 + "="), "its key is no Ed25519 key"),
    "no signature": (lambda running: replace(act(running), signature="AAAA"), "its signature is none"),
    "another log": (lambda running: act(running, origin="gateway.example/1"), "it was signed for another log"),
    "an old act": (lambda running: act(running, time=1), "its author's clock differs from the log's"),
    "no note": (lambda running: act(running, note=" "), "its note is empty"),
    "a long note": (lambda running: act(running, note="x" * 2_001), "its note is empty or longer"),
    "no author": (lambda running: act(running, author=""), "its author is empty"),
    "a silence of nothing": (lambda running: act(running, kind="silenced"), "it silences without saying what"),
    "an endless silence": (
        lambda running: act(running, kind="silenced", silence=SilenceTerms("*", "*", 2**40)),
        "does not end within seven days",
    ),
    "terms of no silence": (
        lambda running: act(running, silence=SilenceTerms("*", "*", int(time.time()) + 60)),
        "says what without silencing",
    ),
    "a silence by another id": (
        lambda running: act(running, kind="silenced", silence=SilenceTerms("a/*", "*", int(time.time()) + 60)),
        "it goes by another id than what it silences",
    ),
    "an entry that has not come": (
        lambda running: act(running, last_index=10**15),
        "it names an entry that has not come",
    ),
    "another alert": (lambda running: act(running, alert="f" * 12), "the act is about another alert"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_what_is_no_good_act_is_refused_with_the_reason(tmp_path: Path, case: str) -> None:
    make, reason = REFUSED[case]
    async with gateway(tmp_path, NOWHERE) as running:
        reply = await send(running, make(running))
        assert (reply.status, reason in said(reply)["error"]) == (400, True), said(reply)
        assert running.log.store.acts() == []


async def test_what_has_not_the_one_form_is_refused(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        good = msgspec.json.encode(act(running))
        bad = [
            b" " + good,
            good[:-1] + b',"note":"another"}',
            good[:-1] + b',"more":1}',
            good.replace(b'"severity"', b'"last_index":-1,"severity"'),
            good.replace(b'"high"', b'"dire"'),
            good.replace(b"a known client", b"\xff"),
            b"[" * 50_000,
            b"",
        ]
        statuses = [(await send(running, body)).status for body in bad]
        assert statuses == [400] * 6 + [413, 400]
        assert (await send(running, b"[" * 16_000)).status == 400
        bad_id = await send(running, act(running, alert="../../etc"), id="..%2F..%2Fetc")
        assert bad_id.status in (400, 404)
        assert (await send(running, good)).status == 201


async def test_an_act_has_to_be_declared_as_json(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        token = operator_token_path(tmp_path).read_text().strip()
        octets = msgspec.json.encode(act(running))
        plain = post(octets, bearer(token), target=f"/v1/alerts/{ID}/acts".encode())
        reply = await fetch(running.feed_address, plain.replace(b"application/json", b"text/plain"))
        assert reply.status == 415


async def test_a_web_page_cannot_act(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        token = operator_token_path(tmp_path).read_text().strip()
        target = f"/v1/alerts/{ID}/acts".encode()
        octets = msgspec.json.encode(act(running))
        page = post(octets, bearer(token), b"Origin: http://evil.example", target=target)
        assert (await fetch(running.feed_address, page)).status == 403


async def test_acts_are_limited_in_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acts_module, "PER_MINUTE", 2)
    async with gateway(tmp_path, NOWHERE) as running:
        replies = [await send(running, b"{}") for _ in range(3)]
        assert [reply.status for reply in replies] == [400, 400, 429]
        wait = replies[-1].field(b"retry-after")
        assert wait is not None and 1 <= int(wait) <= 60
