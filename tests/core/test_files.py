"""Secret files: readable by their owner only, whole or not at all."""

import os
import pickle
import stat
from pathlib import Path

import pytest

from mcpwatch.errors import LocalError
from mcpwatch.files import create_private, read_private, state_dir, write_private
from mcpwatch.secret import Secret


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_written_files_and_folders_are_private(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "key"
    write_private(path, b"one")
    write_private(path, b"two")
    assert read_private(path) == b"two"
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_the_state_folder_is_private() -> None:
    assert mode(state_dir()) == 0o700


def test_a_state_folder_that_cannot_be_made_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/in"):
        monkeypatch.setenv("MCPWATCH_STATE", str(tmp_path / name))
        with pytest.raises(LocalError, match="cannot be made") as error:
            state_dir()
        assert "MCPWATCH_STATE=" in error.value.hint


def test_creating_leaves_an_existing_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "token"
    assert create_private(path, b"first")
    assert not create_private(path, b"second")
    assert read_private(path) == b"first"
    assert mode(path) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["token"]


def test_a_new_file_is_never_found_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, found = tmp_path / "key", list[bytes | None]()
    sync = os.fsync

    def look(handle: int) -> None:
        found.append(path.read_bytes() if path.exists() else None)
        sync(handle)
        (path.parent / "key").write_bytes(b"another was first")

    monkeypatch.setattr(os, "fsync", look)
    assert not create_private(path, b"second")
    assert found == [None]
    assert path.read_bytes() == b"another was first"
    assert [entry.name for entry in tmp_path.iterdir()] == ["key"]


def test_a_name_that_leads_nowhere_is_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.symlink_to(tmp_path / "elsewhere")
    assert not create_private(path, b"x")
    assert not (tmp_path / "elsewhere").exists()


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_bytes(b"x")
    path.chmod(0o644)
    with pytest.raises(LocalError, match="can be read by others") as caught:
        read_private(path)
    assert "chmod 600" in caught.value.hint


def test_a_missing_secret_is_named(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="does not exist"):
        read_private(tmp_path / "nothing")


def test_a_secret_does_not_print_or_pickle() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
