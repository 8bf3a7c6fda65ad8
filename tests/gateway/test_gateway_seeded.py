"""Secrets of every kind, at every place where they may come in, reach no file, no stream and no line of a log.

What is not found by design is at the end, and in the README's list of limits.
"""

import json
import logging
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from rig import Talk, connect, fetch, gateway, get, ok, post, scripted
from seeded import SEEDED, Seeded, hits
from watcher import Watcher, token_of

from mcpwatch.gateway.arrival import Arrival
from mcpwatch.gateway.mask import mask_body
from mcpwatch.gateway.mask_text import mask_target

KINDS = [seed.kind for seed in SEEDED]


def escaped(text: str) -> str:
    """A JSON string in which each character is an escape."""
    return '"' + "".join(f"\\u{ord(char):04x}" for char in text) + '"'


def line(text: str) -> str:
    """On one line, as header fields are."""
    return text.replace("\n", " ")


def asked(secret: str) -> Iterator[str]:
    """Bodies of requests with the secret in each of their places."""
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call"}
    for arguments in (
        {"note": secret},
        {"deep": [{"deeper": {"list": [0, secret]}}]},
        {secret: 1},
        {"token": secret, "api_key": [secret], "X-Api-Key": {"value": secret}},
        {"query": f"please use {secret}, it works"},
        {"json": json.dumps({"inner": json.dumps({"innermost": secret})})},
        {"command": f"curl -H 'X-Key: {secret}' --token {secret} https://a.example/?q={quote(secret)}"},
        {"uri": f"https://a.example/{quote(secret)}?token={quote(secret, safe='')}#access_token={quote(secret)}"},
    ):
        yield json.dumps({**rpc, "params": {"name": "t", "arguments": arguments, "_meta": {"progressToken": secret}}})
    yield json.dumps({**rpc, "params": {"name": secret}})
    yield json.dumps({**rpc, "id": secret})
    yield json.dumps({**rpc, "method": secret})
    yield json.dumps({**rpc, "method": "initialize", "params": {"clientInfo": {"name": secret, "version": secret}}})
    yield json.dumps({"text": "PLACE"}).replace('"PLACE"', escaped(secret))
    yield f"grant=x&client={quote(secret, safe='')}&password={quote(secret, safe='')}"
    yield f"log: {secret}\nexport KEY='{secret}'\n"
    yield json.dumps({"cut": secret})[:-1]


def answered(secret: str) -> Iterator[bytes]:
    """Answers with the secret in each of their places."""
    rpc = {"jsonrpc": "2.0", "id": 1}
    result = {"content": [{"type": "text", "text": f"here it is:\n{secret}\n"}], "structuredContent": {"x": secret}}
    text = json.dumps({**rpc, "result": result}).encode()
    yield ok(text)
    yield ok(json.dumps({**rpc, "error": {"code": 1, "message": f"cannot use {secret}", "data": secret}}).encode())
    tool = {"name": "t", "description": f"Give it {secret}.", "inputSchema": {"properties": {"a": {"default": secret}}}}
    yield ok(json.dumps({**rpc, "result": {"tools": [tool], "instructions": secret}}).encode())
    named, told = quote(secret, safe="").encode(), line(secret).encode()
    yield ok(
        b"id: %b\nevent: %b\ndata: %b\n\n" % (told, told, text) + b"event: endpoint\ndata: /m?token=%b\n\n" % named,
        b"text/event-stream",
    )
    challenge = b'WWW-Authenticate: Bearer error_description="%b"' % told
    yield ok(b"plain text with %b" % secret.encode(), b"text/plain", challenge, b"Set-Cookie: a=" + named)


def fields(seed: Seeded) -> list[bytes]:
    """Header fields with the secret: credentials, the session, and what else enters the log."""
    bare, text = seed.parts[-1], line(seed.text)
    return [
        f"Authorization: Bearer {bare}".encode(),
        f"X-Api-Key: {text}".encode(),
        f"Cookie: a={bare}".encode(),
        f"Mcp-Session-Id: {bare}-{bare}".encode(),
        f"Mcp-Param-Key: {text}".encode(),
        f"Mcp-Name: {text}".encode(),
        f"User-Agent: agent ({text})".encode(),
        f"Last-Event-ID: {text}".encode(),
        f"Tracestate: a={text}".encode(),
        f"X-Odd: {text}".encode(),
        b'Signature-Input: s=("x-odd" "mcp-name" "cookie")',
    ]


