"""`mcpwatch export` up to the feed: its arguments, its file, and what it ends with."""

import json
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from exported import SignedLog
from piped import story

from mcpwatch.cli import main
from mcpwatch.commands import sources
from mcpwatch.config import Config
from mcpwatch.export.export import FORMATS
from mcpwatch.feed.source import Source
from mcpwatch.feed.upto import Until, UpTo
from mcpwatch.model.feed import FeedState
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.watcher import Watcher


class Feeds:
    """Stands for the feed that a command line means."""

    def __init__(self, state: Path) -> None:
        self.status: dict[str, object] = {}
        self._state = state

    async def open(self, target: object, until: Until, through: object) -> tuple[Watcher, list[UpTo]]:
        source: Source = SignedLog(story(), **self.status)  # type: ignore[arg-type]
        feed = UpTo(through(source) if callable(through) else source, until)
        return open_watcher([feed], self._state), [feed]


@pytest.fixture
def feeds(state_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Feeds:
    made = Feeds(state_folder)
    monkeypatch.setattr(sources, "find", lambda options: SimpleNamespace(config=Config()))
    monkeypatch.setattr(sources, "open_to_the_end", made.open)
    return made


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_is_private_whole_and_never_written_over(format: str, feeds: Feeds, tmp_path: Path) -> None:
    path = tmp_path / "out"
    assert main(["export", "--format", format, "-o", str(path)]) == 0
    written = path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"gateway.example/feed/1" in written
    path.write_bytes(b"mine")
    assert main(["export", "--format", format, "-o", str(path)]) == 5
    assert path.read_bytes() == b"mine"
    assert main(["export", "--format", format, "-o", str(path), "--force"]) == 0
    assert b"gateway.example/feed/1" in path.read_bytes()
    assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["out"]


@pytest.mark.parametrize("format", FORMATS)
def test_without_a_file_it_is_printed(format: str, feeds: Feeds, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--format", format]) == 0
    said = capsys.readouterr()
    assert ("gateway.example/feed/1" in said.out, said.err) == (True, "")


def test_a_log_that_does_not_hold_is_exported_as_one(feeds: Feeds, capsys: pytest.CaptureFixture[str]) -> None:
    feeds.status = {"state": FeedState.BROKEN, "detail": "two roots\x1b[31m"}
    assert main(["export"]) == 6
    said = capsys.readouterr()
    assert "gw: NOT PROVEN: BROKEN: two roots\\x1b[31m" in said.err
    assert not any(json.loads(line).get("proven") for line in said.out.splitlines())


def test_an_end_that_no_checkpoint_covers_fails(feeds: Feeds, capsys: pytest.CaptureFixture[str]) -> None:
    feeds.status = {"verified_size": 2, "state": FeedState.ENDED}
    assert main(["export", "--format", "csv"]) == 6
    assert "NOT PROVEN" in capsys.readouterr().err


def test_what_failed_leaves_no_file(feeds: Feeds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*words: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sources, "open_to_the_end", fail)
    with pytest.raises(MemoryError):
        main(["export", "-o", str(tmp_path / "out")])
    assert not [each for each in tmp_path.iterdir() if each.is_file()]


def test_wrong_words_are_said_to_be_so(feeds: Feeds, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words, code, said in (
        (["--format", "csv", "--proofs"], 2, "--format jsonl"),
        (["--filter", "sig:nonsense"], 2, "--filter"),
        (["-o", str(tmp_path / "no" / "out")], 5, "cannot be written"),
    ):
        assert main(["export", *words]) == code
        assert said in capsys.readouterr().err
