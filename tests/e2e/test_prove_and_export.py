"""`mcpwatch prove` and `mcpwatch export` on a real gateway, checked by who has the log's key alone."""

import json
import stat
from pathlib import Path

import pytest
from behind import Rig
from independent_proof import independent
from processes import Process

from mcpwatch.feed.pins import Pins, pins_folder

pytestmark = pytest.mark.e2e


async def run(*words: str) -> tuple[int, list[str]]:
    process = await Process.start(*words)
    return await process.wait(), process.lines


async def test_an_entry_of_a_running_gateway_is_proven_to_others(rig: Rig, state_folder: Path, tmp_path: Path) -> None:
    async with rig.stage().client("tourist", "orders") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})
    file = tmp_path / "3.tlog-proof"
    code, lines = await run("prove", rig.feed, "3", "-o", str(file))
    assert (code, lines[-1].startswith("entry 3 is in the log")) == (0, True), lines
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    (pin,) = Pins(pins_folder(state_folder)).all()
    origin, index, leaf = independent(file.read_bytes(), pin.keys[0])
    assert (index, json.loads(leaf)["source"], json.loads(leaf)["id"]) == (3, origin, "3")

    code, lines = await run("prove", rig.feed, "3", "-o", str(file))
    assert (code, "--force" in lines[-1]) == (5, True), lines

    out = tmp_path / "export.jsonl"
    code, lines = await run("export", rig.feed, "--proofs", "-o", str(out))
    assert (code, lines, stat.S_IMODE(out.stat().st_mode)) == (0, [], 0o600)
    head, *entries = map(json.loads, out.read_text().splitlines())
    assert [entry["index"] for entry in entries] == list(range(head["feeds"][0]["size"]))
    assert entries[3]["leaf"].encode() == leaf
    assert all(entry["proven"] and entry["inclusion"] for entry in entries)
    code, lines = await run("export", rig.feed, "--format", "har", "--filter", "tool:lookup_order")
    assert (code, "lookup_order" in "".join(lines)) == (0, True)

    code, lines = await run("prove", rig.feed, "1000000")
    assert (code, "No checkpoint covers entry 1000000" in lines[0]) == (2, True), lines
