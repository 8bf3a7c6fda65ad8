"""did:aip through a registry: captured answers, made-up ones, and a server on loopback that misbehaves."""

import asyncio
import json
import time
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors
from signed import ALICE, BOB
from streamed import streamed

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import UsageError
from mcpwatch.identity.ed25519 import did_aip
from mcpwatch.identity.resolution import Resolved, ResolvedKey, Unavailable
from mcpwatch.identity.resolvers.aip_registry import MAX_ANSWER, AipRegistry
from mcpwatch.identity.resolvers.fetch import Fetcher

DID = ALICE.did_aip
Handler = Callable[[httpx.Request], httpx.Response]


def client(handler: Handler, clock: Callable[[], float] = time.monotonic) -> Fetcher:
    return Fetcher(transport=httpx.MockTransport(lambda request: streamed(handler(request))), clock=clock)


async def resolve(answer: httpx.Response | Handler, did: str = DID) -> Resolved:
    handler = answer if callable(answer) else lambda request: answer
    async with client(handler) as fetcher:
        return await AipRegistry("http://registry.example/", fetcher).resolve(did)


def registered(**changes: Any) -> httpx.Response:
    answer = {
        "verified": True,
        "did": DID,
        "public_key": ALICE.public_base64,
        "key_rotated": False,
        "key_history": None,
    }
    return httpx.Response(200, json={**answer, "platforms": [], "message": "", **changes})


def past(key: str, start: str, end: str | None) -> dict[str, Any]:
    return {"public_key": key, "valid_from": start, "valid_until": end, "is_current": end is None}


def captured(name: str) -> tuple[str, httpx.Response]:
    """A captured exchange: the DID asked for and the answer."""
    capture = json.loads(vectors(f"wire/aip-registry/{name}.json").read_text())
    url = httpx.URL(capture["request"]["url"])
    return url.params["did"], httpx.Response(capture["response"]["status"], json=capture["response"]["body"])


async def test_a_captured_registration() -> None:
    did, answer = captured("10-verify-alice")
    resolved = await resolve(answer, did)
    assert len(resolved.keys) == 1
    assert resolved.keys[0].valid_until is None
    assert resolved.keys[0].valid_from == datetime(2026, 11, 22, 8, 46, 11, tzinfo=UTC).timestamp()
    assert did_aip(resolved.keys[0].key) == did


async def test_a_captured_unknown_identity() -> None:
    did, answer = captured("15-verify-unknown")
    assert answer.status_code == 200
    resolved = await resolve(answer, did)
    assert resolved.keys == ()
    assert "does not know" in resolved.reason


async def test_a_captured_rotation() -> None:
    did, answer = captured("47-verify-bob-after-rotation")
    resolved = await resolve(answer, did)
    rotated = datetime(2026, 11, 22, 8, 46, 12, 48594, tzinfo=UTC).timestamp()
    assert [key.valid_until for key in resolved.keys] == [None, rotated]
    assert did_aip(resolved.keys[1].key) == did
    assert resolved.keys[0].key == decode_base64("5YY7ENwFGvKYCIo676+I+EgkOHIO6lehAG6UsnTE4q0=")


async def test_the_did_is_asked_for_and_nothing_else() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return registered()

    await resolve(answer)
    assert [str(request.url) for request in asked] == [f"http://registry.example/verify?did={DID.replace(':', '%3A')}"]
    assert "authorization" not in asked[0].headers


async def test_404_says_nothing_of_an_identity() -> None:
    # An unknown identity is `200 verified: false`; a 404 comes of what stands in the registry's place.
    with pytest.raises(Unavailable, match="status 404"):
        await resolve(httpx.Response(404, json={"detail": "Not Found"}))


@pytest.mark.parametrize("did", ["did:aip:", DID.upper(), DID + "0", "did:aip:" + "g" * 32, DID + "\n"])
async def test_what_is_no_did_is_not_asked_for(did: str) -> None:
    def never(request: httpx.Request) -> httpx.Response:
        raise AssertionError("asked")

    assert (await resolve(never, did)).keys == ()


@pytest.mark.parametrize(
    ("stamp", "seconds"),
    [("2026-11-22 08:46:11", 0.0), ("2026-11-22T08:46:11+00:00", 0.0), ("2026-11-22T08:46:11.5+00:00Z", 0.5)],
)
async def test_times_in_three_forms(stamp: str, seconds: float) -> None:
    rows = [past(BOB.public_base64, stamp, None), past(ALICE.public_base64, "2026-01-01 00:00:00", stamp)]
    resolved = await resolve(registered(public_key=BOB.public_base64, key_history=rows))
    expected = datetime(2026, 11, 22, 8, 46, 11, tzinfo=UTC).timestamp() + seconds
    began = datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    past_key = ResolvedKey(ALICE.public, expected, began)
    assert resolved.keys == (ResolvedKey(BOB.public, valid_from=expected), past_key)


async def test_rotated_there_and_back() -> None:
    rows = [
        past(ALICE.public_base64, "2026-01-03 00:00:00", None),
        past(BOB.public_base64, "2026-01-02 00:00:00", "2026-01-03 00:00:00"),
        past(ALICE.public_base64, "2026-01-01 00:00:00", "2026-01-02 00:00:00"),
    ]
    resolved = await resolve(registered(key_history=rows))
    assert [key.key for key in resolved.keys] == [ALICE.public, BOB.public]
    assert resolved.keys[0].valid_until is None


