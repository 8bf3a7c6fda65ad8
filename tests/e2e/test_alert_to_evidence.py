"""Woken by an alert, at 80x24 and with the screen alone: who did it, what else, a note that stays, evidence."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from behind import Rig
from processes import COMMAND
from terminals import Terminal

from mcpwatch.demo.agents.wire import Wire, send_again

pytestmark = pytest.mark.e2e

NOTE = "rang Jo who locked the key"


def answer(feed: str, folder: Path) -> str:
    """From the alert to the note, in one run of the dashboard, and to the evidence, in the next; returns the file."""
    first = Terminal([*COMMAND, "watch", feed])
    try:
        first.until_read("1 Live", "REPLAY")
        first.type(b"3")
        first.until_read("Replayed request", "in the name of", "a ack", "w export")
        first.type(b"\r")
        first.until_read("These signed bytes were seen before", "a ack", "s session")
        first.type(b"s")
        first.until_read("waterfall", "read_note", "a ack")
        first.type(b"a", NOTE.encode(), b"\r")
        first.until_read("Acknowledged, ")
        assert first.type_until_it_ends(b"\x11", b"\r") == 0
    finally:
        first.kill()

    again = Terminal([*COMMAND, "watch", feed])
    try:
        again.until_read("1 Live", "REPLAY")
        again.type(b"3")
        again.until_read("1 acknowledged", "ack'd")
        again.type(b"/", b"rang jo")
        again.until_read("1 of 1 have “rang jo”", "acknowledged by ")
        again.type(b"\r")
        again.until_read("w export")
        again.type(b"w")
        again.until_read("enter write it")
        again.type(b"\r")
        again.until_read("all proven, in ")
        assert again.type_until_it_ends(b"\x11", b"\r") == 0
    finally:
        again.kill()
    (written,) = folder.glob("mcpwatch-alert-*.jsonl")
    return written.read_text()


async def test_with_at_most_three_keys_a_step(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    async with rig.stage().client("scribe", "notes", "legacy", wire=wire) as notes:
        await notes.call_tool("read_note", {"id": "note-7f3a91c2"})
        assert await send_again(wire.last_call(), {}) == 200
    monkeypatch.chdir(tmp_path)
    head, *entries = [
        msgspec.json.decode(line) for line in (await asyncio.to_thread(answer, rig.feed, tmp_path)).splitlines()
    ]
    assert head["feeds"][0]["proven"]
    assert "REPLAY" in {entry["verdict"]["word"] for entry in entries if entry["kind"] == "request"}
