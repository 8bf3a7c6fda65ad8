"""The demo's registry answers as the captured one does, and says that it is not the real one."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from shared import vectors

from mcpwatch.demo.cast import CAST, GUILD, RETIRED, VETERAN, WELCOME
from mcpwatch.demo.founding import found
from mcpwatch.demo.keyring import Keyring, make_keys
from mcpwatch.demo.registry import OUTAGE
from mcpwatch.demo.registry.app import app
from mcpwatch.demo.registry.limits import RateLimit
from mcpwatch.demo.registry.records import signed_text
from mcpwatch.encoding import decode_base64
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolution import Status
from mcpwatch.identity.resolvers import ResolverOptions
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.service import Resolver
from mcpwatch.model.identity import KeyState

NOW = datetime(2026, 11, 22, tzinfo=UTC)
UNKNOWN = "did:aip:" + "f" * 32


@pytest.fixture
def keys(tmp_path: Path) -> Keyring:
    return make_keys(tmp_path)


@asynccontextmanager
async def asking(keys: Keyring, limit: RateLimit | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a registry that knows the demo's agents."""
    transport = httpx.ASGITransport(app(found(keys, NOW), limit))
    async with httpx.AsyncClient(transport=transport, base_url="http://registry.test") as client:
        yield client


def shape(value: Any) -> Any:
    """Members and types, without what they hold."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(shape(member), sort_keys=True) for member in value})
    return type(value).__name__


def captured(name: str) -> Any:
    """An answer of the real one."""
    (path,) = vectors("wire/aip-registry").glob(f"{name}.json")
    return json.loads(path.read_bytes())["response"]


async def test_every_answer_has_the_shape_of_the_captured_one(keys: Keyring) -> None:
    veteran, forge = keys.did_aip(VETERAN), keys.did_aip("forge")
    async with asking(keys) as client:
        graph = (await client.get("/trust-graph", params={"did": forge})).json()
        vouch = graph["vouched_by"][0]["vouch_id"]
        new, rotated = AgentKey.generate(), AgentKey.generate()
        registration = {"did": new.did_aip, "public_key": new.public_base64, "platform": "mcp", "username": "new"}
        signature = new.sign(f"rotate:{rotated.public_base64}".encode())
        rotation = {"did": new.did_aip, "new_public_key": rotated.public_base64, "signature": b64(signature)}
        mine = {
            "01-*": await client.post("/register", json=registration),
            "05-*": await client.post("/register", json={**registration, "did": UNKNOWN}),
            "10-*": await client.get("/verify", params={"did": forge}),
            "11-*": await client.get(f"/trust/{forge}"),
            "15-*": await client.get("/verify", params={"did": UNKNOWN}),
            "16-*": await client.get(f"/trust/{UNKNOWN}"),
            "33-*": await client.get(f"/vouch/certificate/{vouch}"),
            "43-*": await client.post("/rotate-key", json=rotation),
            "47-*": await client.get("/verify", params={"did": veteran}),
            "60-*": await client.get("/trust-graph", params={"did": keys.did_aip(GUILD)}),
        }
    for name, answer in mine.items():
        real = captured(name)
        assert answer.status_code == real["status"], name
        fields = {field.lower() for field in real["headers"] if field.lower().startswith(("x-", "content-type"))}
        assert fields <= set(answer.headers), name
        body = {**answer.json(), "vouches_for": []} if name == "60-*" else answer.json()
        assert shape(body) == shape(real["body"]), name


def b64(octets: bytes) -> str:
    return b64encode(octets).decode()


async def test_a_member_of_the_graph_tells_what_the_captured_one_tells(keys: Keyring) -> None:
    async with asking(keys) as client:
        graph = (await client.get("/trust-graph", params={"did": keys.did_aip("forge")})).json()
    real = captured("60-*")["body"]
    assert shape(graph["vouched_by"][0]) == shape(real["vouched_by"][0])


async def test_too_many_requests_are_told_when_to_come_again(keys: Keyring) -> None:
    async with asking(keys, RateLimit(2, clock=lambda: 90.0)) as client:
        answers = [await client.get("/verify", params={"did": UNKNOWN}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[-1].headers["retry-after"] == "30"
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert shape(answers[-1].json()) == shape(captured("86-*")["body"])


async def test_it_never_passes_for_the_real_one(keys: Keyring) -> None:
    async with asking(keys) as client:
        health = (await client.get("/health")).json()
        found = (await client.get("/verify", params={"did": keys.did_aip("forge")})).json()
        unknown = (await client.get("/verify", params={"did": UNKNOWN})).json()
    assert health["system_identity"] == keys.did_aip(WELCOME)
    assert all("mcpwatch demo" in text for text in (health["service"], found["message"], unknown["message"]))


async def test_vouches_lead_from_the_guild_to_the_forge_and_each_is_signed(keys: Keyring) -> None:
    path = [keys.did_aip("forge")]
    async with asking(keys) as client:
        while path[-1] != keys.did_aip(GUILD):
            graph = (await client.get("/trust-graph", params={"did": path[-1]})).json()
            (vouch,) = (one for one in graph["vouched_by"] if one["voucher_did"] != keys.did_aip(WELCOME))
            certificate = (await client.get(f"/vouch/certificate/{vouch['vouch_id']}")).json()
            text = signed_text(vouch["voucher_did"], path[-1], vouch["scope"], vouch["statement"])
            voucher = (await client.get("/verify", params={"did": vouch["voucher_did"]})).json()
            held = [row["public_key"] for row in voucher["key_history"] or []] or [voucher["public_key"]]
            signature = decode_base64(certificate["signature"]) or b""
            assert any(verifier.verify(decode_base64(key) or b"", text, signature) for key in held)
            path.append(vouch["voucher_did"])
        missing = await client.get("/vouch/certificate/none")
    assert path[1:] == [keys.did_aip(VETERAN), keys.did_aip(GUILD)]
    assert (missing.status_code, list(missing.json())) == (404, ["detail"])


async def test_only_the_present_key_rotates(keys: Keyring) -> None:
    new = AgentKey.generate()
    did = keys.did_aip(VETERAN)
    async with asking(keys) as client:

        async def rotate(key: AgentKey) -> int:
            signature = b64(key.sign(f"rotate:{new.public_base64}".encode()))
            body = {"did": did, "new_public_key": new.public_base64, "signature": signature}
            return (await client.post("/rotate-key", json=body)).status_code

        assert await rotate(keys.ed25519[RETIRED]) == 400
        assert await rotate(keys.ed25519[VETERAN]) == 200
        history = (await client.get("/verify", params={"did": did})).json()["key_history"]
    assert [row["public_key"] for row in history] == [
        key.public_base64 for key in (new, keys.ed25519[VETERAN], keys.ed25519[RETIRED])
    ]
    assert [row["is_current"] for row in history] == [True, False, False]


async def test_a_watcher_learns_old_keys_for_what_they_are(keys: Keyring) -> None:
    book, did = KeyBook(), keys.did_aip(VETERAN)
    transport = httpx.ASGITransport(app(found(keys, NOW)))
    resolver = Resolver(book, ResolverOptions("http://registry.test"), Fetcher(transport=transport))
    book.lookup(did, NOW.timestamp())
    for id in book.wanted(0.0):
        await resolver.ask(id)
    answer = book.lookup(did, NOW.timestamp())
    assert [held.key for held in answer.keys] == [keys.public(VETERAN), keys.public(RETIRED)]
    assert [held.signer.key_state for held in answer.keys] == [KeyState.CURRENT, KeyState.SUPERSEDED]


async def test_an_outage_lasts_until_somebody_has_asked_in_vain_and_then_ends(keys: Keyring) -> None:
    book, did = KeyBook(), keys.did_aip("forge")
    transport = httpx.ASGITransport(app(found(keys, NOW)))
    now = 0.0

    def clock() -> float:
        return now

    fetcher = Fetcher(transport=transport, clock=clock)
    resolver = Resolver(book, ResolverOptions("http://registry.test"), fetcher, clock=clock)

    async def ask() -> Status:
        book.lookup(did, NOW.timestamp())
        for id in book.wanted(now):
            await resolver.ask(id)
        return book.lookup(did, NOW.timestamp()).status

    async with httpx.AsyncClient(transport=transport, base_url="http://registry.test") as client:
        await client.post(OUTAGE, json={"seconds": 0, "did": did})
        assert (await client.get("/verify", params={"did": UNKNOWN})).status_code == 503
        assert await ask() is Status.WAITING
        assert (await client.get("/verify", params={"did": UNKNOWN})).status_code == 200
    now = 2.0
    assert await ask() is Status.FOUND


def test_everybody_who_signs_has_a_key(keys: Keyring) -> None:
    signing = {name for name, agent in CAST.items() if agent.signs}
    assert signing <= {*keys.ed25519, *keys.p256}
