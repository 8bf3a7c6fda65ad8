"""`mcpwatch prove` on a recording."""

from pathlib import Path

import pytest
from independent_proof import independent
from test_recorded_proof import keys_of, recording
from tiny_log import ORIGIN, TinyLog

from mcpwatch.cli import main
from mcpwatch.feed.pins import Pins, pins_folder
from mcpwatch.files import state_dir


@pytest.fixture
def log() -> TinyLog:
    log = TinyLog()
    log.grow(40)
    return log


@pytest.fixture
def path(log: TinyLog, tmp_path: Path) -> Path:
    """Its entries from 16 on."""
    path = tmp_path / "log.mcpfeed"
    path.write_bytes(recording(log, *map(log.entry, range(16, 40)), log.checkpoint(), first=16, joined=16))
    return path


def test_an_entry_is_proven_and_the_key_is_told(log: TinyLog, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["prove", str(path), "20"]) == 0
    said = capsys.readouterr()
    assert independent(said.out.encode(), log.key.verifier_key) == (ORIGIN, 20, log.leaves[20])
    assert "nobody here vouches for the log's key" in said.err
    Pins(pins_folder(state_dir())).hold("http://127.0.0.1:4181", keys_of(log), 1.0)
    assert main(["prove", str(path), "20"]) == 0
    assert "vouches" not in capsys.readouterr().err
    assert main(["prove", str(path), "3"]) == 2
    assert "Entry 3 is not in it" in capsys.readouterr().err
