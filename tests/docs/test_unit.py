"""The README's unit for systemd: one that systemd takes, whose command parses, and that opens nothing up."""

import argparse
import configparser
import importlib
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from readme import README

from mcpwatch.gateway.options import parse_upstreams

COMMAND = "/opt/mcpwatch/bin/mcpwatch"


@pytest.fixture
def unit() -> str:
    text = README.read_text()
    begin = text.index("```ini\n[Unit]") + len("```ini\n")
    return text[begin : text.index("```", begin)]


def test_systemd_takes_it(unit: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not there")
    file = tmp_path / "mcpwatch-gateway.service"
    file.write_text(unit.replace(COMMAND, shutil.which("true") or "/bin/true"))
    done = subprocess.run([analyze, "verify", str(file)], capture_output=True, text=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_its_command_is_one(unit: str) -> None:
    (line,) = (line for line in unit.splitlines() if line.startswith("ExecStart="))
    program, name, *words = shlex.split(line.removeprefix("ExecStart="))
    assert (program, name) == (COMMAND, "gateway")
    parser = argparse.ArgumentParser(exit_on_error=False)
    importlib.import_module("mcpwatch.commands.gateway").arguments(parser)
    options = parser.parse_args(words)
    assert parse_upstreams(options.upstream)
    assert options.metrics


def test_it_is_restarted_when_it_fails_and_hardened(unit: str) -> None:
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.read_string(unit)
    service = parser["Service"]
    assert service["Restart"] == "on-failure"
    assert service["StateDirectory"] == "mcpwatch"
    assert service["ProtectSystem"] == "strict"
    assert service["UMask"] == "0077"
    assert service["NoNewPrivileges"] == "yes"