@pytest.mark.parametrize("capture", ["masked", "digest"])
async def test_no_seeded_secret_is_in_a_file_the_feed_or_a_log_line(
    tmp_path: Path, capture: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    count = 0
    answers: list[bytes] = []

    async def script(talk: Talk) -> None:
        await talk.send(answers[0])

    watcher = Watcher()
    async with scripted(script) as server, gateway(tmp_path, server.url, capture=capture) as running:
        await watcher.connect(running.feed_address, token_of(tmp_path))
        agent = await connect(running.listen_address)
        for seed in SEEDED:
            quoted = quote(seed.text, safe="").encode()
            secret_target = b"/mcp/%b/x?a=%b&api_key=%b#%b" % (quoted, quoted, quoted, quoted)
            requests = [post(body.encode(), target=b"/mcp") for body in asked(seed.text)]
            requests += [get(*fields(seed)), get(target=secret_target)]
            replies = list(answered(seed.text))
            for number, request in enumerate((*requests, *([get()] * len(replies)))):
                answers[:] = [replies[number % len(replies)]]
                await agent.send(request)
                await agent.reply()
                count += 1
        agent.writer.close()
        await watcher.until(4 * count)
        for path in tmp_path.rglob("*"):
            assert not path.is_file() or not hits(path.read_bytes()), path
    await watcher.drain()
    assert {path.name for path in tmp_path.rglob("*")} >= {"journal.sqlite3", "log.key"}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not hits(path.read_bytes()), path
    assert not hits(b"\n".join(entry.leaf for entry in watcher.entries))
    assert not hits(caplog.text.encode())


@pytest.mark.parametrize("seed", SEEDED, ids=KINDS)
def test_each_is_found_by_its_form_alone(seed: Seeded) -> None:
    text = json.dumps({"note": f"look: {seed.text}, good?"})
    assert hits(text.encode())
    masked, count = mask_body(text)
    assert (count, hits(masked.encode())) == (1, [])
    assert json.loads(masked)["note"].startswith("look: ")
    assert json.loads(masked)["note"].endswith(", good?")


@pytest.mark.parametrize("seed", SEEDED, ids=KINDS)
async def test_a_crash_while_a_secret_is_handled_tells_nothing_of_it(
    tmp_path: Path, seed: Seeded, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(arrival: Arrival, guard: object) -> None:
        raise RuntimeError(arrival.body)

    monkeypatch.setattr(Arrival, "admit", fail)
    async with scripted(lambda talk: talk.send(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        assert (await fetch(running.listen_address, post(next(asked(seed.text)).encode()))).status == 500
    assert "RuntimeError at " in caplog.text
    assert not hits(caplog.text.encode())
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or not hits(path.read_bytes()), path


KEY = SEEDED[1].text
NOT_FOUND = {
    "base64": json.dumps({"file": b64encode(f"k={KEY}".encode()).decode()}),
    "in-pieces": json.dumps({"parts": [KEY[:12], KEY[12:]]}),
    "reversed": json.dumps({"odd": KEY[::-1]}),
    "a-word-in-prose": json.dumps({"text": "the password: swordfish, as ever"}),
    "of-no-known-form": json.dumps({"note": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822c"}),
    "a-jws-in-the-open": json.dumps({"jws": next(seed.text for seed in SEEDED if seed.kind == "JWT")}),
}


@pytest.mark.parametrize("text", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_the_readme_says_is_not_found(text: str) -> None:
    assert mask_body(text) == (text, 0)


def test_a_target_in_plain_words_stays() -> None:
    assert mask_target("/mcp/v1/caf%C3%A9?q=two%20words&page=2") == ("/mcp/v1/caf%C3%A9?q=two%20words&page=2", 0)
