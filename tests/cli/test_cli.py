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


@pytest.mark.parametrize("name", ["config", "tail", "gateway", "keys", "keygen", "sign"])
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
    assert stated.pop("principals") == {"https://issuer.example alice": ["did:web:agent.example"]}
    assert stated == {
        "identity": {
            "registry": "",
            "jwks": [],
            "did_web": False,
            "directories": False,
            "allow_private": False,
            "roots": [],
            "window": 300,
        },
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


IDENTITY = """[identity]
registry = "https://registry.example"
jwks = ["/etc/mcpwatch/agents.json", "~/keys.json", "https://issuer.example/jwks.json"]
did_web = true
directories = true
allow_private = true
roots = ["did:aip:56475aa75463474c0285df5dbf2bcab7"]
[principals]
"https://issuer.example alice" = ["did:web:agent.example", "ledger"]
bob = ["key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"]
"""


def test_what_is_shown_reads_back_as_it_was(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(IDENTITY)
    before = config.load()
    assert before.principals["bob"] == ("key:NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",)
    assert main(["config", "show"]) == 0
    (tmp_path / "config.toml").write_text(capsys.readouterr().out)
    assert config.load() == before


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[identity]\nregistry = 'registry.example'\n", "identity.registry must be an http or https URL"),
        ("[identity]\nregistry = 'https://user:secret@registry.example'\n", "URL without a user"),
        ("[identity]\nregistry = 'https://registry.example:99999'\n", "identity.registry must be"),
        ("[identity]\nwindow = 0\n", "identity.window must lie between"),
        ("[identity]\njwks = ['keys.json']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['http://issuer.example/jwks']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['https://']\n", "identity.jwks must list paths"),
        ("[identity]\njwks = ['https://user:secret@issuer.example/jwks']\n", "URLs without a user"),
        ("[identity]\njwks = ['~nobody-of-that-name/keys.json']\n", "identity.jwks must list paths"),
        ("[identity]\nroots = ['did:aip:1']\n", "identity.roots must list DIDs"),
        ("[identity]\nroots = ['did:aip:1#key-1']\n", "identity.roots must list DIDs"),
        ("[identity]\nroots = ['ledger']\n", "identity.roots must list DIDs"),
        ("[watch]\nrows = 1\n", "watch.rows must lie between"),
        ("[principals]\nalice = []\n", "principals must give each subject"),
        ("[principals]\nalice = ['']\n", "principals must give each subject"),
    ],
)
def test_a_value_that_makes_no_sense_is_named(
    text: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text(text)
    assert main(["config", "show"]) == 2
    err = capsys.readouterr().err
    assert key in err
    assert "secret" not in err


def test_a_configuration_that_cannot_be_read_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").mkdir()
    assert main(["config", "show"]) == 2
    assert "config.toml cannot be read: Is a directory" in capsys.readouterr().err


def test_authors_have_a_name() -> None:
    assert "@" in config.author(config.Config())
    assert config.author(config.Config(watch=config.WatchConfig(author="ana"))) == "ana"


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


@pytest.mark.parametrize(("variable", "typed"), [("UV_RUN_RECURSION_DEPTH", "uv run mcpwatch"), ("UV", "mcpwatch")])
def test_what_to_type_begins_as_the_program_was_started(
    variable: str, typed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(variable, "1")
    assert main(["tial"]) == 2
    assert f"Did you mean: {typed} tail\n" in capsys.readouterr().err
