"""Typing a filter: what is offered and counted, where a mistake is, what was typed before."""

import stat
from pathlib import Path

import pytest
from hands import hands
from scene import Scene
from textual.widgets import Input

from mcpwatch.ui.asks import KEPT, Ask
from mcpwatch.ui.settings import Settings
from mcpwatch.ui.widgets.history import FILE, MAX_LINES, History
from mcpwatch.watch.query import parse

pytest_plugins = ["played"]


def offered(shown: str) -> str:
    """The line over the one that is typed on."""
    return shown.splitlines()[-3]


async def test_what_is_offered_tells_how_many_entries_it_would_show(scene: Scene) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press("slash")
        shown = offered(await at.type("sig:ver"))
        await at.press("tab")
        await at.press("enter")
        line = await at.line(-2)
    passed = sum(parse("sig:verified").matches(row, scene.state) for row in scene.state.rows)
    assert passed > 1 and f"sig:verified {passed}" in shown
    assert f"/ sig:verified  {passed} of" in line


async def test_tab_goes_from_value_to_value_and_from_a_word_on_to_its_values(scene: Scene) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        await at.type("too")
        assert "tool:mail.send" in offered(await at.press("tab"))
        assert "tool:mail.send" in (await at.press("tab")).splitlines()[-2]
        assert "tool:read_file" in (await at.press("tab")).splitlines()[-2]
        assert "the tool contains “read_file”" in await at.line(-4)


@pytest.mark.parametrize(
    ("text", "marked"),
    [("tool:read tol:x sev:high", "tol:x"), ("sig:nonsense tool:a", "nonsense"), ("a (b", "(b")],
)
async def test_a_mistake_is_marked_where_it_stands_and_the_mark_goes_with_it(
    scene: Scene, text: str, marked: str
) -> None:
    async with hands(scene) as at:
        await at.press("slash")
        shown = await at.type(text)
        field = at.app.screen.query_one(Input)
        [mark] = field._value.spans
        assert field.value[mark.start : mark.end] == marked
        assert "✗" in shown
        await at.press("ctrl+u")
        await at.type("tool:read")
        assert not field._value.spans


async def test_filters_are_kept_from_run_to_run(scene: Scene, tmp_path: Path) -> None:
    path = tmp_path / FILE
    for text in ("tool:read", "sig:bad", "tool:read"):
        async with hands(scene) as at:
            at.app.take(Settings(history=path))
            await at.press("slash")
            await at.type(text)
            await at.press("enter")
    assert path.read_text() == "sig:bad\ntool:read\n"
    async with hands(scene) as at:
        at.app.take(Settings(history=path))
        await at.press("slash", "up")
        assert "/tool:read" in await at.line(-2)
        await at.press("up")
        assert "/sig:bad" in await at.line(-2)


def test_the_file_is_private_and_bounded_and_several_share_it(tmp_path: Path) -> None:
    path = tmp_path / FILE
    one, other = History(path), History(path)
    one.add(KEPT, "first")
    other.add(KEPT, "second")
    one.add(Ask.COMMAND, "quit")
    assert History(path).lines(KEPT) == ["first", "second"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for number in range(MAX_LINES):
        other.add(KEPT, f"tool:{number}")
    assert History(path).lines(KEPT) == [f"tool:{number}" for number in range(MAX_LINES)]


def test_what_cannot_have_been_typed_is_not_recalled(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_bytes(b"good\n\x1b]52;c;eA==\x07\n\n" + b"x" * 5000 + b"\n\xff\ngood\n")
    path.chmod(0o600)
    assert set(History(path).lines(KEPT)) == {"good", "\ufffd"}


def test_where_it_cannot_be_kept_it_is_of_this_run(tmp_path: Path) -> None:
    shared = tmp_path / FILE
    shared.write_text("theirs\n")
    shared.chmod(0o644)
    blocked = tmp_path / "folder"
    blocked.mkdir()
    for path in (shared, blocked):
        history = History(path)
        history.add(KEPT, "mine")
        assert history.lines(KEPT) == ["mine"]
    assert stat.S_IMODE(shared.stat().st_mode) == 0o644
