"""How the gateway says it does: health for a supervisor, figures for Prometheus, to holders of the token alone."""

import asyncio
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from rig import PATIENCE, Talk, connect, fetch, gateway, ok, post, scripted
from watcher import Watcher, ask

from mcpwatch.feed.health import parse_health
from mcpwatch.gateway import journal, ring
from mcpwatch.gateway.run import Gateway
from mcpwatch.gateway.tally import BOUNDS, Times
from mcpwatch.model.entries import End
from mcpwatch.model.health import Health

NOWHERE = "http://127.0.0.1:9/mcp"


async def health(running: Gateway) -> tuple[int, Health]:
    reply = await ask(running.feed_address, running.token.reveal(), b"/v1/health")
    found = parse_health(reply.body)
    assert found is not None
    return reply.status, found


async def metrics(running: Gateway) -> dict[str, float]:
    """Each sample by its name and labels."""
    reply = await ask(running.feed_address, running.token.reveal(), b"/metrics")
    assert reply.status == 200
    assert (reply.field(b"content-type") or b"").startswith(b"text/plain")
    return {
        f"{sample.name}{sorted(sample.labels.items()) or ''}": sample.value
        for family in text_string_to_metric_families(reply.body.decode())
        for sample in family.samples
    }


async def test_a_gateway_that_does_well_says_how(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        for number in range(300):
            running.log.append(End(exchange=number, outcome="complete", duration_us=1, sent=2))
        await running.log.sign_now()
        watcher = Watcher()
        await watcher.connect(running.feed_address, running.token.reveal())
        await watcher.until(301)
        status, found = await health(running)
        assert (status, found.trouble, found.origin) == (200, "", running.log.key.origin)
        assert (found.size, found.oldest, found.checkpoint_size) == (301, 0, 301)
        assert (found.watchers, found.behind, found.from_disk) == (1, 0, 0)
        assert (found.backlog, found.waiting, found.lost) == (0, 0, 0)
        assert found.octets == sum(len(leaf) for _, leaf in running.log.store.leaves(0, 301, 1 << 30))
        assert found.disk_free is not None and found.disk_free > 0
        assert found.commit > 0
        watcher.close()


async def test_a_gateway_whose_disk_is_full_says_so_with_503(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "RETRY_SECONDS", 0.01)
    async with gateway(tmp_path, NOWHERE) as running:
        await running.log.sign_now()
        writer = running.log.store._writer
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        writer.execute(f"PRAGMA max_page_count = {pages}")
        for number in range(100):
            running.log.append(End(exchange=number, outcome="complete", duration_us=1, sent=2))
        async with asyncio.timeout(PATIENCE):
            while not running.log.trouble:
                await asyncio.sleep(0)
        status, found = await health(running)
        assert status == 503
        assert "cannot be written" in found.trouble
        assert (found.waiting, found.backlog > 0) == (100, True)
        writer.execute("PRAGMA max_page_count = 100000")
        async with asyncio.timeout(PATIENCE):
            while running.log.size < 101 or running.log.trouble:
                await running.log.news()
        assert (await health(running))[0] == 200


async def test_a_watcher_that_falls_behind_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring, "MAX_ENTRIES", 8)
    async with gateway(tmp_path, NOWHERE) as running:
        watcher = Watcher()
        await watcher.connect(running.feed_address, running.token.reveal())
        await watcher.until(1)
        # More than the sockets' buffers hold.
        for number in range(60):
            running.log.append(End(number, "complete", 1, 2, "x" * 400_000))
            await running.log.sign_now()
        _, found = await health(running)
        assert found.behind > 8
        assert (found.watchers, found.from_disk) == (1, 1)
        watcher.close()


async def test_the_figures_for_prometheus(tmp_path: Path) -> None:
    async def slow(talk: Talk) -> None:
        asked.set()
        await go_on.wait()
        await talk.send(ok(b"{}"))

    asked, go_on = asyncio.Event(), asyncio.Event()
    async with scripted(slow) as server, gateway(tmp_path, server.url, metrics=True) as running:
        for _ in range(3):
            assert (await fetch(running.listen_address, post(b"{}", host=b"evil.example"))).status == 421
        talk = await connect(running.listen_address)
        await talk.send(post(b"{}"))
        await asked.wait()
        await running.log.sign_now()
        found = await metrics(running)
        assert found["mcpwatch_up"] == 1
        assert found["mcpwatch_log_entries_total"] == running.log.size == 14
        assert found["mcpwatch_exchanges_in_flight"] == 1
        assert found["mcpwatch_exchanges_total"] == 4
        assert found["mcpwatch_refused_total[('status', '421')]"] == 3
        assert found["mcpwatch_journal_commit_seconds_count"] >= 1
        assert found["mcpwatch_journal_commit_seconds_bucket[('le', '+Inf')]"] >= 1
        assert found["mcpwatch_journal_written_bytes_total"] == found["mcpwatch_log_leaf_bytes"]
        go_on.set()
        await talk.reply()
        talk.writer.close()


async def test_nothing_that_others_choose_is_a_label(tmp_path: Path) -> None:
    async with gateway(tmp_path, "secret-name=http://127.0.0.1:9/mcp", metrics=True) as running:
        await fetch(running.listen_address, post(b'{"method":"hunter2"}', b"X-Own: hunter2", target=b"/hunter2"))
        found = await metrics(running)
        assert not any("hunter2" in name or "secret" in name for name in found)
        assert {name.partition("[")[2].partition("'")[2].partition("'")[0] for name in found} == {"", "le", "status"}


async def test_figures_are_there_where_they_were_asked_for(tmp_path: Path) -> None:
    async with gateway(tmp_path, NOWHERE) as running:
        assert (await ask(running.feed_address, running.token.reveal(), b"/metrics")).status == 404


@pytest.mark.parametrize("target", [b"/v1/health", b"/metrics"])
async def test_how_a_gateway_does_is_for_holders_of_the_token(tmp_path: Path, target: bytes) -> None:
    async with gateway(tmp_path, NOWHERE, metrics=True) as running:
        assert (await ask(running.feed_address, "wrong", target)).status == 401


def test_times_are_counted_by_what_they_took() -> None:
    times = Times()
    for seconds in (0.0005, 0.001, 0.004, 60.0):
        times.add(seconds)
    counts = dict(times.buckets())
    assert (counts["0.001"], counts["0.0025"], counts["0.005"], counts["2.5"], counts["+Inf"]) == (2, 2, 3, 3, 4)
    assert len(counts) == len(BOUNDS) + 1
    assert times.newest == 60.0
    assert times.total == pytest.approx(60.0055)
