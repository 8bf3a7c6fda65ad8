"""`mcpwatch check` on a real gateway: what it exits with and what it writes."""

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

import pytest
from behind import Rig
from processes import Process

from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.feed.upto import UpTo
from mcpwatch.gateway.folder import token_path
from mcpwatch.secret import read_secret

pytestmark = pytest.mark.e2e


async def checked(*words: str) -> tuple[int, list[str]]:
    process = await Process.start("check", *words)
    return await process.wait(), process.lines


async def test_an_unsigned_call_fails_at_medium_and_not_at_high(rig: Rig, state_folder: Path) -> None:
    async with rig.stage().client("tourist", "orders") as orders:
        await orders.call_tool("lookup_order", {"number": "A-1042"})

    code, lines = await checked()
    assert (code, lines[-1].partition(":")[0]) == (0, "passed"), lines
    assert ", proven by the checkpoint" in lines[0]

    code, lines = await checked(rig.feed, "--fail-on", "medium", "--until-idle", "0.5")
    assert (code, lines[-1].partition(":")[0]) == (1, "FAILED"), lines
    assert any("identity/unsigned-call" in line for line in lines)

    code, lines = await checked(rig.feed, "--fail-on", "medium", "--format", "json")
    report = json.loads("\n".join(line for line in lines if not line.startswith("FAILED")))
    (feed,) = report["feeds"]
    assert (code, report["exit_code"], feed["is_proven"]) == (1, 1, True)
    assert feed["entries"] == feed["size"] == feed["verified_size"] > 0
    assert {alert["rule"] for alert in report["alerts"] if alert["fails"]} >= {"identity/unsigned-call"}

    code, lines = await checked(rig.feed, "--format", "junit", "--filter", "tool:nothing")
    assert code == 0
    assert {case.tag for suite in fromstring("\n".join(lines[:-1])) for case in suite} == {"testcase"}


async def test_what_is_read_is_what_was_proven_when_it_was_joined(rig: Rig, state_folder: Path) -> None:
    feed = UpTo(HttpSource(rig.feed, read_secret(token_path(state_folder)), state=state_folder))
    indexes = [entry.index async for batch in feed.batches() for entry in batch]
    assert (feed.is_proven, feed.size) == (True, len(indexes))


async def test_without_a_gateway_it_does_not_pass(rig: Rig, state_folder: Path) -> None:
    await rig.gateway.end()
    token = str(token_path(state_folder))
    code, lines = await checked(rig.feed, "--token-file", token)
    assert (code, bool(lines)) == (3, True)
