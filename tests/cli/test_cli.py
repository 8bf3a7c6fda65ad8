"""The command line: help, versions, and errors a person can act on."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from mcpwatch import config
from mcpwatch.cli import COMMANDS, main


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    out = capsys.readouterr().out
    assert all(row.name in out and row.help in out for row in COMMANDS)
    assert "exit codes" in out


@pytest.mark.parametrize("name", [row.name for row in COMMANDS])
def test_every_command_has_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main([name, "--help"])
    assert left.value.code == 0
    assert f"usage: mcpwatch {name}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mcpwatch ")


@pytest.mark.parametrize("name", ["config", "tail", "gateway", "keys"])
def test_headless_commands_do_not_load_the_screen(name: str) -> None:
    code = (
        "import sys, mcpwatch.cli as c\n"
        f"try: c.main([{name!r}, '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(int('textual' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_template_is_the_defaults(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "template"]) == 0
    text = capsys.readouterr().out
    uncommented = "\n".join(
        line.removeprefix("# ") if " = " in line else line for line in text.splitlines() if line.strip()
    )
    stated = tomllib.loads("\n".join(line for line in uncommented.splitlines() if not line.startswith("#")))
    assert stated == {
        "identity": {"registry": "", "window": 300},
        "watch": {"rows": 50_000, "author": ""},
    }


def test_what_is_configured_is_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text('[identity]\nregistry = "http://127.0.0.1:9"\n')
    assert config.load().identity.registry == "http://127.0.0.1:9"
    assert main(["config", "show"]) == 0
    assert tomllib.loads(capsys.readouterr().out)["identity"]["registry"] == "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "text",
    ["[identity]\nregistri = 'x'\n", "[identity]\nwindow = 'long'\n", "[watch]\nrows = 1\n", "= broken", "\xff"],
)
def test_a_wrong_configuration_says_which_file_and_what(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode("latin-1"))
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert str(path) in err
    assert "mcpwatch config template" in err


def test_authors_have_a_name() -> None:
    assert "@" in config.author(config.Config())
    assert config.author(config.Config(watch=config.WatchConfig(author="ana"))) == "ana"
