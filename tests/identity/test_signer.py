"""Signing with httpx, httpx2, and through the official SDK's client."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any, Literal

import httpx
import httpx2
import pytest
import uvicorn
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.mcpserver import MCPServer
from signed import ALICE, CALL, NOW
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.signer import AipAuth, Rfc9421Auth
from mcpwatch.model.entries import Body, Request
from mcpwatch.model.identity import Covered, Verdict, Word

URL = "http://127.0.0.1:8080/mcp"
AUTHS: list[Callable[..., Any]] = [AipAuth, Rfc9421Auth]
ERAS: list[Literal["auto", "legacy"]] = ["auto", "legacy"]


def as_seen(method: str, scheme: str, target: str, headers: list[tuple[str, str]], body: bytes) -> Request:
    """What a gateway would log."""
    authority = dict(headers)["host"]
    carried = Body(len(body), sha256(body).hexdigest(), body.decode())
    return Request("demo", method, scheme, authority, target, "127.0.0.1:5", tuple(headers), carried)


def verdicts(requests: list[Request], now: float) -> list[Verdict]:
    keys = KeyBook()
    keys.pin(ALICE.did_aip, ALICE.public)
    judge = Judge(keys, ReplayWindow())
    return [judge.judge(index, request, now) for index, request in enumerate(requests)]


def sent(http: Any, auth: object, method: str = "POST", url: str = URL, **content: Any) -> Request:
    """The request that a client of the module `http` sends."""
    caught: list[Request] = []

    def handle(request: Any) -> Any:
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        target = request.url.raw_path.decode()
        caught.append(as_seen(request.method, request.url.scheme, target, headers, request.content))
        return http.Response(200)

    with http.Client(auth=auth, transport=http.MockTransport(handle)) as client:
        client.request(method, url, **content)
    return caught[0]


@pytest.mark.parametrize("http", [httpx, httpx2])
@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize(
    ("method", "content"),
    [
        ("POST", {"content": CALL}),
        ("POST", {"json": {"é": [1, 2.5]}}),
        ("POST", {"data": {"a": "b c"}}),
        ("GET", {}),
        ("DELETE", {}),
    ],
)
def test_what_is_sent_verifies(http: Any, auth: Callable[..., Any], method: str, content: dict[str, Any]) -> None:
    (result,) = verdicts([sent(http, auth(ALICE, clock=lambda: NOW), method, **content)], NOW)
    assert (result.word, result.reasons) == (Word.VERIFIED, ())
    assert {Covered.METHOD, Covered.TARGET, Covered.BODY, Covered.TIME, Covered.NONCE} <= set(result.coverage)


@pytest.mark.parametrize("auth", AUTHS)
@pytest.mark.parametrize(
    "url",
    ["https://gateway.example/mcp", "http://gateway.example:80/mcp?a=b%20c&d", "http://[::1]:81/a%2Fb", "http://g"],
)
def test_addresses_of_all_shapes_verify(auth: Callable[..., Any], url: str) -> None:
    (result,) = verdicts([sent(httpx2, auth(ALICE, clock=lambda: NOW), url=url, content=CALL)], NOW)
    assert result.word is Word.VERIFIED


@pytest.mark.parametrize("auth", AUTHS)
def test_every_request_is_another(auth: Callable[..., Any]) -> None:
    signer = auth(ALICE, clock=lambda: NOW)
    results = verdicts([sent(httpx, signer, content=CALL) for _ in range(3)], NOW)
    assert [result.word for result in results] == [Word.VERIFIED] * 3


async def test_async_clients_of_both_libraries_sign() -> None:
    for http in (httpx, httpx2):
        caught: list[Any] = []

        async def handle(request: Any, http: Any = http, caught: list[Any] = caught) -> Any:
            caught.append(request)
            return http.Response(200)

        async with http.AsyncClient(auth=Rfc9421Auth(ALICE), transport=http.MockTransport(handle)) as client:
            await client.post(URL, content=CALL)
        assert "signature" in caught[0].headers


@pytest.mark.parametrize("http", [httpx, httpx2])
@pytest.mark.parametrize("auth", AUTHS)
async def test_a_redirected_request_is_signed_anew(http: Any, auth: Callable[..., Any]) -> None:
    """As the SDK follows a redirect: it sends the request that the library makes of it."""
    caught: list[Request] = []

    async def handle(request: Any) -> Any:
        target = request.url.raw_path.decode()
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        caught.append(as_seen(request.method, request.url.scheme, target, headers, await request.aread()))
        return http.Response(200) if target.endswith("/") else http.Response(307, headers={"location": "/mcp/"})

    async with http.AsyncClient(auth=auth(ALICE, clock=lambda: NOW), transport=http.MockTransport(handle)) as client:
        response = await client.post(URL, content=CALL)
        await client.send(response.next_request)
    assert [(request.target, request.body and request.body.text) for request in caught] == [
        ("/mcp", CALL.decode()),
        ("/mcp/", CALL.decode()),
    ]
    assert [result.word for result in verdicts(caught, NOW)] == [Word.VERIFIED] * 2


@pytest.mark.parametrize("auth", AUTHS)
def test_a_body_that_can_be_read_is_read(auth: Callable[..., Any]) -> None:
    request = sent(httpx, auth(ALICE, clock=lambda: NOW), content=iter([CALL[:5], CALL[5:]]))
    assert request.body is not None and request.body.text == CALL.decode()
    assert verdicts([request], NOW)[0].word is Word.VERIFIED


@pytest.mark.parametrize("auth", AUTHS)
async def test_a_streamed_body_is_refused(auth: Callable[..., Any]) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield CALL

    async with httpx.AsyncClient(auth=auth(ALICE)) as client:
        with pytest.raises(ValueError, match="streamed body cannot be signed"):
            await client.post(URL, content=pieces())


def test_the_session_is_covered_unless_it_is_not_wanted() -> None:
    headers = {"mcp-session-id": "s1"}
    (covered,) = verdicts([sent(httpx, Rfc9421Auth(ALICE, clock=lambda: NOW), content=CALL, headers=headers)], NOW)
    assert Covered.SESSION in covered.coverage
    without = Rfc9421Auth(ALICE, cover_session=False, clock=lambda: NOW)
    (bare,) = verdicts([sent(httpx, without, content=CALL, headers=headers)], NOW)
    assert (bare.word, Covered.SESSION in bare.coverage) == (Word.VERIFIED, False)


def test_no_alg_and_a_tag_when_asked_for() -> None:
    request = sent(httpx, Rfc9421Auth(ALICE, key_id="k", tag="t", clock=lambda: NOW), content=CALL)
    text = dict(request.headers)["signature-input"]
    assert ';keyid="k"' in text
    assert text.endswith(';tag="t"')
    assert "alg" not in text


def test_an_identity_with_quotes_in_it_is_still_one() -> None:
    request = sent(httpx, Rfc9421Auth(ALICE, key_id='a"b\\c', clock=lambda: NOW), content=CALL)
    keys = KeyBook()
    keys.pin('a"b\\c', ALICE.public)
    assert Judge(keys, ReplayWindow()).judge(0, request, NOW).word is Word.VERIFIED


def test_a_signature_of_sep_2752_has_all_it_asks_for() -> None:
    auth = Rfc9421Auth(ALICE, key_id=ALICE.fingerprint, tag="ledger", clock=lambda: NOW)
    headers = {"mcp-session-id": "s1", "mcp-protocol-version": "2025-11-25"}
    (result,) = verdicts([sent(httpx2, auth, content=CALL, headers=headers)], NOW)
    assert (result.word, result.profile, result.reasons) == (Word.VERIFIED, "sep-2752", ())
    assert result.signer is not None and result.signer.fingerprint == ALICE.fingerprint


def test_a_rotated_agent_signs_under_its_did() -> None:
    request = sent(httpx, AipAuth(ALICE, did="did:aip:" + "0" * 32), content=CALL)
    assert dict(request.headers)["x-aip-did"] == "did:aip:" + "0" * 32


class Recorder:
    """Notes each request as it came, and passes it on."""

    def __init__(self, inner: ASGIApp) -> None:
        self.seen: list[Request] = []
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        target = scope["raw_path"] + (b"?" + scope["query_string"] if scope["query_string"] else b"")
        headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in scope["headers"]]
        self.seen.append(as_seen(scope["method"], scope["scheme"], target.decode(), headers, body))
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._inner(scope, again, send)


@asynccontextmanager
async def server() -> AsyncIterator[tuple[str, Recorder]]:
    """A small MCP server on loopback, and what it saw."""
    mcp = MCPServer("echo")

    @mcp.tool()
    def echo(text: str) -> str:
        return text

    recorder = Recorder(mcp.streamable_http_app())
    listener = socket.create_server(("127.0.0.1", 0))
    running = uvicorn.Server(uvicorn.Config(recorder, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
    task = asyncio.create_task(running.serve(sockets=[listener]))
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/mcp", recorder
    finally:
        running.should_exit = True
        await task


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("auth", AUTHS)
async def test_the_official_client_signs_every_request(
    auth: Callable[..., Any], era: Literal["auto", "legacy"]
) -> None:
    async with (
        server() as (url, recorder),
        httpx2.AsyncClient(auth=auth(ALICE), trust_env=False) as http,
        Client(streamable_http_client(url, http_client=http), mode=era) as client,
    ):
        result = await client.call_tool("echo", {"text": "héllo"})
    assert not result.is_error
    methods = [request.method for request in recorder.seen]
    assert methods.count("POST") >= 2
    assert ("DELETE" in methods) is (era == "legacy")
    results = verdicts(recorder.seen, time.time())
    assert {result.word for result in results} == {Word.VERIFIED}
    bound = [
        Covered.SESSION in result.coverage
        for request, result in zip(recorder.seen, results, strict=True)
        if any(name == "mcp-session-id" for name, _ in request.headers)
    ]
    assert bool(bound) is (era == "legacy")
    assert set(bound) <= {auth is Rfc9421Auth}
