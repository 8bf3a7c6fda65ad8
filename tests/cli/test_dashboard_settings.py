"""Keys and colours of the configuration that the dashboard has not are told with their place, before it opens."""

from pathlib import Path

import pytest

from mcpwatch.cli import main


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ('[keys]\nfrezee = "x"\n', "line 2, column 1", "there is no command frezee; did you mean freeze?"),
        ('[keys]\nfreeze = "spce"\n', "line 2, column 1", "spce is not a key; did you mean space?"),
        ('[keys]\nmute = "B"\nfreeze = "f"\n', "line 3, column 1", "f is the key of follow already"),
        ('[keys]\nquit = ""\n', "line 2, column 1", "quit must keep a key"),
        ('[ui]\ntheme = "drak"\n', "line 2, column 1", "there is no theme drak"),
        ('[themes.mine]\nbase = "mcpwatch-drak"\n', "line 2, column 1", "did you mean mcpwatch-dark?"),
        ('[themes.mine]\nerror = "red"\n', "line 2, column 1", "themes.mine.error must be a colour such as #1f5fa8"),
        ('[filters]\nbad = "tool:("\n', "line 2, column 1", "filters.bad"),
        ("[ui]\nthem = 'nord'\n", "line 2, column 1", "ui.them is not a setting; did you mean theme?"),
    ],
)
def test_what_the_dashboard_has_not_is_told_with_its_place(
    text: str,
    place: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", "t")
    (tmp_path / "config.toml").write_text(text)
    assert main(["watch", "http://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err
    assert place in said and says in said and "config.toml" in said


def test_the_demo_takes_the_keys_and_colours_of_whoever_looks_at_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[ui]\ntheme = "drak"\n')
    assert main(["demo"]) == 2
    assert "there is no theme drak" in capsys.readouterr().err
