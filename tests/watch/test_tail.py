"""Tail prints everything in order, and stops when it is told to or nobody reads."""

import asyncio
import io
import json
import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from build import Log
from piped import ListSource, story, watcher_on
from rpc import call, result
from watched import Stage

from mcpwatch.model.alerts import AlertState, Finding, Severity
from mcpwatch.model.entries import Entry
from mcpwatch.watch.printer import TextPrinter
from mcpwatch.watch.query import parse
from mcpwatch.watch.tail import TailOptions, Tape, tail


async def lines_of(state: Path, options: TailOptions, *sources: ListSource) -> list[str]:
    watcher = watcher_on(state, *(sources or (ListSource(story()),)))
    out = io.StringIO()
    await tail(watcher, out, options)
    await watcher.close()
    return out.getvalue().splitlines()


async def objects_of(state: Path, options: TailOptions, *sources: ListSource) -> list[dict[str, Any]]:
    return [json.loads(line) for line in await lines_of(state, options, *sources)]


async def test_json_has_an_object_an_entry_and_the_alerts_beside_theirs(state_folder: Path) -> None:
    entries = story()
    lines = await objects_of(state_folder, TailOptions(json=True), ListSource(entries))
    printed = [line for line in lines if line["type"] == "entry"]
    assert [line["index"] for line in printed] == [entry.index for entry in entries]
    words = [line["verdict"]["word"] for line in printed if line["tool"]]
    assert words == ["VERIFIED", "BAD SIG", "REPLAY", "WRONG KEY"]
    bad = next(line for line in lines if line["type"] == "alert" and line["rule"] == "identity/bad-signature")
    at = lines.index(bad)
    while lines[at]["type"] == "alert":
        at -= 1
    assert lines[at]["index"] == bad["evidence"][-1]
    assert lines[at]["alerts"].count(bad["id"]) == 1
    assert all(line["reason"] and line["severity"] for line in lines if line["type"] == "alert")


async def test_text_leaves_out_what_only_carries(state_folder: Path) -> None:
    log = Log()
    log.exchange(call(1, "read"), result(1))
    lines = await lines_of(state_folder, TailOptions(), ListSource(log.entries))
    assert [line.split()[-3:] for line in lines if " ! " not in line and "tools/call" in line] == [
        ["→", "tools/call", "read"],
        ["tools/call", "read", "ok"],
    ]
    options = TailOptions(query=parse("kind:response | kind:end"))
    carried = await lines_of(state_folder, options, ListSource(log.entries))
    assert len([line for line in carried if "tools/call" in line]) == 2


async def test_a_filter_lets_only_its_entries_and_their_alerts_through(state_folder: Path) -> None:
    lines = await objects_of(state_folder, TailOptions(query=parse("sig:bad"), json=True))
    assert [line["verdict"]["word"] for line in lines if line["type"] == "entry"] == ["BAD SIG"]
    assert "identity/bad-signature" in {line["rule"] for line in lines if line["type"] == "alert"}
    assert "identity/replayed" not in {line["rule"] for line in lines if line["type"] == "alert"}


async def test_it_stops_after_so_many_entries_though_more_would_come(state_folder: Path) -> None:
    source = Endless(story())
    lines = await objects_of(state_folder, TailOptions(json=True, count=3), source)
    assert [line["index"] for line in lines if line["type"] == "entry"] == [0, 1, 2]


async def test_it_stops_when_the_feed_falls_idle(state_folder: Path) -> None:
    entries = story()
    lines = await objects_of(state_folder, TailOptions(json=True, until_idle=0.01), Endless(entries))
    assert len([line for line in lines if line["type"] == "entry"]) == len(entries)


async def test_it_ends_cleanly_when_cancelled(state_folder: Path) -> None:
    entries = story()
    watcher, out = watcher_on(state_folder, Endless(entries)), io.StringIO()
    task = asyncio.create_task(tail(watcher, out, TailOptions(json=True)))
    while watcher.state.counts.entries < len(entries):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert len([line for line in out.getvalue().splitlines() if '"entry"' in line]) == len(entries)
    await watcher.close()


async def test_a_reader_that_leaves_ends_it_quietly(state_folder: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    watcher = watcher_on(state_folder, Endless(story()))
    with open(write, "w", encoding="utf-8") as out:
        await tail(watcher, out, TailOptions(json=True))
    await watcher.close()


class Endless(ListSource):
    """Gives out its batches and then keeps quiet for ever."""

    async def batches(self) -> AsyncGenerator[list[Entry], None]:
        async for batch in super().batches():
            yield batch
        await asyncio.Event().wait()


async def test_an_alert_is_told_when_it_is_news_and_not_each_time_it_counts() -> None:
    stage, out = Stage(), io.StringIO()
    tape = Tape(stage.state, out, TextPrinter(), TailOptions())
    told: list[int] = []

    def fire(severity: Severity = Severity.LOW) -> None:
        before = out.getvalue().count("\n")
        stage.request()
        alert = stage.alert(stage.index - 1, severity=severity)
        alert.severity = max(alert.severity, severity)
        tape.alerts([(Finding(alert.rule, severity, "", "", ()), alert)])
        if out.getvalue().count("\n") > before:
            told.append(alert.count)

    for _ in range(120):
        fire()
    assert told == [1, 10, 100]
    fire(Severity.HIGH)
    fire(Severity.HIGH)
    stage.rest(stage.alerts["identity/bad-signature"])
    fire(Severity.HIGH)
    stage.rest(stage.alerts["identity/bad-signature"], AlertState.FIRING)
    fire(Severity.HIGH)
    assert told == [1, 10, 100, 121, 124]
