"""Fixtures for all tests: a state folder of their own, so that nobody's real one is touched."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# No test asserts a time, and a busy machine must not make one fail.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

pytest_plugins = ("rigs",)


@pytest.fixture(autouse=True)
def state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Point mcpwatch at an empty state folder and no configuration, and start it by its own name."""
    state = tmp_path / "state"
    monkeypatch.setenv("MCPWATCH_STATE", str(state))
    monkeypatch.setenv("MCPWATCH_CONFIG", str(tmp_path / "config.toml"))
    monkeypatch.delenv("UV_RUN_RECURSION_DEPTH", raising=False)
    yield state
