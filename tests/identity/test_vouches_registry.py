"""What a registry answers about vouches: captured answers, and answers that lie or make no sense."""

import json
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors
from signed import ALICE, BOB, NOW
from small_registry import ADDRESS, SmallRegistry
from streamed import streamed
from vouching import vouch

from mcpwatch.errors import UsageError
from mcpwatch.identity.resolution import Unavailable
from mcpwatch.identity.resolvers.aip_vouches import AipVouches, Graph, Listed
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.model.trust import Asserted

CAPTURED_ALICE = "did:aip:0b71dc9d09aaf43f425beb7a4dec752c"
CAPTURED_BOB = "did:aip:d87e55a95421eb7381a6b51d12af7767"


def answering(response: httpx.Response) -> AipVouches:
    transport = httpx.MockTransport(lambda request: streamed(response))
    return AipVouches(ADDRESS, Fetcher(transport=transport))


def captured(name: str) -> AipVouches:
    found = json.loads(vectors(f"wire/aip-registry/{name}.json").read_text())["response"]
    return answering(httpx.Response(found["status"], json=found["body"]))


def small() -> tuple[SmallRegistry, AipVouches]:
    registry = SmallRegistry()
    registry.register(ALICE, BOB)
    registry.add(vouch(ALICE, BOB.did_aip, expires=NOW + 60, id="v-1"))
    return registry, AipVouches(f"{ADDRESS}/", registry.fetcher())


async def listed(registry: AipVouches) -> Listed:
    (one,) = (await registry.graph(BOB.did_aip)).vouched_by
    return one


async def test_a_captured_graph() -> None:
    graph = await captured("30-trust-graph-bob").graph(CAPTURED_BOB)
    assert [one.voucher_did for one in graph.vouched_by][1:] == [CAPTURED_ALICE, CAPTURED_ALICE]
    assert [one.scope for one in graph.vouched_by] == ["GENERAL", "GENERAL", "CODE_SIGNING"]
    assert graph.vouches_for == ()
    after = await captured("60-trust-graph-bob-after-revoke").graph(CAPTURED_BOB)
    assert len(after.vouched_by) == 1


async def test_a_captured_certificate() -> None:
    graph = await captured("30-trust-graph-bob").graph(CAPTURED_BOB)
    checked = await captured("33-vouch-certificate").certified(graph.vouched_by[1])
    assert checked.fault == ""
    assert (checked.vouch.statement, len(checked.vouch.signature)) == ("works on my team", 64)
    other = await captured("33-vouch-certificate").certified(graph.vouched_by[2])
    assert "another vouch" in other.fault


async def test_the_captured_scores() -> None:
    assert await captured("29-trust-bob").asserted(CAPTURED_BOB) == Asserted(True, 3, ("CODE_SIGNING", "GENERAL"))
    assert await captured("72-trust-bob-after-delete").asserted(CAPTURED_BOB) == Asserted(False, 0)


async def test_a_revoked_vouch_has_no_certificate() -> None:
    registry, client = small()
    one = await listed(client)
    assert (await client.certified(one)).fault == ""
    registry.vouches.clear()
    assert "revoked" in (await client.certified(one)).fault


async def test_an_identity_that_is_not_known_has_no_vouches() -> None:
    missing = answering(httpx.Response(404, json={"detail": "DID not found"}))
    assert await missing.graph(BOB.did_aip) == Graph(BOB.did_aip)
    assert await missing.asserted(BOB.did_aip) == Asserted(False, 0)
    assert await missing.system() == ""


@pytest.mark.parametrize(
    ("body", "system"),
    [
        ({"system_identity": ALICE.did_aip}, ALICE.did_aip),
        ({"system_identity": {"did": ALICE.did_aip}}, ALICE.did_aip),
        ({"system_identity": None}, ""),
        ({"status": "healthy"}, ""),
    ],
)
async def test_whose_welcome_it_is(body: dict[str, Any], system: str) -> None:
    assert await answering(httpx.Response(200, json=body)).system() == system


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"vouch_id": "v-2"}, "another vouch"),
        ({"voucher_did": BOB.did_aip}, "another vouch"),
        ({"target_did": ALICE.did_aip}, "another vouch"),
        ({"scope": "FINANCIAL"}, "another vouch"),
        ({"statement": "more than that"}, "another vouch"),
        ({"created_at": "2020-01-01 00:00:00"}, "another vouch"),
        ({"expires_at": None}, "another vouch"),
        ({"signature": "not base64"}, "canonical base64"),
        ({"signature": "QQ=="[:3]}, "canonical base64"),
    ],
)
async def test_a_certificate_that_is_not_the_one_listed(changes: dict[str, Any], fault: str) -> None:
    registry, client = small()
    registry.lies["/vouch/"] = lambda answer: answer | changes
    assert fault in (await client.certified(await listed(client))).fault