def trailing(text: str) -> str:
    """Base64 of 32 octets with one of the bits set that hold nothing."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    return f"{text[:-2]}{digits[digits.index(text[-2]) + 1]}="


SECOND = past(ALICE.public_base64, "2026-01-01 00:00:00", "2026-01-02 00:00:00")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"did": BOB.did_aip}, "another DID"),
        ({"did": None}, "another DID"),
        ({"public_key": None}, "none that may be used"),
        ({"public_key": trailing(ALICE.public_base64)}, "not in canonical base64"),
        ({"public_key": "AQ" + "A" * 41 + "="}, "none that may be used"),
        ({"public_key": BOB.public_base64}, "does not derive"),
        ({"key_history": [past(BOB.public_base64, "2026-01-01 00:00:00", None)]}, "does not fit"),
        ({"key_history": [past(ALICE.public_base64, "yesterday", None)]}, "does not fit"),
        ({"key_history": [{**SECOND, "is_current": True}]}, "does not fit"),
        ({"key_history": [{**SECOND, "valid_until": "tomorrow"}]}, "does not fit"),
        ({"key_history": [{**SECOND, "public_key": "!"}]}, "does not fit"),
        ({"key_history": [past(BOB.public_base64, "2025-01-01 00:00:00", "2026-01-01 00:00:00")]}, "does not derive"),
        ({"key_history": [past(ALICE.public_base64, "2026-01-01 00:00:00", None)] * 2}, "two current keys"),
        ({"verified": "yes"}, "makes no sense"),
    ],
)
async def test_a_registry_that_contradicts_itself(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        await resolve(registered(**changes))


async def test_the_md5_derivation_is_named() -> None:
    did = "did:aip:219df75ce6a29aea1105840cb1ce2876"
    with pytest.raises(Unavailable, match="MD5"):
        await resolve(registered(did=did), did)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (httpx.Response(500), "HTTP status 500"),
        (httpx.Response(301, headers={"location": "http://127.0.0.1/"}), "a redirect, which is not followed"),
        (httpx.Response(200, content=b""), "makes no sense"),
        (httpx.Response(200, content=b"<html>"), "makes no sense"),
        (httpx.Response(200, content=b"[" * 60_000), "makes no sense"),
        (httpx.Response(200, content=b"\xff\xfe"), "makes no sense"),
        (httpx.Response(200, content=b" " * (MAX_ANSWER + 1)), "longer than 65536"),
        (httpx.Response(200, content=b"x", headers={"content-encoding": "gzip"}), "compressed"),
    ],
)
async def test_garbage_is_unavailable(answer: httpx.Response, reason: str) -> None:
    with pytest.raises(Unavailable, match=reason):
        await resolve(answer)


@given(st.one_of(st.binary(max_size=200), st.recursive(st.none() | st.booleans() | st.text(), st.lists).map(str)))
async def test_no_answer_breaks_it(content: Any) -> None:
    with pytest.raises(Unavailable):
        await resolve(httpx.Response(200, content=content))


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.RemoteProtocolError, OSError])
async def test_a_registry_that_cannot_be_reached(error: type[Exception]) -> None:
    def broken(request: httpx.Request) -> httpx.Response:
        raise error("no secrets from here")

    with pytest.raises(Unavailable, match="cannot be reached") as caught:
        await resolve(broken)
    assert "secrets" not in caught.value.reason


async def test_429_is_heeded_without_asking_again() -> None:
    count, now = 0, 100.0

    def answer(request: httpx.Request) -> httpx.Response:
        nonlocal count
        count += 1
        return httpx.Response(429, headers={"retry-after": "30"}) if count == 1 else registered()

    async with client(answer, lambda: now) as http:
        registry = AipRegistry("http://registry.example", http)
        for said in ("HTTP status 429", *["not to be asked"] * 2):
            with pytest.raises(Unavailable, match=said):
                await registry.resolve(DID)
        assert count == 1
        now += 31
        assert (await registry.resolve(DID)).keys == (ResolvedKey(ALICE.public),)


@pytest.mark.parametrize(
    "address", ["", "registry.example", "ftp://registry.example", "http://", "http://[::", "file:///etc"]
)
async def test_what_is_no_address_is_refused(address: str) -> None:
    async with client(lambda request: registered()) as http:
        with pytest.raises(UsageError, match="not the address of a registry"):
            AipRegistry(address, http)


@pytest.fixture
async def loopback() -> AsyncIterator[Callable[[bytes], Any]]:
    """Serve fixed octets, once a connection, on loopback."""
    servers: list[asyncio.Server] = []

    async def serve(octets: bytes) -> str:
        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(octets)
            writer.close()

        servers.append(await asyncio.start_server(talk, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}"

    yield serve
    for server in servers:
        server.close()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n{",
        b"HTTP/1.1 302 Found\r\nlocation: http://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 70000\r\n\r\n" + b" " * 70_000,
    ],
)
async def test_a_server_that_misbehaves(loopback: Callable[[bytes], Any], octets: bytes) -> None:
    address = await loopback(octets)
    async with Fetcher() as http:
        with pytest.raises(Unavailable):
            await AipRegistry(address, http).resolve(DID)


async def test_a_real_answer_over_loopback(loopback: Callable[[bytes], Any]) -> None:
    body = json.dumps({"verified": True, "did": DID, "public_key": b64encode(ALICE.public).decode()}).encode()
    address = await loopback(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
    async with Fetcher() as http:
        assert (await AipRegistry(address, http).resolve(DID)).keys == (ResolvedKey(ALICE.public),)
