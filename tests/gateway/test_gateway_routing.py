"""Where a request goes: one server gets targets as they are, several are told apart by name."""

from pathlib import Path

import pytest
from rig import answer, every, fetch, gateway, get, logged, ok, only, scripted

from mcpwatch.gateway.listener import address_here, bind
from mcpwatch.gateway.run import greeting
from mcpwatch.model.entries import GatewayStarted, Request


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


@pytest.mark.parametrize(
    ("target", "arrives"),
    [
        (b"/notes/mcp?x", b"/mcp?x"),
        (b"/notes", b"/mcp"),
        (b"/mcp", b"/mcp"),
        (b"/note/mcp", b"/note/mcp"),
        (b"/a/notes/mcp", b"/a/notes/mcp"),
    ],
)
async def test_one_upstream_with_a_name_is_reached_under_it_too(tmp_path: Path, target: bytes, arrives: bytes) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, f"notes={server.url}") as running:
        await fetch(running.listen_address, get(target=target))
    assert server.requests[0][0].split(b" ")[1] == arrives
    assert only(tmp_path, Request).upstream == "notes"


async def test_a_host_is_no_name(tmp_path: Path) -> None:
    async with scripted(answer(ok(b"{}"))) as server, gateway(tmp_path, server.url) as running:
        target = b"/%b/mcp" % server.url.split("/")[2].encode()
        await fetch(running.listen_address, get(target=target))
    assert server.requests[0][0].split(b" ")[1] == target


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        (["http://127.0.0.1:8000/mcp"], ["/mcp"]),
        (["notes=http://127.0.0.1:8000/mcp"], ["/notes/mcp"]),
        (["http://127.0.0.1:8000"], [""]),
        (["notes=http://127.0.0.1:8000/mcp", "mail=http://127.0.0.1:8001"], ["/notes/mcp", "/mail"]),
    ],
)
async def test_the_addresses_for_clients_are_told_in_full(tmp_path: Path, words: list[str], paths: list[str]) -> None:
    async with gateway(tmp_path, *words) as running:
        told = greeting(running)[1 : len(words) + 1]
        urls = [word.partition("=")[2] or word for word in words]
        assert told == [f"  {running.listen_address}{path} -> {url}" for path, url in zip(paths, urls, strict=True)]
        (started,) = await logged(running, GatewayStarted)
        assert (started.listen, [each.path for each in started.upstreams]) == (running.listen_address, paths)


async def test_the_command_that_watches_is_told_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_RUN_RECURSION_DEPTH", "1")
    monkeypatch.setenv("MCPWATCH_STATE", "/a b")
    monkeypatch.delenv("MCPWATCH_CONFIG")
    async with gateway(tmp_path, "http://127.0.0.1:8000/mcp") as running:
        told = greeting(running)
    assert f"watch with: MCPWATCH_STATE='/a b' uv run mcpwatch watch {running.feed_address}" in told


async def test_the_asterisk_passes(tmp_path: Path) -> None:
    async with scripted(answer(ok(b""))) as server, gateway(tmp_path, server.url) as running:
        await fetch(running.listen_address, get(target=b"*", method=b"OPTIONS"))
    assert server.requests[0][0].startswith(b"OPTIONS * HTTP/1.1")


@pytest.mark.parametrize(("host", "here"), [("0.0.0.0", "127.0.0.1"), ("127.0.0.1", "127.0.0.1")])
async def test_a_feed_on_all_addresses_is_told_by_one_that_can_be_called(tmp_path: Path, host: str, here: str) -> None:
    with bind((host, 0), "--feed") as listener:
        port = listener.getsockname()[1]
        assert address_here(listener) == f"http://{here}:{port}"
