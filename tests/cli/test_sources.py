"""Which feed a command line means where several gateways run."""

import argparse
import os
from pathlib import Path

import pytest

from mcpwatch.cli import main
from mcpwatch.commands import sources
from mcpwatch.feed.discover import Announcement, announce
from mcpwatch.files import write_private
from mcpwatch.model.entries import UpstreamInfo

NOTES, ORDERS = "http://127.0.0.1:4181", "http://127.0.0.1:4191"


@pytest.fixture
def two_gateways(state_folder: Path) -> None:
    token = state_folder / "feed.token"
    write_private(token, b"a" * 43)
    for started, (address, name) in enumerate(((NOTES, "notes"), (ORDERS, "orders"))):
        upstream = UpstreamInfo(name=name, url="http://127.0.0.1:9/mcp")
        announce(state_folder, Announcement(address, str(token), os.getpid(), float(started), (upstream,)))


@pytest.mark.usefixtures("two_gateways")
@pytest.mark.parametrize("command", ["watch", "tail", "check", "alerts"])
def test_several_gateways_are_listed_and_none_is_taken(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command]) == 2
    said = capsys.readouterr().err
    assert f"{NOTES} (notes)" in said
    assert f"{ORDERS} (orders)" in said


@pytest.mark.usefixtures("two_gateways")
@pytest.mark.parametrize("word", ["notes", NOTES, f"{NOTES}/v1/feed"])
def test_a_gateway_is_named_by_its_address_or_a_server_behind_it(word: str) -> None:
    parser = argparse.ArgumentParser()
    sources.arguments(parser)
    target = sources.find(parser.parse_args([word]))
    assert [feed.address for feed in target.feeds] == [NOTES]
