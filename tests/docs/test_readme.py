"""The README is true: its tables are the code's, its pictures exist, its commands parse."""

import re
import sys
from pathlib import Path

import pytest
from behind import Rig
from processes import Process, told
from readme import README, TABLES, renew

from mcpwatch.cli import COMMANDS
from mcpwatch.identity.agent_key import AgentKey


def test_every_table_is_as_the_code_has_it() -> None:
    text = README.read_text()
    assert all(f"<!-- table: {name} -->" in text for name in TABLES)
    assert renew(text) == text, "run: uv run python tests/readme.py"


def test_every_picture_and_file_it_names_exists() -> None:
    names = re.findall(r"\]\(([^)#:]+)\)", README.read_text())
    assert names
    missing = [name for name in names if not (README.parent / name).exists()]
    assert not missing


def test_every_command_it_shows_is_one() -> None:
    shown = set(re.findall(r"(?:uv run |`)mcpwatch ([a-z]+)", README.read_text()))
    assert shown
    assert shown <= {row.name for row in COMMANDS}


def blocks(language: str = "") -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", README.read_text(), re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == language]


def test_its_commands_work_from_a_clone() -> None:
    lines = [line.strip() for block in blocks() for line in block.splitlines()]
    bare = [line for line in lines if line.startswith("mcpwatch")]
    assert bare == []
    assert {"pip install uv && uv run mcpwatch demo", "pip install uv && uv run pytest"} <= set(lines)
    assert sum(line.startswith("uv run mcpwatch") for line in lines) >= 7


@pytest.mark.e2e
async def test_its_signing_agent_can_be_pasted(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = blocks("python")
    monkeypatch.chdir(tmp_path)
    agent = await Process.run(sys.executable, "-c", code.replace("http://127.0.0.1:4180", f"{rig.address}/notes"))
    assert await agent.wait() == 0, agent.lines
    assert agent.lines[0].split()[0] == AgentKey.load(tmp_path / "agent.pem").did_key
    assert "read_note" in agent.lines[-1]
    tail = await Process.start("tail", rig.feed, "--json", "--all")
    await tail.until(
        lambda lines: any(e["verdict"]["word"] == "VERIFIED" for e in told(lines, "entry") if e["verdict"])
    )
    await tail.end()
