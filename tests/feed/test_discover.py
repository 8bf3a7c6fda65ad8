"""Finding the gateways of this machine."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from mcpwatch.feed.discover import FOLDER, Announcement, announce, retire, running
from mcpwatch.model.entries import UpstreamInfo


def gateway(port: int, *, pid: int | None = None, started: float = 1.0) -> Announcement:
    return Announcement(
        address=f"http://127.0.0.1:{port}",
        token_file="gateway/feed.token",
        pid=os.getpid() if pid is None else pid,
        started=started,
        upstreams=(UpstreamInfo(name="a", url="http://127.0.0.1:9/mcp"),),
    )


def dead_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_nothing_runs_where_nothing_was_announced(tmp_path: Path) -> None:
    assert running(tmp_path / "not there") == []


def test_what_is_announced_is_found_newest_first_in_private_files(tmp_path: Path) -> None:
    old, new = gateway(4001, started=1.0), gateway(4000, started=2.0)
    announce(tmp_path, old)
    announce(tmp_path, new)
    assert running(tmp_path) == [new, old]
    files = sorted((tmp_path / FOLDER).iterdir())
    assert [each.name for each in files] == ["4000.json", "4001.json"]
    assert {stat.S_IMODE(each.stat().st_mode) for each in files} == {0o600}


def test_a_retired_gateway_is_gone_and_its_successor_stays(tmp_path: Path) -> None:
    first, second = gateway(4000, started=1.0), gateway(4000, started=2.0)
    announce(tmp_path, first)
    announce(tmp_path, second)
    retire(tmp_path, first)
    assert running(tmp_path) == [second]
    retire(tmp_path, second)
    retire(tmp_path, second)
    assert running(tmp_path) == []


@pytest.mark.parametrize("pid", [0, -1, 2**80])
def test_numbers_that_are_no_process(tmp_path: Path, pid: int) -> None:
    folder = tmp_path / FOLDER
    folder.mkdir()
    path = folder / "4000.json"
    path.touch(0o600)
    path.write_bytes(b'{"address":"http://127.0.0.1:4000","token_file":"t","pid":%d,"started":1}' % pid)
    assert running(tmp_path) == []


def test_what_a_dead_process_left_is_dropped_and_removed(tmp_path: Path) -> None:
    announce(tmp_path, gateway(4000, pid=dead_pid()))
    assert running(tmp_path) == []
    assert list((tmp_path / FOLDER).iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 100_000, b'{"address":1}'])
def test_a_damaged_announcement_is_passed_over(tmp_path: Path, content: bytes) -> None:
    announce(tmp_path, gateway(4000))
    (tmp_path / FOLDER / "4000.json").write_bytes(content)
    announce(tmp_path, gateway(4001))
    assert [each.address for each in running(tmp_path)] == ["http://127.0.0.1:4001"]


def test_an_announcement_that_others_can_read_is_not_believed(tmp_path: Path) -> None:
    announce(tmp_path, gateway(4000))
    (tmp_path / FOLDER / "4000.json").chmod(0o644)
    assert running(tmp_path) == []


def test_an_announcement_is_json_that_other_tools_can_read(tmp_path: Path) -> None:
    announce(tmp_path, gateway(4000))
    fields = msgspec.json.decode((tmp_path / FOLDER / "4000.json").read_bytes())
    assert set(fields) == {"address", "token_file", "operator_token_file", "pid", "started", "upstreams", "state"}
