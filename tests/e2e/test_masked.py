"""What a gateway masks or leaves out: signatures are verified all the same, and nobody who reads the feed sees it."""

import json
import subprocess
import sys
import time
from asyncio import gather
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha512
from pathlib import Path

import pytest
from behind import GREETING
from processes import COMMAND, Process
from rig import Talk, connect, ok, post, scripted
from seeded import SEEDED, hits
from terminals import Terminal

from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import aip_headers, rfc9421_headers

pytestmark = pytest.mark.e2e

SECRET = SEEDED[1].text
TOLD = json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": f"key: {SECRET}"}]}})


def calls() -> list[bytes]:
    """A call with each of the secrets in it."""
    return [
        json.dumps(
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "tools/call",
                "params": {"name": "save", "arguments": {"text": seed.text, "password": seed.parts[0], seed.text: 1}},
            }
        ).encode()
        for number, seed in enumerate(SEEDED, 1)
    ]


@asynccontextmanager
async def watched(*words: str) -> AsyncIterator[tuple[str, str]]:
    """A gateway process before a server that tells a secret: its address and its feed's."""

    async def script(talk: Talk) -> None:
        await talk.send(ok(TOLD.encode()))

    async with scripted(script) as server:
        ports = ("--listen", "127.0.0.1:0", "--feed", "127.0.0.1:0")
        process = await Process.start("gateway", "--upstream", server.url, *ports, *words)
        greeting = GREETING.search((await process.until(bool))[0])
        assert greeting is not None
        yield greeting[1], greeting[2]
        await process.end()
        assert not hits("".join(process.lines).encode())


async def send(address: str, *requests: bytes) -> None:
    talk = await connect(address)
    for request in requests:
        await talk.send(request)
        assert (await talk.reply()).status == 200
    talk.writer.close()


async def output(*words: str) -> bytes:
    process = await Process.start(*words)
    await process.wait()
    return "".join(process.lines).encode()


@pytest.mark.parametrize("capture", ["full", "masked", "digest"])
async def test_a_signature_over_a_body_is_verified_by_its_digest(capture: str) -> None:
    key, body = AgentKey.generate(), calls()[0]
    subprocess.run([*COMMAND, "keys", "add", key.did_aip, key.public_base64], check=True, capture_output=True)
    now, requests = time.time(), []
    async with watched("--capture", capture) as (address, feed):
        uri = f"{address}/mcp"
        long = f"sha-512=:{b64encode(sha512(body).digest()).decode()}:"
        host = address.removeprefix("http://").encode()
        for number, signed in enumerate(
            (
                aip_headers(key, "POST", "/mcp", body, now=now, nonce="a" * 24),
                rfc9421_headers(key, "POST", uri, {}, body, now=now, nonce="b" * 24),
                rfc9421_headers(key, "POST", uri, {}, body, now=now, nonce="c" * 24, digest=long),
                rfc9421_headers(key, "POST", uri, {}, body, now=now, nonce="d" * 24),
            )
        ):
            fields = [f"{name}: {value}".encode() for name, value in signed.items()]
            requests.append(post(body + b" " * (number == 3), *fields, host=host))
        await send(address, *requests)
        told = await output("tail", feed, "--all", "--json", "--until-idle", "0.3")
    lines = [json.loads(line) for line in told.splitlines() if line.startswith(b"{")]
    verdicts = {line["index"]: line["verdict"] for line in lines if line.get("verdict")}
    *good, bad = (verdicts[index] for index in sorted(verdicts))
    assert [verdict["word"] for verdict in good] == ["VERIFIED"] * 3
    assert all("body" in verdict["coverage"] for verdict in good)
    assert {verdict["body_by_digest"] for verdict in good} == {capture != "full"}
    assert {verdict["body_as_checked"] for verdict in good} == {capture == "full"}
    assert bad["word"] == "BAD SIG"


async def test_nobody_who_reads_the_feed_sees_a_secret(tmp_path: Path, state_folder: Path) -> None:
    file, proof = tmp_path / "kept.mcpfeed", tmp_path / "one.tlog-proof"
    async with watched() as (address, feed):
        await send(address, *(post(body, b"Mcp-Session-Id: " + SECRET.encode()) for body in calls()))
        readers = (
            ("tail", feed, "--all", "--until-idle", "0.3"),
            ("tail", feed, "--all", "--json", "--until-idle", "0.3"),
            ("check", feed, "--format", "json"),
            ("alerts", feed),
            ("record", feed, "-o", str(file), "--for", "1"),
            ("prove", feed, "1", "-o", str(proof)),
            *(("export", feed, "--format", form) for form in ("jsonl", "csv", "markdown", "har")),
        )
        seen = dict(zip(map(" ".join, readers), await gather(*(output(*words) for words in readers)), strict=True))
        terminal = Terminal([sys.executable, "-m", "mcpwatch", "watch", feed])
        try:
            terminal.until_read("LIVE")
            terminal.type(b"2", b"3", b"4", b"5", b"6", b"1", b"\r", b"\x1b")
            terminal.type_until_it_ends(b"q", b"\r")
            seen["screen"] = terminal.drawn
        finally:
            terminal.kill()
    assert any(octets.count(b"\n") > 4 * len(SEEDED) for octets in seen.values())
    for name, octets in seen.items():
        assert octets, name
        assert not hits(octets), name
    for path in (file, proof, *state_folder.rglob("*")):
        assert not path.is_file() or not hits(path.read_bytes()), path
    assert file.stat().st_size > 10_000
    assert proof.stat().st_size > 500
