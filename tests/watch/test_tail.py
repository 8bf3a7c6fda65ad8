"""Tail prints everything in order, and stops when it is told to or nobody reads."""

import asyncio
import io
import json
import os
from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any

import pytest
from build import Log
from msgspec import structs
from piped import ALICE, ListSource, signed, story, watcher_on
from rpc import call, result
from watched import Stage

from mcpwatch.identity.pins import PinFile, add_pin, pins_path
from mcpwatch.model.alerts import AlertEvent, AlertState, EventKind, Finding, Severity
from mcpwatch.model.entries import Entry
from mcpwatch.watch.printer import JsonPrinter, TextPrinter
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
    assert told == [1, 10, 100, 121, 123, 124]


async def test_what_people_and_time_do_to_an_alert_is_told() -> None:
    stage, out = Stage(), io.StringIO()
    tape = Tape(stage.state, out, JsonPrinter(), TailOptions(json=True))
    stage.request()
    told, untold = stage.alert(0), stage.alert(0, rule="identity/stale")
    tape.alerts([(Finding(told.rule, told.severity, "", "", ()), told)])
    for state in (AlertState.ACKNOWLEDGED, AlertState.RESOLVED, AlertState.FIRING):
        stage.rest(told, state)
        stage.rest(untold, state)
        tape.look()
        tape.look()
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [line["state"] for line in lines] == ["firing", "acknowledged", "resolved", "firing"]
    assert {line["id"] for line in lines} == {told.id}


async def test_who_lets_an_alert_rest_stands_on_its_line() -> None:
    stage = Stage()
    stage.request()
    alert = stage.alert(0)
    assert TextPrinter().alert(alert).endswith(f" {alert.id}")
    alert.state = AlertState.ACKNOWLEDGED
    alert.history = [AlertEvent(EventKind.ACKNOWLEDGED, "ann", "a \x1btest", 0.0, 0)]
    assert TextPrinter().alert(alert).endswith(f"{alert.id}  (acknowledged by ann: a \\x1btest)")


class Joined(ListSource):
    """A log that says, before its first entry, how many it had when it was joined."""

    def __init__(self, announced: int, *batches: Sequence[Entry]) -> None:
        super().__init__(*batches)
        self.status = structs.replace(self.status, announced=announced)


async def indexes_of(state: Path, announced: int, **options: Any) -> list[int]:
    """Which entries of the story are printed where `announced` of them were there before."""
    lines = await objects_of(state, TailOptions(json=True, **options), Joined(announced, story()))
    return [line["index"] for line in lines if line["type"] == "entry"]


async def test_of_the_past_the_last_entries_are_printed_and_of_the_present_all(state_folder: Path) -> None:
    every = [entry.index for entry in story()]
    past, present = every[:-1], every[-1:]
    assert await indexes_of(state_folder, len(past), lines=2) == past[-2:] + present
    assert await indexes_of(state_folder, len(past), lines=0) == present
    assert await indexes_of(state_folder, len(past), lines=None) == every
    assert await indexes_of(state_folder, len(every), lines=1) == every[-1:]
    assert await indexes_of(state_folder, 0, lines=0) == every
    assert await indexes_of(state_folder, len(past), lines=3, count=2) == past[-3:-1]


async def test_a_past_that_never_ends_is_printed_when_the_feed_does(state_folder: Path) -> None:
    every = [entry.index for entry in story()]
    assert await indexes_of(state_folder, 1_000, lines=2) == every[-2:]


async def test_a_span_of_the_past_goes_by_the_age_of_entries(state_folder: Path) -> None:
    entries = story()
    aged = [structs.replace(entry, received=entries[-1].received + 60) for entry in entries]
    times = [entry.record.time.timestamp() for entry in aged if entry.record is not None]
    span = aged[-1].received - times[-3] + 1e-4
    lines = await objects_of(state_folder, TailOptions(json=True, lines=None, since=span), Joined(len(aged), aged))
    printed = [line["index"] for line in lines if line["type"] == "entry"]
    assert printed == [entry.index for entry in entries[-3:]]


def noisy(calls: int) -> list[Entry]:
    """So many unsigned calls, of which the last can be told from the rest."""
    log = Log()
    for number in range(calls):
        log.exchange(call(number, "read"), result(number))
    return log.entries


async def test_alerts_of_the_past_are_told_once_as_they_stand(state_folder: Path) -> None:
    entries = noisy(20)
    for options in (TailOptions(json=True), TailOptions(json=True, lines=None)):
        lines = await objects_of(state_folder, options, Joined(len(entries), entries))
        told = [(line["rule"], line["count"]) for line in lines if line["type"] == "alert"]
        assert told == [("identity/unsigned-call", 20)]
        assert [line["type"] for line in lines][-1] == "alert"


async def test_only_alerts_that_printed_entries_raised_and_that_are_open_are_told(state_folder: Path) -> None:
    entries = story()
    options = TailOptions(json=True, lines=1)
    lines = await objects_of(state_folder, options, Joined(len(entries), entries))
    alerts = [line for line in lines if line["type"] == "alert"]
    assert [alert["rule"] for alert in alerts] == ["identity/wrong-key"]

    watcher = watcher_on(state_folder, ListSource(entries))
    await watcher.run()
    await watcher.acknowledge(alerts[0]["id"], "known", alerts[0]["evidence"][-1])
    await watcher.close()
    lines = await objects_of(state_folder, options, Joined(len(entries), entries))
    assert [line["rule"] for line in lines if line["type"] == "alert"] == []
    lines = await objects_of(state_folder, TailOptions(json=True, lines=None), Joined(len(entries), entries))
    assert "acknowledged" in {line["state"] for line in lines if line["type"] == "alert"}


async def test_an_entry_that_was_not_printed_has_no_second_verdict(state_folder: Path) -> None:
    log = Log()
    for number in range(3):
        signed(log, call(number, "read"), did=ALICE.did_aip)
    watcher, out = watcher_on(state_folder, Joined(3, log.entries)), io.StringIO()
    options = TailOptions(json=True, lines=1)
    tape = Tape(watcher.state, out, JsonPrinter(), options)
    await watcher.run(tape)
    add_pin(pins_path(state_folder), ALICE.did_aip, ALICE.public_base64)
    PinFile(pins_path(state_folder), watcher._pipeline._keys)
    await watcher._pipeline.repinned({ALICE.did_aip})
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(line["type"], line["index"]) for line in lines if "index" in line] == [("entry", 2), ("verdict", 2)]
    assert lines[-1]["verdict"]["word"] == "VERIFIED"
    await watcher.close()
