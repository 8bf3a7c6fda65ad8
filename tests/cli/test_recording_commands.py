"""`mcpwatch verify`, and the commands that watch, on recordings."""

import errno
import json
import os
import sys
import tempfile
from pathlib import Path

import pytest
from taped import Tape, tape
from tiny_log import TinyLog

from mcpwatch.cli import main
from mcpwatch.commands.progress_line import ProgressLine, bar
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.model.entries import Request


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tiny.mcpfeed"


def test_what_is_proven_passes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(path, checkpoints=2, every=3)
    assert main(["verify", str(path)]) == 0
    said = capsys.readouterr().out
    assert "proven       up to entry 5\n" in said
    assert "it is the recording's own word" in said
    assert said.endswith("passed\n")


def test_a_known_key_is_told(path: Path, state_folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tape(path)
    keys = str(log.verifier.key), str(log.verifier.time_key)
    Pins(pins_folder(state_folder)).hold("http://127.0.0.1:4181", keys, 0.0)
    assert main(["verify", str(path), "--format", "json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["key_known"] is True
    assert report["key"] == keys[0]


def test_a_log_by_another_key_than_the_wanted_one_fails(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tape(path)
    assert main(["verify", str(path), "--key", str(log.verifier.key)]) == 0
    other = TinyLog(seed=1)
    assert main(["verify", str(path), "--key", str(other.verifier.key)]) == 6
    assert f"it is signed with {log.verifier.key}" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["verify", "tail", "replay"])
def test_a_pipe_is_no_recording_and_blocks_nobody(
    tmp_path: Path, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pipe = tmp_path / "pipe.mcpfeed"
    os.mkfifo(pipe)
    assert main([command, str(pipe)]) in (2, 5)
    assert main(["verify", str(pipe)]) == 2
    assert "is no regular file" in capsys.readouterr().err


@pytest.mark.parametrize(("number", "place"), [(errno.EROFS, "/kept\x1b[2J"), (errno.ENOSPC, None)])
@pytest.mark.parametrize("command", ["tail", "check", "export"])
def test_a_disk_that_takes_nothing_is_told(
    path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: str,
    number: int,
    place: str | None,
) -> None:
    def refuse(**of_file: object) -> tuple[int, str]:
        raise OSError(number, os.strerror(number), place)

    tape(path)
    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert main([command, str(path)]) == 5
    before = "/kept\\x1b[2J: " if place else ""
    assert capsys.readouterr().err.endswith(f"mcpwatch: {before}{os.strerror(number)}\n")


def test_what_no_checkpoint_covers_fails(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(path, tail=2)
    assert main(["verify", str(path)]) == 6
    assert "the last 2 entries in it are covered by no checkpoint" in capsys.readouterr().out


def test_without_a_checkpoint_over_them_entries_never_pass(path: Path) -> None:
    tape(path, checkpoints=0, tail=2)
    assert main(["verify", str(path)]) == 6


def test_a_fault_is_named_by_entry_and_octet(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tape(path, checkpoints=2, every=3)
    data = path.read_bytes()
    at = data.index(log.leaves[2]) + 100
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    assert main(["verify", str(path), "--format", "json"]) == 6
    fault = json.loads(capsys.readouterr().out)["fault"]
    assert fault["index"] == 2
    assert data[fault["octet"] :].startswith(b": ") and fault["octet"] < at < fault["octet"] + 400


def test_a_cut_recording_is_read_to_its_last_whole_event(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(path, tail=2)
    path.write_bytes(path.read_bytes()[:-9])
    assert main(["verify", str(path), "--format", "json"]) == 6
    report = json.loads(capsys.readouterr().out)
    assert (report["entries"], report["verified_size"], report["pending"]) == (5, 4, 1)
    assert report["cut_off"] > 0 and report["fault"] is None


@pytest.mark.parametrize(("fail_on", "code"), [("bad", 1), ("unproven", 1), ("never", 0)])
def test_bad_signatures_have_an_exit_code_of_their_own(path: Path, fail_on: str, code: int) -> None:
    taping = Tape(TinyLog(), path)
    taping.join()
    signed = Request(
        upstream="notes",
        method="POST",
        scheme="http",
        authority="127.0.0.1:4180",
        target="/mcp",
        peer="127.0.0.1:50000",
        headers=(
            ("signature-input", 'sig1=("@method");created=1795348800;keyid="did:key:' + DID + '";alg="ed25519"'),
            ("signature", f"sig1=:{'A' * 86}==:"),
        ),
    )
    taping.take(taping.log.add(signed), taping.log.checkpoint())
    taping.close()
    assert main(["verify", str(path), "--fail-on", fail_on]) == code


DID = "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.mark.parametrize("command", [["tail", "--all", "--json"], ["check"], ["alerts"]])
def test_what_watches_feeds_takes_recordings(
    path: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    tape(path, checkpoints=2, every=3)
    assert main([*command, str(path)]) == 0
    said = capsys.readouterr().out
    assert said.count('"type":"entry"') == (6 if command[0] == "tail" else 0)


def test_what_is_not_proven_fails_a_check(path: Path) -> None:
    tape(path, tail=1)
    assert main(["check", str(path)]) == 6


def test_a_missing_recording_is_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", str(path)]) == 5
    assert "cannot be read" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--speed", "0"], ["--speed", "fast"], ["--seek", "soon"]])
def test_a_replay_refuses_what_it_does_not_understand(path: Path, words: list[str]) -> None:
    tape(path)
    with pytest.raises(SystemExit) as left:
        main(["replay", str(path), *words])
    assert left.value.code == 2


def test_a_recording_is_not_recorded_again(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(path)
    assert main(["record", str(path), "-o", str(path.with_name("two.mcpfeed"))]) == 2
    assert "record keeps one feed" in capsys.readouterr().err


def test_progress_is_drawn_on_terminals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    line = ProgressLine(sys.stderr)
    line.draw(lambda: bar(0.5))
    line.clear()
    assert capsys.readouterr().err == ""
    assert bar(0.5) == "[############............]"


def test_a_replay_needs_a_terminal(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape(path)
    assert main(["replay", str(path), "--speed", "max", "--seek", "2026-11-22T12:00:01Z"]) == 5
    assert "needs a terminal" in capsys.readouterr().err
