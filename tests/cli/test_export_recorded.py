"""`mcpwatch export --proofs` on a recording."""

import base64
import json
from pathlib import Path

import pytest
from independent_proof import independent
from test_recorded_proof import keys_of, recording
from tiny_log import TinyLog

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


def test_its_export_proves_each_entry(log: TinyLog, path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Pins(pins_folder(state_dir())).hold("http://127.0.0.1:4181", keys_of(log), 1.0)
    assert main(["export", str(path), "--proofs"]) == 0
    said = capsys.readouterr()
    assert "vouches" not in said.err
    head, *lines = map(json.loads, said.out.splitlines())
    assert [line["index"] for line in lines] == list(range(16, 40))
    note = head["feeds"][0]["checkpoint"]
    for line in lines:
        leaf = base64.b64encode(line["leaf"].encode()).decode()
        file = ["c2sp.org/tlog-proof@v1", f"extra {leaf}", f"index {line['index']}", *line["inclusion"], "", note]
        assert independent("\n".join(file).encode(), log.key.verifier_key)[1] == line["index"]


def test_it_is_said_that_nobody_vouches_for_the_key(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["export", str(path), "--format", "csv"])
    assert "nobody here vouches for the log's key" in capsys.readouterr().err
