"""An error of our own ends with a plain report: no locals, no escapes, exit code 1."""

import asyncio

import pytest
from hands import hands
from scene import Scene

from mcpwatch.ui.terminal import crash
from mcpwatch.ui.terminal.terminal_driver import is_gone
from mcpwatch.watch.listener import Listener

pytest_plugins = ["played"]


def failing(token: str) -> None:
    """Raise with a local and a hostile message in the frame."""
    secret_local = token + "-local"
    raise ValueError("bad \x1b]52;c;eA==\x07 input", len(secret_local))


def caught() -> ValueError:
    """The error as it arrives."""
    try:
        failing("hunter2")
    except ValueError as error:
        return error
    raise AssertionError


def test_the_report_names_places_and_no_values() -> None:
    text = crash.report(caught()).plain
    assert "test_crash.py" in text and "in failing" in text and "ValueError" in text
    assert "hunter2" not in text and "secret_local" not in text
    assert "\x1b" not in text and "\\x1b]52" in text


async def test_an_error_in_a_handler_ends_the_app_with_the_report(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    app = scene.app()
    with pytest.raises(ValueError, match="bad"):
        async with app.run_test() as pilot:
            monkeypatch.setattr(type(app), "action_help", lambda self: failing("hunter2"))
            await pilot.press("question_mark")
            await pilot.pause()
    assert app.return_code == 1
    printed = capsys.readouterr().err
    assert "mcpwatch stopped" in printed and "hunter2" not in printed and "\x1b]52" not in printed


async def test_input_that_fails_ends_the_app_as_an_error(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    app = scene.app()
    async with app.run_test():
        app.panic("hunter2")
    assert app.return_code == 1
    printed = capsys.readouterr().err
    assert "input failed" in printed and "hunter2" not in printed


async def test_an_error_in_the_pipeline_is_told_and_the_screen_goes_on(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(listener: Listener | None = None) -> None:
        await asyncio.sleep(0)
        raise ValueError("hunter2")

    monkeypatch.setattr(scene.watcher, "run", broken)
    async with hands(scene) as at:
        shown = await at.read()
        assert "NOTHING IS TAKEN IN: ValueError" in shown and "hunter2" not in shown
        assert "BOUND TO" in await at.press("2")


def test_a_closed_descriptor_is_a_terminal_that_is_gone() -> None:
    import os

    master, slave = os.openpty()
    assert not is_gone(slave)
    os.close(master)
    assert is_gone(slave)
    os.close(slave)
    assert is_gone(slave)
