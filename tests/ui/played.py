"""Fixtures of the screen's tests, as a plugin that they name: one time zone, no animation, a played scene."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scene import Scene


@pytest.fixture
def same_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """UTC, no animation, colours, and paths that do not name this machine."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MCPWATCH_STATE", "state")
    monkeypatch.setenv("MCPWATCH_CONFIG", "config.toml")
    monkeypatch.setenv("TEXTUAL_ANIMATIONS", "none")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def blank(tmp_path: Path, same_everywhere: None) -> Scene:
    """A scene in which nothing has happened."""
    return Scene(tmp_path)


@pytest.fixture
def scene(blank: Scene) -> Scene:
    """The whole story, played."""
    return blank.play()
