"""A tour of every screen over hostile names: nothing but text and Textual's own sequences reaches the terminal."""

import base64
import re
from pathlib import Path

import pytest
from attack import attacked
from hands import Hands, hands, screen_text
from recorder import Recorder, faults
from scene import Scene
from textual import events

from mcpwatch.text import is_hidden

pytest_plugins = ["played"]

WALKS = (
    ("live", ("g", *("down",) * 40, "z", "z", "t", "t", "t", "p", "e", "E", "n", "escape")),
    ("filter", ("slash", "t", "o", "o", "l", "colon", "tab", "enter", "escape")),
    ("find", ("colon", *"find x", "enter", "n", "N", "escape")),
    ("columns", ("c", "down", "space", "d")),
    ("call", ("g", *("down",) * 14, "enter", "down", "down", "v", "v", "v", "escape")),
    ("fold", ("g", *("down",) * 14, "enter", "tab", *("down",) * 30, "minus", "plus", "slash", "x", "enter", "n", "N")),
    ("unfold", ("escape", "escape")),
    ("sessions", ("2", "g", *("down",) * 33, "o", "O", "escape")),
    ("session", ("2", "g", "down", "enter", "v", "v", "v", "enter", "escape", "escape")),
    (
        "waterfall",
        ("2", "g", "down", "enter", "e", "E", "p", "v", "v", "home", *("down",) * 20, "enter", "escape", "escape"),
    ),
    ("alerts", ("3", "g", *("down",) * 60, "o", "o", "enter", "escape")),
    ("acknowledge", ("3", "g", "a", *"hi", "enter", "end", "u", "escape")),
    ("identities", ("4", "g", *("down",) * 40, "enter", "end", "escape", "a", "escape", "4", "p", "escape")),
    ("tools", ("5", "g", *("down",) * 33, "enter", "end", "escape")),
    ("feed", ("6", "end", "home")),
    ("help", ("1", "question_mark", "end", "escape")),
    ("typed", ("colon", *"session ", "tab", "enter", "escape")),
    ("palette", ("ctrl+p", *"mute", "escape", "escape")),
    ("quit", ("1", "q", "escape")),
)


async def tour(at: Hands, *, each: bool) -> None:
    """Everywhere; over each row, or by pages."""
    for _, keys in WALKS:
        for key in keys if each else dict.fromkeys(keys):
            at.scene.monotonic += 6
            at.scene.now += 0.6
            if key == "down":
                # One step is like the next: draw it, and do not wait for the rest to fall silent.
                at.app.post_message(events.Key("down" if each else "pagedown", None))
                await at.pilot._wait_for_screen()
            else:
                await at.pilot.press({" ": "space"}.get(key, key))
        at.app.tick()
        await at.pilot.pause()


@pytest.mark.parametrize(("size", "each"), [((140, 60), True), ((80, 24), False)], ids=["wide", "small"])
async def test_nothing_that_acts_reaches_the_terminal(
    tmp_path: Path, size: tuple[int, int], each: bool, same_everywhere: None
) -> None:
    scene = attacked(tmp_path)
    app = scene.app()
    app.driver_class = Recorder
    async with app.run_test(headless=False, size=size, notifications=True, tooltips=True) as pilot:
        at = Hands(scene, app, pilot)
        await tour(at, each=each)
        written = "".join(app._driver.written)  # type: ignore[union-attr]
    assert len(written) > 50_000 and "\\x1b]52;c" in written
    assert list(faults(written))[:5] == []


async def test_the_attempt_is_visible(tmp_path: Path, same_everywhere: None) -> None:
    async with hands(attacked(tmp_path), (140, 60)) as at:
        shown = await at.press("5")
        assert "\\x1b]52;c;cm0gLXJmIC8=\\x07" in shown and "[@click=app.quit]x[/]" in shown and "\\u202e" in shown


async def test_every_screen_line_has_its_width(tmp_path: Path, same_everywhere: None) -> None:
    async with hands(attacked(tmp_path), (120, 40)) as at:
        for key in "123456":
            await at.press(key)
            for strip in at.app.screen._compositor.render_strips():
                assert strip.cell_length == 120


async def test_what_is_copied_is_plain_and_cannot_break_a_shell_line(tmp_path: Path, same_everywhere: None) -> None:
    scene = attacked(tmp_path)
    app = scene.app()
    app.driver_class = Recorder
    async with app.run_test(headless=False, size=(140, 60)) as pilot:
        at = Hands(scene, app, pilot)
        for path in (("1", "g"), ("2",), ("3",), ("4",), ("5",)):
            await at.press(*path)
            for _ in range(8):
                await at.pilot.press("y", "down")
        written = "".join(app._driver.written)  # type: ignore[union-attr]
    copies = re.findall(r"\x1b\]52;c;([A-Za-z0-9+/=]*)\x07", written)
    assert len(copies) > 30
    for copy in copies:
        text = base64.b64decode(copy).decode()
        assert text.isascii() and not any(map(is_hidden, text))


async def test_markup_in_a_name_runs_nothing(scene: Scene) -> None:
    for tool in scene.state.tools.values():
        tool.name = "[@click=app.exit]click me[/]"
    async with hands(scene, (100, 30)) as at:
        shown = await at.press("5")
        row = next(y for y, line in enumerate(shown.splitlines()) if "[@click=app.exit]" in line)
        await at.pilot.click(offset=(shown.splitlines()[row].index("click me"), row))
        await at.pilot.pause()
        assert at.app.is_running and "[@click=app.exit]" in screen_text(at.app)
