"""The command line: help, versions, and errors a person can act on."""

import subprocess
import sys
from pathlib import Path

import pytest

from mcpwatch.cli import COMMANDS, main
from mcpwatch.program import program


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


@pytest.mark.parametrize(("words", "told"), [(["help"], "exit codes"), (["help", "tail"], "usage: mcpwatch tail")])
def test_help_is_told_by_the_word_as_well(words: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(words)
    assert left.value.code == 0
    assert told in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.startswith("mcpwatch ")


@pytest.mark.parametrize("name", ["config", "tail", "gateway", "keys", "keygen", "sign", "rules"])
def test_headless_commands_do_not_load_the_screen(name: str) -> None:
    code = (
        "import sys, mcpwatch.cli as c\n"
        f"try: c.main([{name!r}, '--help'])\n"
        "except SystemExit: pass\n"
        "sys.exit(int('textual' in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(("word", "meant"), [("frobnicate", "There are: watch, demo"), ("tial", "mcpwatch tail")])
def test_a_word_that_is_no_command_is_said_to_be_none(
    word: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([word]) == 2
    err = capsys.readouterr().err
    assert f"There is no command {word}" in err and meant in err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["ftp://127.0.0.1:1"], 2, "not a feed's address"),
        (["localhost:4181"], 2, "not a feed's address"),
        (["--filter", "sig:("], 2, "--filter"),
        (["http://127.0.0.1:1"], 4, "No token"),
        ([], 3, "No gateway of yours is running"),
    ],
)
def test_a_wrong_argument_is_told_before_a_missing_terminal(
    words: list[str], code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == code
    assert said in capsys.readouterr().err


def test_right_arguments_still_need_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MCPWATCH_TOKEN", "t")
    assert main(["http://127.0.0.1:1"]) == 5
    assert "needs a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["-n", "-1"], ["--since", "soon"], ["--all", "-n", "3"]])
def test_tail_refuses_what_makes_no_sense(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["tail", *words])
    assert left.value.code == 2


def test_a_program_that_the_shell_does_not_find_is_called_by_its_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "a clone" / "mcpwatch"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\n")
    script.chmod(0o700)
    monkeypatch.setattr(sys, "argv", [str(script)])
    assert program() == f"'{script}'"
    monkeypatch.setenv("PATH", str(script.parent))
    assert program() == "mcpwatch"


@pytest.mark.parametrize(("variable", "typed"), [("UV_RUN_RECURSION_DEPTH", "uv run mcpwatch"), ("UV", "mcpwatch")])
def test_what_to_type_begins_as_the_program_was_started(
    variable: str, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "1")
    assert main(["tial"]) == 2
    assert f"Did you mean: {typed} tail\n" in capsys.readouterr().err


def test_the_help_of_all_fits_into_eighty_columns(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit):
        main(["--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_a_replay_of_nothing_says_so_before_it_asks_for_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["replay", str(tmp_path / "nope.rec")]) == 5
    assert "nope.rec cannot be read: No such file" in (said := capsys.readouterr().err) and "terminal" not in said
