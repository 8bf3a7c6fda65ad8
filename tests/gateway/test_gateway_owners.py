"""Whose a session is, before an enforcing gateway."""

import json
from pathlib import Path

import pytest
from enforced import RESULT, call, enforcing, origin, pinned, refused, registry_of, signed
from rig import Script, answer, fetch, gateway, ok, scripted

from mcpwatch.errors import LocalError
from mcpwatch.gateway.owners import Owners
from mcpwatch.identity.agent_key import AgentKey

HELLO = json.dumps({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}).encode()
IN_S1 = {"mcp-session-id": "s1"}


def giving() -> Script:
    """A server that gives out a session."""
    return answer(ok(RESULT, b"application/json", b"Mcp-Session-Id: s1"), ok(RESULT))


def test_who_begins_many_loses_their_own(tmp_path: Path) -> None:
    owners = Owners(tmp_path / "owners", limit=10)
    owners.take(("here", "ann's"), "ann")
    for number in range(100):
        owners.take(("here", f"eve's {number}"), "eve")
    assert owners.owner(("here", "ann's")) == "ann"
    held = [number for number in range(100) if owners.owner(("here", f"eve's {number}"))]
    assert held == list(range(91, 100))


def test_a_session_in_use_stays(tmp_path: Path) -> None:
    owners = Owners(tmp_path / "owners", limit=3)
    for id in ("a", "b", "c"):
        owners.take(("here", id), "ann")
    assert owners.owner(("here", "a")) == "ann"
    owners.take(("here", "d"), "ann")
    assert [id for id in "abcd" if owners.owner(("here", id))] == ["a", "c", "d"]


def test_a_session_is_taken_once(tmp_path: Path) -> None:
    owners = Owners(tmp_path / "owners")
    owners.take(("here", "a"), "ann")
    owners.take(("here", "a"), "eve")
    owners.take(("there", "a"), "eve")
    assert (owners.owner(("here", "a")), owners.owner(("there", "a"))) == ("ann", "eve")


async def test_the_next_run_knows_them(tmp_path: Path) -> None:
    path = tmp_path / "owners"
    owners = Owners(path, limit=2)
    assert owners.is_saved
    for id in ("a", "b", "c"):
        owners.take(("here", id), "ann")
    await owners.save()
    assert path.stat().st_mode & 0o777 == 0o600
    again = Owners(path, limit=2)
    assert [id for id in "abc" if again.owner(("here", id)) == "ann"] == ["b", "c"]
    assert again.is_saved


async def test_what_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "owners"
    owners = Owners(path)
    owners.take(("here", "a"), "ann")
    path.mkdir()
    with pytest.raises(OSError, match="directory"):
        await owners.save()
    path.rmdir()
    await owners.save()
    assert Owners(path).owner(("here", "a")) == "ann"


@pytest.mark.parametrize("text", ["", "{}", '{"owners":[["a","b"]]}', "\xff"])
def test_a_file_that_says_nothing_starts_no_gateway(tmp_path: Path, text: str) -> None:
    path = tmp_path / "owners"
    path.write_bytes(text.encode("iso-8859-1"))
    path.chmod(0o600)
    with pytest.raises(LocalError, match="does not say whose sessions are"):
        Owners(path)


async def test_a_session_stays_its_signers_over_restarts(tmp_path: Path) -> None:
    ann, eve = pinned(tmp_path, "ann"), pinned(tmp_path, "eve")
    async with scripted(giving()) as server:
        async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
            assert (await fetch(running.listen_address, signed(ann, HELLO))).status == 200
        server.requests.clear()
        async with gateway(tmp_path, server.url, enforcement=enforcing(tmp_path)) as running:
            reply = await fetch(running.listen_address, signed(eve, call(), covered=IN_S1))
            assert "identity/wrong-key" in refused(reply, server)
            assert (await fetch(running.listen_address, signed(ann, call(), covered=IN_S1))).body == RESULT
    assert b"s1" not in (tmp_path / "gateway" / "owners.json").read_bytes()


async def test_a_session_is_its_signers_under_each_name_of_the_server(tmp_path: Path) -> None:
    ann, eve = pinned(tmp_path, "ann"), pinned(tmp_path, "eve")
    async with (
        scripted(giving()) as server,
        gateway(tmp_path, f"one={server.url}", f"two={server.url}", enforcement=enforcing(tmp_path)) as running,
    ):
        where = running.listen_address
        assert (await fetch(where, signed(ann, HELLO, target="/one/mcp"))).status == 200
        server.requests.clear()
        reply = await fetch(where, signed(eve, call(), covered=IN_S1, target="/two/mcp"))
        assert "identity/wrong-key" in refused(reply, server)


async def test_who_began_a_session_is_known_when_the_key_comes_after_the_handshake(tmp_path: Path) -> None:
    ann, eve = AgentKey.generate(), pinned(tmp_path, "eve")
    async with scripted(registry_of(ann)) as registry, scripted(giving()) as server:
        enforcement = enforcing(tmp_path, registry=origin(registry))
        async with gateway(tmp_path, server.url, enforcement=enforcement) as running:
            where = running.listen_address
            await fetch(where, signed(ann, HELLO))
            assert (await fetch(where, signed(ann, call(), covered=IN_S1))).body == RESULT
            server.requests.clear()
            reply = await fetch(where, signed(eve, call(), covered=IN_S1))
            assert "identity/wrong-key" in refused(reply, server)
