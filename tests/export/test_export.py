"""What all formats have in common: no secret, no growth, and the rows that a view of the same filter shows."""

import io
import json
import tracemalloc
from pathlib import Path

import pytest
from exported import SignedLog, exported, hostile_log
from msgspec import structs
from piped import story, watcher_on

from mcpwatch.export.export import FORMATS, Export
from mcpwatch.watch.query import parse
from mcpwatch.watch.watcher import Watcher


class Nowhere(io.TextIOBase):
    """Takes text and forgets it."""

    def write(self, text: str) -> int:
        return len(text)


@pytest.fixture
async def watcher(state_folder: Path) -> Watcher:
    """One that has taken in the story."""
    watcher = watcher_on(state_folder, SignedLog(story()))
    await watcher.run()
    await watcher.close()
    return watcher


@pytest.mark.parametrize("format", FORMATS)
async def test_the_rows_that_pass_are_exported_as_they_are_held(format: str, watcher: Watcher) -> None:
    out = io.StringIO(newline="")
    with Export(format, watcher.state, parse("sig:bad"), filter="sig:bad", trees={}) as export:
        for row in watcher.state.rows:
            export.take(row)
        head = export.write(out)
    assert (head.format, head.filter, head.proven) == (format, "sig:bad", True)
    assert head.feeds[0].entries > 0
    assert "gateway.example/feed/1" in out.getvalue()
    view = watcher.view(parse("sig:bad"), plumbing=True)
    view.sync()
    told = [json.loads(line) for line in out.getvalue().splitlines()] if format == "jsonl" else []
    assert not told or [line["index"] for line in told[1:]] == [row.index for row in view.rows(0, 1_000)]


@pytest.mark.parametrize("format", FORMATS)
async def test_memory_does_not_grow_with_the_log(format: str, watcher: Watcher) -> None:
    def peak(rounds: int) -> int:
        rows = list(watcher.state.rows)
        tracemalloc.start()
        try:
            with Export(format, watcher.state, trees={}) as export:
                for number in range(rounds):
                    for row in rows:
                        export.take(structs.replace(row, seq=number))
                export.write(Nowhere())  # type: ignore[arg-type]
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    peak(1)
    assert peak(200) < 2 * peak(20)


@pytest.mark.parametrize("format", FORMATS)
async def test_rows_that_the_state_lets_go_of_are_written_all_the_same(format: str, state_folder: Path) -> None:
    def body(text: str) -> list[str]:
        return [
            line for line in text.splitlines() if "export" not in line and "Made" not in line and "_export" not in line
        ]

    whole = await exported(state_folder / "a", SignedLog(hostile_log()), format)
    evicted = await exported(state_folder / "b", SignedLog(hostile_log()), format, rows=200)
    assert len(body(evicted)) == len(body(whole)) > 90
