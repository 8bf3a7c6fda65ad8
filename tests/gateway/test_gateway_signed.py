"""What an agent signed can be verified from the log alone, by anyone, whatever the gateway masks."""

import json
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from rig import answer, every, fetch, gateway, ok, post, scripted
from sdk import exercise, fixture
from seeded import SEEDED

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.signer import AgentKey, AipAuth, Rfc9421Auth, aip_headers, rfc9421_headers
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Covered, SignatureState, Verdict, Word

SIGNERS: dict[str, Callable[[AgentKey], Callable[[httpx2.Request], httpx2.Request]]] = {
    "aip": AipAuth,
    "rfc9421": Rfc9421Auth,
}


def judged(requests: list[Request], key: AgentKey) -> list[Verdict]:
    keys = KeyBook()
    keys.pin(key.did_aip, key.public)
    judge = Judge(keys, ReplayWindow())
    return [judge.judge(index, request, time.time()) for index, request in enumerate(requests)]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("capture", ["full", "masked", "digest"])
@pytest.mark.parametrize("scheme", SIGNERS)
async def test_every_signed_request_is_verified_from_its_entry(
    tmp_path: Path, mode: str, capture: str, scheme: str
) -> None:
    key = AgentKey.generate()
    async with (
        fixture() as server,
        gateway(tmp_path, server.url, capture=capture) as running,
        httpx2.AsyncClient(auth=SIGNERS[scheme](key)) as http,
        Client(streamable_http_client(running.listen_address + "/mcp", http_client=http), mode=mode) as client,
    ):
        await client.call_tool("echo", {"message": "x", "password": "s3cret"})
    requests = every(tmp_path, Request)
    assert len(requests) > 2
    assert any(request.body is not None and request.body.masked for request in requests) == (capture == "masked")
    for request, verdict in zip(requests, judged(requests, key), strict=True):
        assert verdict.signature is SignatureState.VALID, (request, verdict)
        assert verdict.word is Word.VERIFIED
        assert {Covered.METHOD, Covered.TARGET, Covered.BODY} <= set(verdict.coverage)
        covers_session = Covered.SESSION in verdict.coverage
        assert covers_session == ("mcp-session-id" in dict(request.headers))
        assert covers_session == (scheme == "rfc9421" and request.session != "")


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize("scheme", SIGNERS)
async def test_all_that_the_official_client_does_is_signed_and_works(tmp_path: Path, mode: str, scheme: str) -> None:
    """Streams, progress, questions back and ten calls at a time, with the object for `auth=`."""
    key = AgentKey.generate()
    async with fixture() as server, gateway(tmp_path, server.url) as running:
        async with httpx2.AsyncClient(auth=SIGNERS[scheme](key), timeout=None) as http:
            signed = await exercise(running.listen_address + "/mcp", mode, http)
        assert signed == await exercise(server.url, mode)
    requests = every(tmp_path, Request)
    assert len(requests) > 20
    assert {verdict.word for verdict in judged(requests, key)} == {Word.VERIFIED}


@pytest.mark.parametrize(
    ("capture", "word"), [("full", Word.VERIFIED), ("masked", Word.NO_CHECK), ("digest", Word.NO_CHECK)]
)
async def test_a_signed_secret_is_masked_and_said_to_be_uncheckable(tmp_path: Path, capture: str, word: Word) -> None:
    key = AgentKey.generate()
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "ping"}).encode()
    uri = "http://127.0.0.1/mcp?api_key=s3cret"
    signed = rfc9421_headers(key, "POST", uri, {}, body, now=time.time(), nonce="n")
    fields = [f"{name}: {value}".encode() for name, value in signed.items()]
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await fetch(running.listen_address, post(body, *fields, target=b"/mcp?api_key=s3cret"))
    (verdict,) = judged(every(tmp_path, Request), key)
    assert verdict.word is word, verdict


@pytest.mark.parametrize("scheme", ["aip", "rfc9421"])
@pytest.mark.parametrize(
    ("capture", "word"), [("full", Word.VERIFIED), ("masked", Word.NO_CHECK), ("digest", Word.NO_CHECK)]
)
async def test_a_signed_secret_in_the_path_is_masked_and_said_to_be_uncheckable(
    tmp_path: Path, scheme: str, capture: str, word: Word
) -> None:
    key, body = AgentKey.generate(), b'{"jsonrpc":"2.0","id":1,"method":"ping"}'
    path = f"/mcp/{SEEDED[1].text}/x"
    signed = (
        aip_headers(key, "POST", path, body, now=time.time(), nonce="n" * 24)
        if scheme == "aip"
        else rfc9421_headers(key, "POST", f"http://127.0.0.1{path}", {}, body, now=time.time(), nonce="n" * 24)
    )
    fields = [f"{name}: {value}".encode() for name, value in signed.items()]
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await fetch(running.listen_address, post(body, *fields, target=path.encode()))
    (request,) = every(tmp_path, Request)
    (verdict,) = judged([request], key)
    assert verdict.word is word, verdict
    assert (request.target == path, "@path" in request.withheld) == (capture == "full", capture != "full")
