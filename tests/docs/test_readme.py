"""The README is true: its tables are the code's, its pictures exist, its commands parse."""

import re
import shlex
import sys
from pathlib import Path

import pytest
from behind import Rig
from mcp.client.client import Client
from processes import Process, Told, told
from readme import README, TABLES, renew

from mcpwatch.cli import COMMANDS, main
from mcpwatch.config import Config, load
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.policy.file import OwnRuleKeys


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


def test_it_says_of_the_rules_on_the_feed_what_the_template_of_the_policy_says() -> None:
    said = " ".join((OwnRuleKeys.__doc__ or "").split()).partition(". ")[2]
    assert said.startswith("The rules on the feed")
    assert said in " ".join(README.read_text().split())


def test_its_commands_work_from_a_clone() -> None:
    lines = [line.strip() for block in blocks(README.read_text()) for line in block.splitlines()]
    bare = [line for line in lines if line.startswith("mcpwatch")]
    assert bare == []
    assert {"pip install uv && uv run mcpwatch demo", "pip install uv && uv run pytest"} <= set(lines)
    assert sum(line.startswith("uv run mcpwatch") for line in lines) >= 7


def section(title: str) -> str:
    """The text under a heading of the second level."""
    return README.read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def blocks(text: str, language: str = "") -> list[str]:
    """The fenced blocks of one language."""
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [block for name, block in found if name == language]


def test_its_configurations_are_some(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    shown = blocks(README.read_text(), "toml")
    assert shown
    for text in shown:
        path.write_text(text)
        assert load(path) != Config()


@pytest.mark.e2e
async def test_its_lines_on_signing_can_be_pasted(rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its shell lines in order, its agent in Python, and a client that knows nothing of signing behind the proxy."""
    monkeypatch.chdir(tmp_path)
    text = section("Sign your agent's calls").replace("http://127.0.0.1:4180", f"{rig.address}/notes")
    lines = [line.removeprefix("uv run mcpwatch ") for block in blocks(text) for line in block.splitlines()]
    made, proxy, *pins = (shlex.split(line) for line in lines)
    keygen = await Process.start(*made)
    assert await keygen.wait() == 0
    assert pins
    for words in pins:
        assert main(words) == 0
    signer = await Process.start(*proxy, "--listen", "127.0.0.1:0")
    key = AgentKey.load(tmp_path / "agent.pem")
    assert await signer.line("signing as") == key.did_key
    (code,) = blocks(text, "python")
    agent = await Process.run(sys.executable, "-c", code)
    assert await agent.wait() == 0, agent.lines
    assert "read_note" in agent.lines[-1]
    async with Client((await signer.line("  ")).partition(" ")[0]) as client:
        assert (await client.list_tools()).tools
    assert await signer.end() == 0
    tail = await Process.start("tail", rig.feed, "--json", "--all")
    await tail.until(lambda lines: sum(is_list_of(entry, key) for entry in told(lines, "entry")) == 2)
    assert {entry["verdict"]["word"] for entry in told(tail.lines, "entry") if entry["verdict"]} == {"VERIFIED"}
    await tail.end()


def is_list_of(entry: Told, key: AgentKey) -> bool:
    """Whether it is a request for the list of tools that this key signed."""
    return bool(entry["verdict"]) and entry["method"] == "tools/list" and entry["identity"] == key.did_key
