"""Secrets that pass through the gateway reach both ends, and no file, stream or log line of its own."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from rig import Talk, answer, connect, fetch, gateway, get, ok, only, post, scripted
from watcher import Watcher, token_of

from mcpwatch.gateway.arrival import Arrival
from mcpwatch.model.entries import Request, Response

HEADERS = (
    "authorization",
    "proxy-authorization",
    "cookie",
    "x-api-key",
    "x-auth-token",
    "x-aip-token",
    "mcp-param-city",
)
NAMES = ("password", "apiKey", "access_token", "client-secret", "session_id", "Card Number", "private_key", "otp")


def seeds() -> Iterator[str]:
    number = 0
    while True:
        number += 1
        yield f"s33d-{number:03}-5ecret"


SEED = b"s33d-"


def carrier(names: tuple[str, ...], seed: Iterator[str]) -> dict[str, object]:
    """JSON that holds a secret under each name: shallow, deep, in a list and in a string that is JSON itself."""
    return {
        "jsonrpc": "2.0",
        "id": 1,
        **{name: next(seed) for name in names},
        "params": {"arguments": [{"deep": {name: next(seed) for name in names}}]},
        "content": [{"type": "text", "text": json.dumps({name: [next(seed)] for name in names})}],
    }


@pytest.mark.parametrize("capture", ["masked", "digest"])
async def test_no_secret_reaches_a_file_the_feed_or_a_log_line(
    tmp_path: Path, capture: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seed = seeds()
    body = json.dumps(carrier(NAMES, seed)).encode()
    result = json.dumps(carrier(NAMES, seed)).encode()
    fields = [f"{name}: {next(seed)}".encode() for name in HEADERS]
    fields += [b"Mcp-Session-Id: " + next(seed).encode()]
    fields += [b'Signature-Input: s=("authorization" "cookie" "x-api-key" "mcp-param-city")', b"Signature: s=:AA==:"]
    target = f"/mcp?a=1&api_key={next(seed)}&refresh%5Ftoken={next(seed)}&b".encode()
    cookies = [b"Set-Cookie: " + next(seed).encode() for _ in range(2)]
    fields += [f"Mcp-Name: https://x.example/?api_key={next(seed)}".encode()]
    session = b"Mcp-Session-Id: " + next(seed).encode()
    stream = b"data: %b\n\nevent: endpoint\ndata: /m?sessionId=%b\n\n" % (result, next(seed).encode())
    answers = [
        ok(result, b"application/json", *cookies, session),
        ok(stream, b"text/event-stream"),
        ok(b"client_secret=" + next(seed).encode(), b"text/plain"),
        ok(b"\xff" + next(seed).encode(), b"application/octet-stream"),
    ]
    sent: list[bytes] = []

    async def script(talk: Talk) -> None:
        sent.append(answers[len(sent)])
        await talk.send(sent[-1])

    watcher = Watcher()
    async with scripted(script) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await watcher.connect(running.feed_address, token_of(tmp_path))
        for expected in answers:
            reply = await fetch(running.listen_address, post(body, *fields, target=target))
            assert reply.head + reply.body == expected
        talk = await connect(running.listen_address)
        await talk.send(post(body, *fields, host=f"user:{next(seed)}@evil.example".encode()))
        await talk.reply()
    await watcher.drain()
    assert all(body == each and all(field in head for field in fields) for head, each in server.requests)
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SEED not in path.read_bytes(), path
    assert watcher.verified == len(watcher.entries) > 20
    assert not [entry for entry in watcher.entries if SEED in entry.leaf]
    assert SEED.decode() not in caplog.text
    assert token_of(tmp_path) not in caplog.text
    assert running.token.reveal() not in repr(running.token)


async def test_even_a_full_capture_withholds_credentials(tmp_path: Path) -> None:
    seed = seeds()
    fields = [f"{name}: {next(seed)}".encode() for name in HEADERS] + [b"Mcp-Session-Id: " + next(seed).encode()]

    async def script(talk: Talk) -> None:
        await talk.send(ok(b'{"password":"kept"}', b"application/json", b"Set-Cookie: " + next(seed).encode()))

    async with scripted(script) as server, gateway(tmp_path, server.url, capture="full") as running:
        await fetch(running.listen_address, post(b'{"password":"kept"}', *fields, target=b"/mcp?token=kept"))
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or SEED not in path.read_bytes(), path
    request = only(tmp_path, Request)
    assert request.body is not None
    assert (request.body.text, request.target) == ('{"password":"kept"}', "/mcp?token=kept")
    assert request.withheld == HEADERS
    assert len(request.session) == 32
    assert only(tmp_path, Response).session == ""


async def test_what_cannot_be_read_is_not_quoted(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        for address in (running.listen_address, running.feed_address):
            for request in (get(b"Authorization: Bearer s33d-\x07"), get(target=b"/\xffs33d-"), b"s33d- \r\n\r\n"):
                assert (await fetch(address, request)).status == 400
    assert "s33d-" not in caplog.text


async def test_a_failure_of_the_gateway_itself_is_told_without_what_it_met(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(arrival: Arrival, guard: object) -> None:
        raise KeyError(arrival.body)

    monkeypatch.setattr(Arrival, "admit", fail)
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(b"s33d-"))).status == 500
    assert "KeyError at " in caplog.text
    assert "s33d-" not in caplog.text
