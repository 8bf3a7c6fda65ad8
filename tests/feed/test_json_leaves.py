"""Whatever a gateway logs in the place of an entry: it keeps its place, is shown as octets and raises an alert."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from fake_gateway import FakeGateway, FakeTime
from shared import vectors
from tiny_log import ORIGIN, START, TinyLog

from mcpwatch.feed.envelope import encode, seal
from mcpwatch.model.entries import Response
from mcpwatch.model.feed import FeedState
from mcpwatch.text import show_bytes
from mcpwatch.ui.pages.entry import content_parts, proof_lines
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch import build
from mcpwatch.watch.printer import JsonPrinter, TextPrinter
from mcpwatch.watch.watcher import Watcher

DATA = Response(exchange=0, status=200, headers=(("a", "b"),))
PLACES = (b"200", b'"a"', b'[["a","b"]]', b'{"exchange":0,"status":200,"headers":[["a","b"]]}')
"""What of an envelope each body takes the place of."""


@pytest.fixture(scope="module")
def bodies() -> dict[str, bytes]:
    suite = json.loads(vectors("vectors/json/json_test_suite.json").read_bytes())
    assert len(suite) == 318
    return {name: base64.b64decode(text) for name, text in suite.items()}


async def watched(log: TinyLog, folder: Path) -> Watcher:
    """A watcher that has read the whole log."""
    time = FakeTime()
    gateway = FakeGateway(log)
    watcher = build.open_watcher([gateway.source(time)], folder, clock=time.clock)
    running = asyncio.create_task(watcher.run())
    async with asyncio.timeout(30.0):
        while not any(feed.verified_size == log.size for feed in watcher.state.feeds.values()):
            await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await watcher.close()
    return watcher


async def test_the_json_test_suite_as_leaves(bodies: dict[str, bytes], tmp_path: Path) -> None:
    log = TinyLog()
    for body in bodies.values():
        log.add(leaf=body)
    log.add()
    watcher = await watched(log, tmp_path)
    (status,) = watcher.state.feeds.values()
    assert (status.state, status.next_index, status.malformed) == (FeedState.LIVE, log.size, log.size - 1)
    rows = list(watcher.state.rows)
    assert [row.entry.leaf for row in rows] == log.leaves
    assert [row.kind for row in rows] == ["malformed"] * (log.size - 1) + ["response"]
    assert (watcher.state.counts.failures, watcher.state.counts.rule_failures) == (0, 0)
    (alert,) = [alert for alert in watcher.state.alerts.values() if alert.rule == "feed/malformed"]
    assert alert.count == log.size - 1
    for row in rows[:-1]:
        shown = "".join(span.text for part in content_parts(row.entry) if isinstance(part, Line) for span in part.spans)
        assert row.entry.fault in shown
        assert show_bytes(row.entry.leaf[:1000]) in shown
        assert any("✓ proven" in span.text for line in proof_lines(row.entry, status) for span in line.spans)
        assert TextPrinter().entry(row, watcher.state).isprintable()
        assert json.loads(JsonPrinter().entry(row, watcher.state))["proven"] is True


async def test_the_json_test_suite_inside_envelopes(bodies: dict[str, bytes], tmp_path: Path) -> None:
    log = TinyLog()
    for body in bodies.values():
        for place in PLACES:
            leaf = encode(seal(log.size, ORIGIN, datetime.fromtimestamp(START, UTC), DATA))
            log.add(leaf=leaf.replace(place, body, 1))
    watcher = await watched(log, tmp_path)
    (status,) = watcher.state.feeds.values()
    assert (status.state, status.next_index) == (FeedState.LIVE, log.size)
    assert 1_000 < status.malformed < log.size
    assert len(watcher.state.rows) == log.size
    assert (watcher.state.counts.failures, watcher.state.counts.rule_failures) == (0, 0)
