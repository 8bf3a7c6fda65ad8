"""`mcpwatch prove --check`: what a third party has is a file and the log's key."""

from pathlib import Path

import pytest
from independent_proof import proof_of
from tiny_log import ORIGIN, TinyLog

from mcpwatch.cli import main
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.feed.tlog_proof import format_proof
from mcpwatch.files import state_dir

ADDRESS = "http://127.0.0.1:4181"


@pytest.fixture
def log() -> TinyLog:
    log = TinyLog()
    log.grow(21)
    return log


@pytest.fixture
def file(log: TinyLog, tmp_path: Path) -> Path:
    """Entry 13's proof."""
    path = tmp_path / "13.tlog-proof"
    path.write_bytes(format_proof(proof_of(log, 13)))
    return path


def check(file: Path, *keys: str) -> int:
    return main(["prove", "--check", str(file), *(word for key in keys for word in ("--key", key))])


def test_the_entry_is_shown_with_what_is_proven(log: TinyLog, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for keys in ((log.key.verifier_key, log.key.time_verifier_key), (log.key.time_verifier_key, log.key.verifier_key)):
        assert check(file, *keys) == 0
        said = capsys.readouterr()
        assert said.out == f"{log.leaves[13].decode()}\n"
        assert f"entry 13 is in the log {ORIGIN}, by its checkpoint of size 21, signed 2026-" in said.err
    assert check(file, log.key.verifier_key) == 0
    assert "signed" not in capsys.readouterr().err


def test_without_a_key_the_pinned_ones_are_used(log: TinyLog, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(file) == 2
    assert "--key VKEY" in capsys.readouterr().err
    other = TinyLog(seed=9)
    Pins(pins_folder(state_dir())).hold(ADDRESS, (other.key.verifier_key, other.key.time_verifier_key), 1.0)
    assert check(file) == 6
    Pins(pins_folder(state_dir())).hold(f"{ADDRESS}0", (log.key.verifier_key, log.key.time_verifier_key), 1.0)
    assert check(file) == 0


def test_a_changed_file_proves_nothing(log: TinyLog, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = file.read_bytes()
    for changed in (data.replace(b"index 13", b"index 12"), data[:-1], b"", b"\xff" * 100):
        file.write_bytes(changed)
        assert check(file, log.key.verifier_key) == 6
        assert "proves nothing" in capsys.readouterr().err


def test_a_malformed_entry_is_shown_as_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log, path = TinyLog(), tmp_path / "0.tlog-proof"
    log.add(leaf=b"\x1b[31m\xff")
    path.write_bytes(format_proof(proof_of(log, 0)))
    assert check(path, log.key.verifier_key) == 0
    said = capsys.readouterr()
    assert (said.out, "malformed" in said.err) == ("\\x1b[31m\\xff\n", True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--check", "nowhere.tlog-proof", "--key", TinyLog().key.verifier_key], 5),
        (["--check", "/dev/null", "--key", "nothing"], 6),
        (["http://127.0.0.1:1"], 2),
        (["http://127.0.0.1:1", "three"], 2),
        ([], 2),
        (["http://127.0.0.1:1", "-1"], 2),
    ],
)
def test_wrong_words_are_said_to_be_so(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        left = main(["prove", *words])
    except SystemExit as exit:
        left = int(str(exit.code))
    assert left == code
    assert capsys.readouterr().err


def test_keys_that_are_none_are_named(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(file, "nothing") == 2
    assert "--key" in capsys.readouterr().err
    assert check(file, *[TinyLog().key.verifier_key] * 3) == 2
