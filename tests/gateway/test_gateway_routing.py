"""Where a request goes: one server gets targets as they are, several are told apart by name."""

from pathlib import Path

import pytest
from rig import answer, every, fetch, gateway, get, ok, only, scripted

from mcpwatch.model.entries import Request


async def test_several_upstreams_are_told_apart_by_name(tmp_path: Path) -> None:
    async with (
        scripted(answer(ok(b"a"))) as one,
        scripted(answer(ok(b"b"))) as two,
        gateway(tmp_path, f"files={one.url}", f"mail={two.url}") as running,
    ):
        assert (await fetch(running.listen_address, get(target=b"/files/mcp?x=1"))).body == b"a"
        assert (await fetch(running.listen_address, get(target=b"/mail/other/"))).body == b"b"
        assert (await fetch(running.listen_address, get(target=b"/mail?y"))).body == b"b"
        missing = await fetch(running.listen_address, get(target=b"/mcp"))
    assert [head.split(b" ")[1] for head, _ in one.requests] == [b"/mcp?x=1"]
    assert [head.split(b" ")[1] for head, _ in two.requests] == [b"/other/", b"/mcp?y"]
    assert missing.status == 404
    assert b"/files/, /mail/" in missing.body
    assert [request.upstream for request in every(tmp_path, Request)] == ["files", "mail", "mail", ""]


@pytest.mark.parametrize(
    ("target", "arrives"),
    [
        (b"/mcp", b"/mcp"),
        (b"/", b"/mcp"),
        (b"/.well-known/oauth-protected-resource", b"/.well-known/oauth-protected-resource"),
        (b"http://localhost:1/mcp?x", b"/mcp?x"),
        (b"http://localhost?x", b"/mcp?x"),
        (b"//x", b"//x"),
    ],
)
async def test_one_upstream_gets_targets_as_they_are(tmp_path: Path, target: bytes, arrives: bytes) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, get(target=target))
    assert server.requests[0][0].split(b" ")[1] == arrives
    assert only(tmp_path, Request).target == target.decode()


async def test_the_asterisk_passes(tmp_path: Path) -> None:
    async with scripted(answer(ok(b""))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, get(target=b"*", method=b"OPTIONS"))
    assert server.requests[0][0].startswith(b"OPTIONS * HTTP/1.1")