async def test_an_end_that_is_no_time_is_no_eternity() -> None:
    registry, client = small()
    registry.lies["/"] = lambda answer: json.loads(json.dumps(answer).replace("+00:00", "+99:00"))
    checked = await client.certified(await listed(client))
    assert "no time" in checked.fault


@pytest.mark.parametrize("id", ["", "..", "../../admin", "a/b", "a?b", "a#b", "%2e%2e", "x" * 65, "\x1b[2J"])
async def test_a_vouchs_id_leads_nowhere_else(id: str) -> None:
    registry, client = small()
    checked = await client.certified(Listed(id, ALICE.did_aip, BOB.did_aip, "GENERAL", ""))
    assert checked.fault and registry.asked == []


@pytest.mark.parametrize("did", ["did:aip:x/../../admin", "did:aip:x?did=y&a=b", "did:aip:x#y", "did:aip:\u00e9"])
async def test_an_identity_leads_nowhere_else(did: str) -> None:
    registry, client = small()
    for question in (client.graph(did), client.asserted(did)):
        with suppress(Unavailable):
            await question
    assert [path.split("%3A")[0] for path in registry.asked] == ["/trust-graph?did=did", "/trust/did"]


async def test_answers_about_somebody_else() -> None:
    registry, client = small()
    registry.lies["/trust"] = lambda answer: answer | {"did": ALICE.did_aip}
    with pytest.raises(Unavailable, match="another DID"):
        await client.graph(BOB.did_aip)
    with pytest.raises(Unavailable, match="another DID"):
        await client.asserted(BOB.did_aip)
    registry.lies["/trust-graph"] = lambda answer: (
        answer | {"vouched_by": [{**answer["vouched_by"][0], "target_did": ALICE.did_aip}]}
    )
    with pytest.raises(Unavailable, match="another DID"):
        await client.graph(BOB.did_aip)


@pytest.mark.parametrize("count", ["-1", "9" * 12, "9" * 4000, "1e3"])
async def test_a_count_that_nobody_could_read_makes_no_sense(count: str) -> None:
    body = f'{{"did": "{BOB.did_aip}", "registered": true, "vouch_count": {count}}}'
    with pytest.raises(Unavailable, match="makes no sense"):
        await answering(httpx.Response(200, content=body.encode())).asserted(BOB.did_aip)


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(200, content=b"<html>"),
        httpx.Response(200, content=b"[" * 50_000),
        httpx.Response(200, json=[]),
        httpx.Response(200, json={"did": 1, "system_identity": 1}),
        httpx.Response(500, json={"detail": "oops"}),
        httpx.Response(429, headers={"retry-after": "30"}),
        httpx.Response(302, headers={"location": "http://127.0.0.1/"}),
        httpx.Response(200, content=b" " * 2_000_000),
    ],
)
async def test_answers_that_make_no_sense(response: httpx.Response) -> None:
    for question in questions(response):
        with pytest.raises(Unavailable):
            await question


def questions(response: httpx.Response) -> list[Coroutine[None, None, object]]:
    """Everything that is asked, of registries that answer so."""
    one = Listed("v-1", ALICE.did_aip, BOB.did_aip, "GENERAL", "")
    return [
        answering(response).graph(BOB.did_aip),
        answering(response).certified(one),
        answering(response).asserted(BOB.did_aip),
        answering(response).system(),
    ]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)
members = ["did", "vouched_by", "vouches_for", "registered", "scopes", "vouch_count", "system_identity", "vouch_id"]


@given(st.dictionaries(st.sampled_from(members), values))
async def test_no_answer_raises_anything_else(body: dict[str, Any]) -> None:
    for question in questions(httpx.Response(200, json=body)):
        try:
            await question
        except Unavailable as failure:
            assert failure.reason


def test_an_address_that_is_none() -> None:
    with pytest.raises(UsageError, match="not the address"):
        AipVouches("ftp://registry.example", Fetcher())
