"""Exporting from the screen: which entries, which format, and what is said."""

import json
from pathlib import Path

import pytest
from hands import Hands, hands
from scene import Scene
from textual.widgets import Input

from mcpwatch.ui.dialogs.export import ExportDialog
from mcpwatch.ui.exporting import ENDINGS, following, format_of, proposed

pytest_plugins = ["played"]


@pytest.fixture(autouse=True)
def folder(same_everywhere: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files go."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


async def written(at: Hands, folder: Path) -> Path:
    """The one file, once the dialog has closed."""
    while isinstance(at.app.screen, ExportDialog):
        await at.read()
    (path,) = folder.iterdir()
    return path


async def test_the_evidence_of_an_alert_is_two_keys_away(scene: Scene, folder: Path) -> None:
    async with hands(scene) as at:
        said = await at.press("3", "w")
        assert "Export" in said and "entries where" in said
        await at.press("enter")
        path = await written(at, folder)
        assert path.stat().st_mode & 0o777 == 0o600
        head, *entries = [json.loads(line) for line in path.read_text().splitlines()]
        alert = next(alert for alert in scene.state.alerts.values() if f"alert:{alert.id}" == head["filter"])
        assert [entry["index"] for entry in entries if entry["type"] == "entry"] == alert.evidence
        said = (await at.line(-1)).partition("? help")[0].strip()
        assert said.startswith("2 entries, all proven, in …") and said.endswith(path.name[-30:])


async def test_live_exports_what_the_filter_lets_through(scene: Scene, folder: Path) -> None:
    async with hands(scene) as at:
        await at.command("filter tool:read")
        await at.press("w", "tab", "enter")
        path = await written(at, folder)
        assert path.suffix == ".csv" and "tool-read" in path.name
        said = path.read_text()
        assert "tool:read" in said


async def test_a_file_that_is_there_stays_as_it_is(scene: Scene, folder: Path) -> None:
    (folder / "mine.jsonl").write_text("mine")
    async with hands(scene) as at:
        await at.press("w", *("backspace",) * 60)
        await at.type("mine.jsonl")
        said = await at.press("enter")
        while "exists already" not in said:
            said = await at.read()
        assert isinstance(at.app.screen, ExportDialog)
        assert (folder / "mine.jsonl").read_text() == "mine"


async def test_a_name_that_asks_for_no_format_is_told(scene: Scene, folder: Path) -> None:
    async with hands(scene) as at:
        await at.press("w", *("backspace",) * 6)
        assert "must end in one of .jsonl" in await at.press("enter")
        assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("~nobody-of-this-name/a.csv", "begins with a user that there is not"),
        ("a\x00b.csv", "a\\x00b.csv holds what cannot be drawn"),
        ("half\ud800.csv", "holds what cannot be drawn"),
        ("none/a.csv", "cannot be written: No such file or directory"),
    ],
)
async def test_a_name_that_no_file_can_have_is_told(scene: Scene, folder: Path, name: str, why: str) -> None:
    async with hands(scene, (140, 40)) as at:
        await at.press("w")
        at.app.screen.query_one("#note", Input).value = name
        said = await at.press("enter")
        while "writing …" in said:
            said = await at.read()
        assert why in said and isinstance(at.app.screen, ExportDialog)
        assert not list(folder.iterdir())


async def test_nothing_selected_is_nothing_to_export(blank: Scene) -> None:
    async with hands(blank) as at:
        assert "Nothing is selected that has entries" in await at.press("3", "w")


def test_formats_take_turns_and_names_tell_them() -> None:
    names = ["a.jsonl"]
    while len(names) <= len(ENDINGS):
        names.append(following(names[-1]))
    assert names == [*(f"a{ending}" for ending in ENDINGS), "a.jsonl"]
    assert [format_of(name) for name in names[:-1]] == list(ENDINGS.values())
    assert following("a.txt") == "a.txt.jsonl" and format_of("a.txt") == ""
    assert proposed('tool="../../x" | sev>=high').startswith("mcpwatch-tool-x-sev-high-")


async def test_the_whole_path_can_be_read_where_it_is_longer_than_the_foot(scene: Scene, folder: Path) -> None:
    deep = folder / "evidence-of-the-quarter" / "in-a-folder-with-a-long-name"
    deep.mkdir(parents=True)
    async with hands(scene, notifications=True) as at:
        await at.press("3", "w", "home")
        await at.type(f"{deep}/")
        await at.press("enter")
        while isinstance(at.app.screen, ExportDialog):
            await at.read()
        (path,) = deep.iterdir()
        said = (await at.line(-1)).partition("? help")[0].strip()
        assert said.startswith("2 entries, all proven, in …") and said.endswith(path.name[-30:])
        assert f"2 entries, all proven, in {path}" in {each.message for each in at.app._notifications}
