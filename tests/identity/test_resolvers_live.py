"""Resolvers against real servers on loopback, honest ones and others."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web
from authority import Authority, Handle, serving
from p256 import CAROL
from signed import ALICE, BOB

from mcpwatch.identity.multikey import encode_multikey
from mcpwatch.identity.resolution import Unavailable
from mcpwatch.identity.resolvers.addresses import GuardedTransport
from mcpwatch.identity.resolvers.aip_registry import AipRegistry
from mcpwatch.identity.resolvers.did_web import DidWeb
from mcpwatch.identity.resolvers.directory import MEDIA_TYPE, WELL_KNOWN, Directories
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.jwks import Jwks
from mcpwatch.identity.verifier import jwk


def document(did: str, *keys: bytes) -> dict[str, object]:
    methods = [
        {"id": f"{did}#key-{number}", "type": "Multikey", "controller": did, "publicKeyMultibase": encode_multikey(key)}
        for number, key in enumerate(keys)
    ]
    return {"id": did, "verificationMethod": methods}


async def loopback(host: str, port: int) -> list[str]:
    """Every name leads to this machine."""
    return ["127.0.0.1"]


async def test_did_web_and_directory_over_tls(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    asked: list[tuple[str, str]] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append((request.host, request.path))
        if request.path == WELL_KNOWN:
            return web.Response(text=json.dumps({"keys": [jwk(BOB.public)]}), content_type=MEDIA_TYPE)
        did = f"did:web:{request.host.replace(':', '%3A')}:agents:alice"
        return web.json_response(document(did, ALICE.public, CAROL.public))

    transport = GuardedTransport(allow_private=True, lookup=loopback, verify=authority.trusting)
    async with serving(handle, authority.serving("agent.example")) as port, Fetcher(transport=transport) as fetcher:
        found = await DidWeb(fetcher).resolve(f"did:web:agent.example%3A{port}:agents:alice")
        assert [(key.name, key.key) for key in found.keys] == [("key-0", ALICE.public), ("key-1", CAROL.public)]
        found = await Directories(fetcher).resolve(f"https://agent.example:{port}")
        assert [key.key for key in found.keys] == [BOB.public]
        host = f"agent.example:{port}"
        assert asked == [(host, "/agents/alice/did.json"), (host, WELL_KNOWN)]
        # The same server under a name that its certificate does not have.
        with pytest.raises(Unavailable, match="cannot be reached: ConnectError"):
            await DidWeb(fetcher).resolve(f"did:web:other.example%3A{port}:agents:alice")
        assert len(asked) == 2


async def test_without_leave_nothing_on_this_machine_is_asked() -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({})

    async with serving(handle) as port, Fetcher() as fetcher:
        for ask, id in (
            (DidWeb(fetcher).resolve, f"did:web:localhost%3A{port}"),
            (Directories(fetcher).resolve, f"http://localhost:{port}"),
            (Directories(fetcher).resolve, f"https://127.0.0.1:{port}/jwks.json"),
        ):
            with pytest.raises(Unavailable):
                await ask(id)
    assert asked == []


async def test_localhost_is_asked_over_http_with_leave() -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.json_response(document(f"did:web:{request.host.replace(':', '%3A')}", ALICE.public))

    async with serving(handle) as port, Fetcher(allow_private=True) as fetcher:
        found = await DidWeb(fetcher).resolve(f"did:web:localhost%3A{port}")
    assert [key.key for key in found.keys] == [ALICE.public]


def answering(body: bytes, status: int = 200, head: dict[str, str] | None = None) -> Handle:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, status=status, headers=head)

    return handle


async def stalling(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"{")
    await asyncio.Event().wait()
    return response


async def flooding(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for _ in range(10):
        await response.write(b" " * 1_000_000)
    return response


async def looping(request: web.Request) -> web.Response:
    return web.Response(status=302, headers={"location": str(request.url)})


def registered(**changes: object) -> bytes:
    answer = {"verified": True, "did": ALICE.did_aip, "public_key": ALICE.public_base64, "key_history": None}
    return json.dumps({**answer, **changes}).encode()


def past(key: str, start: str, end: str | None) -> dict[str, object]:
    return {"public_key": key, "valid_from": start, "valid_until": end, "is_current": end is None}


TWO = [past(ALICE.public_base64, "2026-01-02", None), past(ALICE.public_base64, "2026-01-01", None)]
STRANGER = [past(BOB.public_base64, "2025-01-01", "2026-01-01"), past(ALICE.public_base64, "2026-01-01", None)]
TRAILING = ALICE.public_base64[:-2] + chr(ord(ALICE.public_base64[-2]) + 1) + "="

MISBEHAVIOUR: tuple[tuple[Handle, str], ...] = (
    (stalling, "did not answer within"),
    (flooding, "longer than"),
    (looping, "a redirect, which is not followed"),
    (answering(b"", 500), "HTTP status 500"),
    (answering(b"", 429, {"retry-after": "9"}), "answered with HTTP status 429, to be asked again in 9 s"),
    (answering(b"", 503, {"retry-after": "9"}), "answered with HTTP status 503, to be asked again in 9 s"),
    (answering(b"<html>"), "makes no sense|no JSON object"),
    (answering(b"x", head={"content-encoding": "br"}), "compressed"),
)
LIES: tuple[tuple[Handle, str], ...] = (
    (answering(registered(did=BOB.did_aip)), "about another DID"),
    (answering(registered(public_key=TRAILING)), "not in canonical base64"),
    (answering(registered(public_key=BOB.public_base64)), "does not derive"),
    (answering(registered(key_history=TWO)), "two current keys"),
    (answering(registered(key_history=STRANGER)), "does not derive"),
)


@pytest.mark.parametrize(("handle", "reason"), MISBEHAVIOUR + LIES)
async def test_a_registry_that_misbehaves(handle: Handle, reason: str) -> None:
    async with serving(handle) as port, Fetcher(deadline_s=0.5) as fetcher:
        with pytest.raises(Unavailable, match=reason):
            await AipRegistry(f"http://127.0.0.1:{port}", fetcher).resolve(ALICE.did_aip)


@pytest.mark.parametrize(
    ("handle", "reason"),
    [*MISBEHAVIOUR, (answering(json.dumps(document("did:web:other.example", ALICE.public)).encode()), "another DID")],
)
async def test_a_did_web_host_that_misbehaves(handle: Handle, reason: str) -> None:
    async with serving(handle) as port, Fetcher(allow_private=True, deadline_s=0.5) as fetcher:
        with pytest.raises(Unavailable, match=reason):
            await DidWeb(fetcher).resolve(f"did:web:localhost%3A{port}")


@pytest.mark.parametrize(("handle", "reason"), MISBEHAVIOUR)
async def test_a_jwks_host_that_misbehaves(handle: Handle, reason: str, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    transport = GuardedTransport(lookup=loopback, verify=authority.trusting)
    fetcher = Fetcher(transport=transport, deadline_s=0.5)
    async with serving(handle, authority.serving("issuer.example")) as port, fetcher:
        with pytest.raises(Unavailable, match=reason):
            await Jwks([f"https://issuer.example:{port}/jwks"], fetcher).resolve("ci")
