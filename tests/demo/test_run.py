"""Starting the demo, its children, and what it says when it cannot start."""

import os
import signal
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from mcpwatch.demo import run
from mcpwatch.demo.cast import known
from mcpwatch.demo.child import Child
from mcpwatch.errors import LocalError
from mcpwatch.feed.discover import running
from mcpwatch.identity.pins import pins_path, read_known


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the demo makes its state folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


async def test_it_touches_nothing_of_the_users_but_its_announcement(state_folder: Path, temporary: Path) -> None:
    demo = await run.start_demo()
    try:
        (found,) = running(state_folder)
        assert (found.address, found.state) == (demo.feed_address, str(demo.state))
        assert [path.relative_to(state_folder).parts[0] for path in state_folder.iterdir()] == ["gateways"]
        assert demo.state.parent == temporary
        assert demo.state.stat().st_mode & 0o777 == 0o700
        assert not [path for path in demo.state.rglob("*") if path.is_file() and path.stat().st_mode & 0o077]
        assert len(read_known(pins_path(demo.state)).pins) == len(known("to the operator")) > 0
        async for event in demo.events():
            assert event.shows
            assert not event.failed
            break
    finally:
        await demo.stop()
    assert list(temporary.iterdir()) == []
    assert running(state_folder) == []


async def test_agents_that_end_early_are_an_error() -> None:
    demo = await run.start_demo()
    try:
        os.kill(demo._agents.pid, signal.SIGKILL)
        with pytest.raises(LocalError, match="ended early"):
            async for _ in demo.events():
                pass
    finally:
        await demo.stop()


@pytest.mark.parametrize(("found", "says"), [("1.30.0", "mcp 1.30.0 is too old"), (None, "needs the official MCP SDK")])
async def test_without_the_sdk_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, temporary: Path, found: str | None, says: str
) -> None:
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(run, "version", version)
    with pytest.raises(LocalError, match=says) as raised:
        await run.start_demo()
    assert "mcpwatch-tui[demo]" in raised.value.hint
    assert list(temporary.iterdir()) == []


async def test_a_child_that_cannot_start_is_quoted(tmp_path: Path) -> None:
    child = await Child.start("mcpwatch.demo.servers", str(tmp_path / "missing"), log=tmp_path / "log")
    with pytest.raises(LocalError) as raised:
        await child.line()
    assert "No such file" in raised.value.hint
    await child.stop()


def test_the_operators_process_does_without_the_sdk() -> None:
    check = "import sys, mcpwatch.demo.run; print({'mcp', 'uvicorn', 'textual'} & set(sys.modules))"
    assert subprocess.check_output([sys.executable, "-c", check], text=True).strip() == "set()"
