"""A feed of somebody else's, without a log: readable, and UNPROVEN wherever it shows."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web
from fake_gateway import TOKEN, FakeGateway, FakeTime, answering, proven, read, saying
from processes import Process, Told, told
from tiny_log import START, TinyLog

from mcpwatch.errors import IntegrityError
from mcpwatch.feed.failures import NO_LOG_ANY_MORE
from mcpwatch.feed.sse import frame
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.feed.upto import UpTo
from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.secret import Secret
from mcpwatch.ui.bars import feed_line
from mcpwatch.ui.commands import Scope
from mcpwatch.ui.pages.empty import empty_page
from mcpwatch.ui.pages.entry import proof_lines
from mcpwatch.ui.pages.feed import feed_page
from mcpwatch.ui.widgets.lines import Line, Tone
from mcpwatch.watch import build

LOG = TinyLog()
LOG.grow(4)
NO_LOG = saying(404, {"Content-Type": "application/json"}, b'{"error":"no such page"}')


@asynccontextmanager
async def foreign(*events: bytes) -> AsyncIterator[str]:
    """A server of event streams that knows of no checkpoints."""

    async def feed(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        after = int(request.headers.get("Last-Event-ID", -1))
        await response.write(b"".join(events[after + 1 :]))
        await asyncio.Event().wait()
        return response

    app = web.Application()
    app.add_routes([web.get("/v1/feed", feed)])
    runner = web.AppRunner(app, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
def token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", TOKEN)


async def run(*words: str) -> tuple[int, list[str]]:
    process = await Process.start(*words)
    return await process.wait(), process.lines


@pytest.mark.usefixtures("token")
async def test_tail_says_it_of_the_feed_of_each_entry_and_in_an_alert() -> None:
    async with foreign(*(LOG.entry(index) for index in range(4))) as address:
        _, lines = await run("tail", address, "--all", "--json", "--until-idle", "1")
        _, text = await run("tail", address, "--all", "--until-idle", "1")
    feeds: list[Told] = told(lines, "feed")
    assert "UNPROVEN" in {feed["state"] for feed in feeds}
    assert not {feed["state"] for feed in feeds} & {"LIVE", "GAP"}
    assert [entry["proven"] for entry in told(lines, "entry")] == [False] * 4
    assert [alert["severity"] for alert in told(lines, "alert") if alert["rule"] == "feed/unproven"] == ["high"]
    assert any("= UNPROVEN" in line for line in text), text


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("until", [(), ("--for", "1")])
async def test_a_check_never_passes(until: Sequence[str]) -> None:
    async with foreign(*(LOG.entry(index) for index in range(4))) as address:
        code, lines = await run("check", address, "--format", "json", "--fail-on", "never", *until)
    report = json.loads("\n".join(line for line in lines if not line.startswith("FAILED")))
    (feed,) = report["feeds"]
    assert (code, report["passed"]) == (IntegrityError.exit_code, False)
    assert (feed["state"], feed["entries"], feed["verified_size"]) == ("UNPROVEN", 4, 0)
    assert (feed["is_proven"], feed["fault"]) == (False, "the feed has no log, so nothing proves it")


async def test_no_screen_shows_it_in_green(tmp_path: Path) -> None:
    async with foreign(*(LOG.entry(index) for index in range(4))) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START))
        watcher = build.open_watcher([source], tmp_path, clock=lambda: float(START))
        running = asyncio.create_task(watcher.run())
        async with asyncio.timeout(30.0):
            while len(watcher.state.rows) < 4:
                await asyncio.sleep(0)
        (status,) = watcher.state.feeds.values()
        lines: list[Line] = [
            feed_line(watcher.state, 200),
            *feed_page(watcher.state, ()),
            *empty_page(watcher.state, Scope.LIVE, {}),
            *proof_lines(next(iter(watcher.state.rows)).entry, status),
        ]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await watcher.close()
    assert status.state is FeedState.UNPROVEN
    assert [alert.rule for alert in watcher.state.alerts.values() if alert.rule.startswith("feed/")] == [
        "feed/unproven"
    ]
    spans = [span for line in lines for span in line.spans]
    assert any("unproven: this feed has no log" in span.text for span in spans)
    assert [span.text for span in spans if span.tone is Tone.GOOD] == []


async def test_an_entry_that_is_none_of_ours_is_shown_as_octets() -> None:
    async with foreign(b'data: {"hello":"there"}\n\n', frame("entry", b'{"hello":"there"}', 0)) as address:
        source = HttpSource(address, Secret(TOKEN), clock=lambda: float(START))
        (entry,) = await read(source, lambda each: each.status.received == 1)
    assert (entry.record, entry.leaf, bool(entry.fault)) == (None, b'{"hello":"there"}', True)
    assert (source.status.state, source.status.malformed) == (FeedState.UNPROVEN, 1)


async def test_entries_that_it_leaves_out_are_gaps_and_entries_that_change_break_it() -> None:
    changed = frame("entry", LOG.leaves[3].replace(b"200", b"500"), 3)
    gateway = FakeGateway(
        LOG, answering(LOG.entry(1), LOG.entry(3), LOG.entry(3), LOG.entry(1), changed), checkpoint=NO_LOG
    )
    source = gateway.source(FakeTime())
    entries = await read(source, lambda each: each.status.state is FeedState.BROKEN)
    assert [entry.index for entry in entries] == [1, 3]
    assert source.status.gaps == (Gap(0, 0, "never came"), Gap(2, 2, "never came"))
    assert (source.status.repeated, source.status.detail) == (2, "entry 3 came again with another content")


async def test_checkpoints_that_nobody_answers_for_prove_nothing_even_when_a_log_turns_up() -> None:
    gateway = FakeGateway(LOG, answering(LOG.entry(0), LOG.checkpoint(1)), checkpoint=NO_LOG)
    gateway.streams.append(gateway.whole)
    source = gateway.source(FakeTime())

    def until(each: HttpSource) -> bool:
        gateway.checkpoint = gateway.about
        return each.status.next_index == 4

    await read(source, until)
    assert (source.status.state, source.status.verified_size) == (FeedState.UNPROVEN, 0)


@pytest.mark.parametrize("how", ["given", "pinned", "seen"])
async def test_a_log_that_is_known_cannot_shed_its_proof(how: str, tmp_path: Path) -> None:
    gateway = FakeGateway(LOG, answering(*(LOG.entry(index) for index in range(4)), LOG.checkpoint()))
    keys = (LOG.key.verifier_key, LOG.key.time_verifier_key) if how == "given" else None
    source = gateway.source(FakeTime(), state=tmp_path, keys=keys)
    if how == "pinned":
        await read(gateway.source(FakeTime(), state=tmp_path), proven(4))
    if how != "seen":
        gateway.checkpoint = NO_LOG

    def until(each: HttpSource) -> bool:
        if each.status.verified_size == 4:
            gateway.checkpoint = NO_LOG
        return False

    entries = await read(source, until)
    assert len(entries) == (4 if how == "seen" else 0)
    assert (source.status.state, source.status.detail) == (FeedState.REFUSED, f"{NO_LOG_ANY_MORE} (HTTP 404)")


async def test_it_is_read_to_where_it_falls_silent_or_for_as_long_as_is_wanted() -> None:
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += 1.0
        return now

    gateway = FakeGateway(LOG, answering(*(LOG.entry(index) for index in range(4)), hold=True), checkpoint=NO_LOG)
    feed = UpTo(gateway.source(FakeTime()), clock=clock)
    assert len([entry async for batch in feed.batches() for entry in batch]) == 4
    assert (feed.is_proven, feed.status.state) == (False, FeedState.UNPROVEN)
