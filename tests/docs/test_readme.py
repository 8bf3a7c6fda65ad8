"""The README is true: its tables are the code's, its pictures exist, its commands parse."""

import re

from readme import README, TABLES, renew

from mcpwatch.cli import COMMANDS


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
