"""Which feed a command line means where several gateways run."""

import argparse
import asyncio
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_recorded_proof import recording
from tiny_log import TinyLog

from mcpwatch.cli import main
from mcpwatch.commands import opening, sources
from mcpwatch.commands.named_sources import Feed, name_of
from mcpwatch.errors import ConnectError, UsageError
from mcpwatch.feed.discover import Announcement, announce
from mcpwatch.feed.patient import UnreadSource
from mcpwatch.files import write_private
from mcpwatch.model.entries import UpstreamInfo
from mcpwatch.secret import Secret

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
    assert target.feed is not None
    assert target.feed.address == NOTES


def wanted(*words: str) -> sources.Target:
    parser = argparse.ArgumentParser()
    sources.arguments(parser)
    return sources.find(parser.parse_args(words))


def names(target: sources.Target) -> list[str]:
    return [name_of(source) for source in target.sources]


@pytest.fixture
def configured(tmp_path: Path) -> Path:
    """Two sources that are watched, one that is not, and a token file for each feed."""
    token = tmp_path / "their.token"
    write_private(token, b"b" * 43)
    (tmp_path / "config.toml").write_text(
        f'[sources.office]\naddress = "{ORDERS}/v1/feed"\ntoken_file = "{token}"\n'
        f'[sources.lab]\naddress = "http://10.0.0.7:4181"\ntoken_file = "{token}"\n'
        f'[sources.old]\naddress = "{tmp_path}/old.mcpfeed"\nwatched = false\n'
    )
    return token


@pytest.mark.usefixtures("two_gateways")
def test_the_sources_that_are_watched_are_taken_where_none_is_named(configured: Path) -> None:
    assert names(wanted()) == ["office", "lab"]


@pytest.mark.usefixtures("configured")
def test_a_source_goes_by_its_name_however_it_is_meant(two_gateways: None, tmp_path: Path) -> None:
    assert names(wanted("old", "lab")) == ["old", "lab"]
    assert names(wanted(ORDERS)) == ["office"], "by its address"
    assert names(wanted("notes", "orders")) == ["127.0.0.1:4181", "office"], "by the server behind it"
    feed = wanted("office").feed
    assert feed is not None
    assert feed.token.reveal() == "b" * 43, "its own token is sent, not that of the gateway here"


@pytest.mark.usefixtures("configured")
def test_a_name_that_is_none_is_told_with_those_that_are(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "offce"]) == 2
    said = capsys.readouterr().err
    assert "No source is called offce" in said
    assert "office, lab, old" in said


@pytest.mark.usefixtures("two_gateways")
@pytest.mark.parametrize("option", ["--all", "--all-gateways"])
def test_all_gateways_that_run_here_can_be_wanted(option: str) -> None:
    assert sorted(names(wanted(option))) == ["127.0.0.1:4181", "127.0.0.1:4191"]
    assert len(names(wanted(option, "notes"))) == 2


def test_all_of_none_is_said_to_be_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--all"]) == 3
    assert "No gateway of yours is running" in capsys.readouterr().err


@pytest.mark.usefixtures("two_gateways")
def test_what_is_named_twice_is_read_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.mcpfeed"
    file.touch()
    (tmp_path / "b.mcpfeed").symlink_to(file)
    assert names(wanted("notes", NOTES, str(file), str(tmp_path / "b.mcpfeed"))) == ["127.0.0.1:4181", "a.mcpfeed"]
    said = capsys.readouterr().err
    assert f"{NOTES} is named more than once" in said
    assert "a.mcpfeed is named more than once" in said


def test_two_files_of_one_name_are_told_apart(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "day.mcpfeed" for folder in ("mon", "tue")]
    assert names(wanted(*map(str, paths))) == list(map(str, paths))


def test_one_source_that_cannot_be_read_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "config.toml").write_text(
        f'[sources.lab]\naddress = "http://10.0.0.7:4181"\ntoken_file = "{tmp_path}/none.token"\n'
    )
    assert main(["check"]) == 5
    assert "none.token" in capsys.readouterr().err


@pytest.fixture
def recorded(tmp_path: Path) -> str:
    """A recording that holds."""
    log = TinyLog()
    log.grow(3)
    path = tmp_path / "log.mcpfeed"
    path.write_bytes(recording(log, *map(log.entry, range(3)), log.checkpoint()))
    return str(path)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address at which nobody listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("trouble", ["down", "no token", "open token", "no recording"])
@pytest.mark.parametrize("command", ["check", "alerts", "export"])
def test_a_source_that_cannot_be_read_hides_no_other(
    command: str,
    trouble: str,
    recorded: str,
    nobody: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    open_token = tmp_path / "open.token"
    open_token.write_text("c" * 43)
    open_token.chmod(0o644)
    if trouble == "down":
        monkeypatch.setenv("MCPWATCH_TOKEN", "c" * 43)
    words, code, reason = {
        "down": ([nobody], 3, "nothing answers there"),
        "no token": ([nobody], 4, "No token"),
        "open token": ([nobody, f"--token-file={open_token}"], 4, "open.token"),
        "no recording": ([str(tmp_path / "gone.mcpfeed")], 4, "gone.mcpfeed"),
    }[trouble]
    assert main([command, recorded, *words]) == code
    said = capsys.readouterr()
    assert reason in said.out + said.err
    if command == "check":
        assert "log.mcpfeed: 3 entries, proven" in said.out


def test_where_nothing_can_be_read_every_reason_is_told(
    nobody: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tail", nobody, str(tmp_path / "gone.mcpfeed")]) == 3
    said = capsys.readouterr().err
    assert "None of the 2 sources" in said
    assert "No token" in said
    assert "gone.mcpfeed: " in said


@pytest.mark.usefixtures("two_gateways")
@pytest.mark.parametrize("command", ["watch", "tail", "check", "export", "alerts"])
def test_a_saved_filter_that_is_none_is_told_with_its_place(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "config.toml").write_text('[filters]\ngood = "sig:verified"\nworse = "@good | @goods"\n')
    assert main([command, NOTES]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path}/config.toml, line 3, column" in said
    assert "filters.worse is no filter: there is no saved filter @goods; did you mean @good?" in said


@pytest.mark.usefixtures("two_gateways")
def test_a_saved_filter_is_taken_on_the_command_line(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[filters]\nbad = "sig:bad | sev>=high"\n')
    config = wanted(NOTES).config
    assert sources.query("!@bad tool:a", config).english() == (
        "not ((the signature is “bad” or the severity is at least high)) and the tool contains “a”"
    )
    with pytest.raises(UsageError, match=r"there is no saved filter @bed; did you mean @bad\? \(at character 3\)"):
        sources.query("a @bed", config)


async def test_a_feed_that_is_slow_to_answer_holds_up_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = (Feed(f"http://{host}:4181", Secret("t")) for host in ("slow", "quick"))

    async def answered(each: Feed, state: Path) -> UnreadSource:
        if each is slow:
            await asyncio.Event().wait()
        return UnreadSource("quick", each.address, ConnectError("not asked here"))

    monkeypatch.setattr(opening, "_answered", answered)
    found = await opening.open_once_one_answers([slow, quick], tmp_path)
    assert [source.name for source in found] == ["slow:4181", "quick:4181"]
