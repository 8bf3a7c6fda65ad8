"""What mcpwatch is for, end to end: a signed agent, what may happen to its requests, and what a watcher says."""

from pathlib import Path

import pytest
from behind import Rig
from processes import Process, Told, told

from mcpwatch.demo.agents.wire import Wire, send_again
from mcpwatch.demo.cast import CAST
from mcpwatch.identity.pins import add_pin, pins_path

pytestmark = pytest.mark.e2e

NOTE = {"id": "note-7f3a91c2"}


def calls(lines: list[str], word: str) -> list[Told]:
    """Requests that call a tool and got that verdict."""
    requests = [entry for entry in told(lines, "entry") if entry["kind"] == "request" and entry["tool"]]
    return [entry for entry in requests if entry["verdict"]["word"] == word]


def alerts(lines: list[str], rule: str) -> list[Told]:
    return [alert for alert in told(lines, "alert") if alert["rule"] == rule]


async def test_a_signed_call_and_what_may_become_of_it(rig: Rig, state_folder: Path) -> None:
    ledger, stage = rig.keys["ledger"], rig.stage()
    add_pin(pins_path(state_folder), ledger.did_aip, ledger.public_base64)
    tail = await Process.start("tail", rig.feed, "--json", "--all")

    wire = Wire()
    async with stage.client("ledger", "notes", "legacy", wire=wire) as notes:
        await notes.call_tool("read_note", NOTE)
        (verified, *_) = calls(await tail.until(lambda lines: bool(calls(lines, "VERIFIED"))), "VERIFIED")
        verdict = verified["verdict"]
        assert (verdict["signature"], verdict["freshness"], verdict["evidence"]) == ("valid", "fresh", "verified here")
        assert {"method", "body", "time", "nonce"} <= set(verdict["coverage"])
        assert "session id" not in verdict["coverage"]
        assert verdict["identity"]["id"] == verified["identity"] == ledger.did_aip
        assert verdict["identity"]["resolution"] == "pinned"
        assert (verified["tool"], verified["server"]) == ("read_note", "notes")

        assert await send_again(wire.last_call(), {}) == 200
        await tail.until(lambda lines: bool(alerts(lines, "identity/replayed")))
        (replay,) = calls(tail.lines, "REPLAY")
        assert replay["verdict"]["first_seen"] == verified["index"]
        assert replay["index"] in alerts(tail.lines, "identity/replayed")[0]["evidence"]

    async with stage.client("ledger", "notes", "legacy", wire=Wire(swap=(b"7f3a91c2", b"7f3a91c3"))) as notes:
        await notes.call_tool("read_note", NOTE)
        await tail.until(lambda lines: bool(alerts(lines, "identity/bad-signature")))
        (bad,) = calls(tail.lines, "BAD SIG")
        assert (bad["verdict"]["signature"], bad["evidence"]) != ("valid", "verified here")
        assert bad["index"] in alerts(tail.lines, "identity/bad-signature")[0]["evidence"]

    theirs = Wire()
    async with stage.client("scribe", "notes", "legacy", wire=theirs) as notes:
        await notes.call_tool("read_note", NOTE)
        intruding = Wire(headers={"mcp-session-id": theirs.session()}, where=b'"tools/call"')
        async with stage.client("ledger", "notes", "legacy", wire=intruding) as other:
            await other.call_tool("read_note", NOTE)
        await tail.until(lambda lines: bool(alerts(lines, "identity/wrong-key")))
        (wrong,) = calls(tail.lines, "WRONG KEY")
        assert wrong["verdict"]["signature"] == "valid"
        assert wrong["verdict"]["identity"]["id"] == ledger.did_aip
        assert wrong["session"]["bound_to"] == rig.keys["scribe"].did_key
        (alert,) = alerts(tail.lines, "identity/wrong-key")
        assert wrong["index"] in alert["evidence"]
        assert alert["severity"] == "critical"
    await tail.end()


async def test_a_signature_over_the_session_id_binds_the_session(rig: Rig) -> None:
    tail = await Process.start("tail", rig.feed, "--json", "--all")
    async with rig.stage().client("scribe", "notes", "legacy") as notes:
        await notes.call_tool("read_note", NOTE)
    (call, *_) = calls(await tail.until(lambda lines: bool(calls(lines, "VERIFIED"))), "VERIFIED")
    assert "session id" in call["verdict"]["coverage"]
    assert call["session"]["kind"] == "session id"
    assert call["session"]["strength"] == "signature covers the session id"
    assert call["session"]["bound_to"] == rig.keys["scribe"].did_key
    assert not told(tail.lines, "alert")
    await tail.end()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_an_unsigned_call_is_said_to_be_unsigned(rig: Rig, mode: str) -> None:
    tail = await Process.start("tail", rig.feed, "--json", "--all")
    async with rig.stage().client("tourist", "orders", "legacy" if mode == "legacy" else "auto") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})
    await tail.until(lambda lines: bool(calls(lines, "UNSIGNED")) and bool(alerts(lines, "identity/unsigned-call")))
    (call,) = calls(tail.lines, "UNSIGNED")
    assert call["verdict"]["identity"] is None
    assert CAST["tourist"].name in call["identity"]
    assert call["evidence"] == "claimed by the client"
    await tail.end()


async def test_a_key_pinned_while_tail_runs_verifies_what_came_before(rig: Rig) -> None:
    ledger = rig.keys["ledger"]
    tail = await Process.start("tail", rig.feed, "--json", "--all")
    async with rig.stage().client("ledger", "notes", "legacy") as notes:
        await notes.call_tool("read_note", NOTE)
    (call,) = calls(await tail.until(lambda lines: bool(calls(lines, "NO CHECK"))), "NO CHECK")
    pinning = await Process.start("keys", "add", ledger.did_aip, ledger.public_base64, "--name", "the ledger")
    assert await pinning.wait() == 0

    def judged_again(lines: list[str]) -> list[Told]:
        return [line["verdict"] for line in told(lines, "verdict") if line["index"] == call["index"]]

    (verdict,) = judged_again(await tail.until(lambda lines: bool(judged_again(lines))))
    assert verdict["word"] == "VERIFIED"
    assert (verdict["identity"]["id"], verdict["identity"]["name"]) == (ledger.did_aip, "the ledger")
    await tail.end()
