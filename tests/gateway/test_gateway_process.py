"""The real command in a process of its own: killed, stopped, started twice."""

import asyncio
import os
import re
import signal
import socket
import stat
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest
from rig import PATIENCE, Scripted, answer, connect, every, journal, ok, post, scripted
from watcher import Watcher, token_of

from mcpwatch.feed.discover import running
from mcpwatch.model.entries import End, GatewayStarted, GatewayStopped, Request

CALL = b'{"jsonrpc":"2.0","id":1,"method":"tools/list"}'


class Child:
    """A gateway process and where it said it listens."""

    def __init__(self, process: Process, listen: str, feed: str) -> None:
        self.process = process
        self.listen = listen
        self.feed = feed

    async def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)


async def spawn(*arguments: str) -> Process:
    command = (sys.executable, "-m", "mcpwatch", "gateway", *arguments)
    return await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)


async def start(server: Scripted) -> Child:
    process = await spawn("--upstream", server.url, "--listen", "127.0.0.1:0", "--feed", "127.0.0.1:0")
    assert process.stdout is not None
    line = (await asyncio.wait_for(process.stdout.readline(), PATIENCE)).decode()
    listen, feed = re.findall(r"http://127\.0\.0\.1:\d+", line)
    return Child(process, listen, feed)


async def flood(child: Child, done: asyncio.Event) -> None:
    """Call until the gateway is gone."""
    talk = await connect(child.listen)
    try:
        while not done.is_set():
            await talk.send(post(CALL))
            await talk.reply()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        talk.writer.close()


async def test_killed_under_load_it_loses_nothing_a_watcher_saw(state_folder: Path) -> None:
    watcher = Watcher()
    async with scripted(answer(ok(b'{"jsonrpc":"2.0","id":1,"result":{}}'))) as server:
        for _ in range(3):
            child = await start(server)
            done = asyncio.Event()
            load = [asyncio.create_task(flood(child, done)) for _ in range(4)]
            await watcher.connect(child.feed, token_of(state_folder))
            await watcher.until(watcher.verified + 300)
            assert await child.end(signal.SIGKILL) == -signal.SIGKILL
            done.set()
            await asyncio.gather(*load)
            await watcher.drain()
        child = await start(server)
        await watcher.connect(child.feed, token_of(state_folder))
        await watcher.until(watcher.reader.status.next_index if watcher.reader else 0)
        assert await child.end(signal.SIGTERM) == 0
        await watcher.drain()
    assert watcher.reader is not None
    assert watcher.reader.evidence == ()
    assert [entry.index for entry in watcher.entries] == list(range(len(watcher.entries)))
    assert watcher.verified == len(watcher.entries)
    data = journal(state_folder)
    assert data == [entry.record.data for entry in watcher.entries if entry.record is not None]
    assert sum(isinstance(each, GatewayStarted) for each in data) == 4
    assert [each for each in data if isinstance(each, GatewayStopped)] == [GatewayStopped(reason="SIGTERM")]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
async def test_a_signal_ends_it_in_good_order(state_folder: Path, number: signal.Signals) -> None:
    async with scripted(answer(ok(b"{}"))) as server:
        child = await start(server)
        (found,) = running(state_folder)
        assert (found.address, found.pid) == (child.feed, child.process.pid)
        assert Path(found.token_file).read_text().strip() == token_of(state_folder)
        talk = await connect(child.listen)
        await talk.send(post(CALL))
        await talk.reply()
        assert await child.end(number) == 0
    assert running(state_folder) == []
    assert journal(state_folder)[-1] == GatewayStopped(reason=number.name)
    assert len(every(state_folder, Request)) == len(every(state_folder, End)) == 1


async def failing(*arguments: str) -> tuple[int, str]:
    """Exit code and error output of a gateway that cannot start."""
    process = await spawn(*arguments)
    _, error = await asyncio.wait_for(process.communicate(), PATIENCE)
    assert process.returncode is not None
    return process.returncode, error.decode()


@pytest.mark.parametrize("option", ["--listen", "--feed"])
async def test_a_port_in_use_is_named_with_what_to_do(option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        other = "--feed" if option == "--listen" else "--listen"
        code, error = await failing(
            "--upstream", "http://127.0.0.1:9", option, f"127.0.0.1:{port}", other, "127.0.0.1:0"
        )
    assert code == 5
    assert f"Port {port} on 127.0.0.1 is in use" in error
    assert f"{option} HOST:PORT" in error
    assert "Traceback" not in error


async def test_a_second_gateway_on_the_same_log_is_refused() -> None:
    async with scripted(answer(ok(b"{}"))) as server:
        child = await start(server)
        code, error = await failing("--upstream", server.url, "--listen", "127.0.0.1:0", "--feed", "127.0.0.1:0")
        assert await child.end(signal.SIGTERM) == 0
    assert (code, "MCPWATCH_STATE" in error, "Traceback" in error) == (5, True, False)


async def test_a_journal_without_its_key_is_kept_as_it_is(state_folder: Path) -> None:
    folder = state_folder / "gateway"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "journal.sqlite3").write_bytes(b"no database" * 1_000)
    code, error = await failing("--upstream", "http://127.0.0.1:9", "--listen", "127.0.0.1:0", "--feed", "127.0.0.1:0")
    assert code == 5
    assert "its key" in error
    assert (folder / "journal.sqlite3").read_bytes() == b"no database" * 1_000


async def test_no_file_of_its_is_open_to_others(state_folder: Path) -> None:
    before = os.umask(0)
    try:
        async with scripted(answer(ok(b"{}"))) as server:
            child = await start(server)
            files = [path for path in state_folder.rglob("*") if path.is_file()]
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files}
            assert await child.end(signal.SIGTERM) == 0
    finally:
        os.umask(before)
    assert len(modes) >= 6
    assert set(modes.values()) == {0o600}


async def test_restarted_under_load_it_goes_on_without_a_gap(state_folder: Path) -> None:
    watcher = Watcher()
    async with scripted(answer(ok(b'{"jsonrpc":"2.0","id":1,"result":{}}'))) as server:
        for _ in range(3):
            child = await start(server)
            done = asyncio.Event()
            load = [asyncio.create_task(flood(child, done)) for _ in range(4)]
            await watcher.connect(child.feed, token_of(state_folder))
            await watcher.until(watcher.verified + 200)
            assert await child.end(signal.SIGTERM) == 0
            done.set()
            await asyncio.gather(*load)
            await watcher.drain()
            assert watcher.reader is not None
            # The last checkpoint of each run covers all of it, and was sent before the stream ended.
            assert watcher.verified == watcher.reader.status.next_index == len(journal(state_folder))
    assert watcher.reader is not None
    assert (watcher.reader.evidence, watcher.reader.status.gaps) == ((), ())
    data = journal(state_folder)
    assert data == [entry.record.data for entry in watcher.entries if entry.record is not None]
    assert sum(each == GatewayStopped(reason="SIGTERM") for each in data) == 3
    requests = [index for index, each in enumerate(data) if isinstance(each, Request)]
    assert {each.exchange for each in data if isinstance(each, End)} == set(requests)
