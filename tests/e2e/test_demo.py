"""`mcpwatch demo --headless`, and a watcher in another terminal."""

import asyncio
import signal
import tempfile
from pathlib import Path

import pytest
from processes import Process, Told, processes_with, rules, told

from mcpwatch.feed.discover import Announcement, running

pytestmark = pytest.mark.e2e

WORDS = {"VERIFIED", "PARTIAL", "UNSIGNED", "BAD SIG", "REPLAY", "WRONG KEY", "STALE", "OLD KEY", "UNKNOWN KEY"}
SCHEMES = {
    *(("aip", ""), ("dpop", ""), ("signet", ""), ("hmac", ""), ("aip-token", "")),
    *(("rfc9421", profile) for profile in ("did keyid", "sep-2752", "web-bot-auth", "ucp")),
}
"""Schemes with their profiles."""
RESOLUTIONS = {"pinned", "did:key", "registry", "directory", "JWKS", "embedded"}


@pytest.fixture(autouse=True)
def temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of this test's own for what the demo makes for the time being."""
    folder = tmp_path / "t"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


def found(state_folder: Path) -> Announcement:
    """The demo as it announced itself."""
    (gateway,) = running(state_folder)
    return gateway


async def gone(text: str) -> None:
    """Wait until no process has `text` in its command line."""
    async with asyncio.timeout(60):
        while processes_with(text):
            await asyncio.sleep(0.05)


async def start() -> tuple[Process, str]:
    """The demo and its feed's address."""
    demo = await Process.start("demo", "--headless")
    lines = await demo.until(bool)
    return demo, lines[0].strip()


def verdicts(lines: list[str]) -> list[Told]:
    """Every verdict that was told, also those that were taken back."""
    return [entry for entry in told(lines, "entry") + told(lines, "verdict") if entry["verdict"]]


def resolutions(lines: list[str]) -> set[str]:
    """How names became keys."""
    return {one["verdict"]["identity"]["resolution"] for one in verdicts(lines) if one["verdict"]["identity"]}


def checked_again(lines: list[str]) -> bool:
    """Whether requests that the registry's outage left unchecked were verified when it was back."""
    silent = ("HTTP status 503", "not to be asked")
    refused = [one for one in verdicts(lines) if any(said in " ".join(one["verdict"]["reasons"]) for said in silent)]
    outage = {one["index"] for one in refused}
    return any(one["index"] in outage and one["verdict"]["word"] == "VERIFIED" for one in told(lines, "verdict"))


async def test_every_scheme_and_every_verdict_within_a_minute(state_folder: Path, temporary_files: Path) -> None:
    demo, feed = await start()
    assert feed == found(state_folder).address
    tail = await Process.start("tail", feed, "--json", "--all")

    def enough(lines: list[str]) -> bool:
        told = [one["verdict"] for one in verdicts(lines)]
        return (
            len(rules(lines)) >= 20
            and {one["word"] for one in told} >= WORDS
            and {(one["scheme"], one["profile"]) for one in told} >= SCHEMES
            and resolutions(lines) >= RESOLUTIONS
            and checked_again(lines)
        )

    await tail.until(enough, deadline=90)
    sessions = [entry["session"] for entry in told(tail.lines, "entry") if entry["session"]]
    assert len({session["bound_to"] for session in sessions if session["bound_to"]}) >= 3

    assert len(processes_with(str(temporary_files))) == 3
    assert await demo.end(signal.SIGTERM) == 128 + signal.SIGTERM
    await gone(str(temporary_files))
    assert list(temporary_files.iterdir()) == []
    assert running(state_folder) == []
    assert not any("failed" in line for line in demo.lines)
    await tail.end()


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL])
async def test_no_child_is_left_however_it_ends(number: int, temporary_files: Path) -> None:
    demo, _ = await start()
    await demo.until(lambda lines: any("notes:" in line for line in lines))
    assert len(processes_with(str(temporary_files))) == 3
    assert await demo.end(number) == (-number if number == signal.SIGKILL else 128 + number)
    await gone(str(temporary_files))


async def test_it_ends_after_so_many_seconds(temporary_files: Path) -> None:
    demo = await Process.start("demo", "--headless", "--seconds", "1")
    assert await demo.wait() == 0
    assert demo.lines[0].startswith("http://127.0.0.1:")
    assert list(temporary_files.iterdir()) == []
