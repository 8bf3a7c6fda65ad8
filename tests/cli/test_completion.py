"""Shell completion, asked of the shells themselves."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from mcpwatch.cli import COMMANDS, main
from mcpwatch.commands.completion import SHELLS
from mcpwatch.completion.words import words

_BASH = """\
compopt() { :; }
source "$1"
shift
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_mcpwatch
printf '%s\\n' "${COMPREPLY[@]}"
"""
# A terminal of its own, since zsh completes only for one who types; what it would insert goes through compadd.
_ZSH = """\
zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z "PS1= ; autoload -Uz compinit; compinit -D -u; source $1"
zpty -w z 'compadd() {
  local -a found
  [[ ${@[(i)-O]} -le $# || ${@[(i)-D]} -le $# ]] && { builtin compadd "$@"; return }
  builtin compadd -A found "$@"
  print -rl -- "FOUND:"$^found
  builtin compadd "$@"
}'
zpty -w z 'ask() { print ASKED }; list() { zle expand-or-complete; print; print OVER; exit }; zle -N list'
zpty -w z "bindkey ^I list"
zpty -w z "print READY''NOW"
local seen=
while zpty -r z seen '*READYNOW*'; do break; done
zpty -w -n z "$2"$'\\t'
while zpty -r z seen; do print -r -- "$seen"; [[ $seen == *OVER* ]] && break; done
zpty -d z
"""


def _bash(script: Path, line: list[str], folder: Path) -> set[str]:
    return set(_run(["bash", "--norc", "-c", _BASH, "-", str(script), *line], folder).split("\n")) - {""}


def _zsh(script: Path, line: list[str], folder: Path) -> set[str]:
    said = _run(["zsh", "-f", "-c", _ZSH, "-", str(script), " ".join(line)], folder)
    return {each.partition("FOUND:")[2].strip() for each in said.splitlines() if "FOUND:" in each} - {""}


def _fish(script: Path, line: list[str], folder: Path) -> set[str]:
    asked = f"source {script}; complete -C '{' '.join(line)}'"
    return {each.partition("\t")[0] for each in _run(["fish", "--no-config", "-c", asked], folder).splitlines()}


ASK: dict[str, Callable[[Path, list[str], Path], set[str]]] = {"bash": _bash, "zsh": _zsh, "fish": _fish}
"""Shell -> what it offers for the last word of a line."""


def _run(words: list[str], folder: Path) -> str:
    environment = {**os.environ, "HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "TERM": "dumb"}
    done = subprocess.run(words, capture_output=True, text=True, cwd=folder, env=environment, check=False, timeout=60)
    assert not done.stderr, done.stderr
    return done.stdout


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    ("line", "offered", "withheld"),
    [
        (["che"], {"check"}, {"keys"}),
        (["check", "--fail"], {"--fail-on"}, {"--filter"}),
        (["check", "--fail-on", ""], {"low", "medium", "high", "critical", "never"}, {"watch"}),
        (["keys", ""], {"list", "add", "import", "name", "operator", "remove"}, {"watch"}),
        (["keys", "add", "--na"], {"--name"}, set()),
        (["config", "sh"], {"show"}, {"path"}),
        (["replay", "ni"], {"night.mcpw"}, set()),
        (["completion", ""], set(SHELLS), {"watch"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_shell_offers_what_may_follow(
    shell: str,
    line: list[str],
    offered: set[str],
    withheld: set[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    assert main(["completion", shell]) == 0
    script = tmp_path / f"completion.{shell}"
    script.write_text(capsys.readouterr().out)
    (tmp_path / "night.mcpw").touch()
    found = ASK[shell](script, ["mcpwatch", *line], tmp_path)
    assert offered <= found
    assert not withheld & found


def test_bash_completes_what_stands_behind_a_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", "bash"]) == 0
    script = tmp_path / "completion.bash"
    script.write_text(capsys.readouterr().out)
    assert _bash(script, ["mcpwatch", "check", "--fail-on", "=", "me"], tmp_path) == {"medium"}
    assert "sarif" in _bash(script, ["mcpwatch", "check", "--format", "="], tmp_path)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_every_command_and_option(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    known = [option for command in words().all() for option in command.options]
    assert {row.name for row in COMMANDS} <= {command.name for command in words().commands}
    assert len(known) > 100
    for option in known:
        for name in option.names:
            assert (f"-l {name[2:]}" if shell == "fish" and name.startswith("--") else name[1:]) in script
