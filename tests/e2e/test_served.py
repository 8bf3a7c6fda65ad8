"""`mcpwatch serve` as a person with a browser meets it."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from chromium import PATIENCE, browser, chromium
from processes import Process
from taped import tape

pytestmark = pytest.mark.e2e


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[Process, str]]:
    """A recording behind a page; yields the server and the page's address."""
    recording = folder / "tiny.mcpfeed"
    tape(recording)
    process = await Process.start("serve", str(recording), "--port", str(free_port()))
    try:
        yield process, await process.line("The dashboard is at ")
    finally:
        await process.end(signal.SIGKILL)


def children(pid: int) -> list[int]:
    """The processes that this one started and that still are, theirs among them."""
    found = [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [*found, *(below for each in found for below in children(each))]


async def gone(pids: list[int]) -> None:
    """Wait until none of these processes is left."""
    async with asyncio.timeout(PATIENCE):
        while any(Path(f"/proc/{pid}").exists() for pid in pids):
            await asyncio.sleep(0.02)


async def test_a_browser_shows_the_dashboard_and_takes_keys(tmp_path: Path, state_folder: Path) -> None:
    chromium()
    async with served(tmp_path) as (server, address), browser(tmp_path / "profile") as page:
        await page.open(address)
        await page.until(lambda drawn: b"Sessions" in drawn and b"tiny.mcpfeed" in drawn)
        await page.click()
        before, drawn = await page.picture(), len(page.drawn)
        await page.press("6")
        await page.until(lambda drawn: b"log key" in drawn, drawn)
        assert await page.picture() != before
        assert {urlsplit(each).netloc for each in page.asked} == {urlsplit(address).netloc}
        running = children(server.pid)
        assert running
        await page.leave()
        await gone(running)


async def test_a_server_that_is_killed_leaves_no_dashboard_behind(tmp_path: Path, state_folder: Path) -> None:
    async with served(tmp_path) as (server, address):
        async with aiohttp.ClientSession() as http, http.ws_connect(f"{address}ws?width=80&height=24") as page:
            async with asyncio.timeout(PATIENCE):
                while b"Sessions" not in (await page.receive_bytes()):
                    pass
            running = children(server.pid)
            assert running
            await server.end(signal.SIGKILL)
        await gone(running)


async def test_who_does_not_know_the_address_gets_nothing(tmp_path: Path, state_folder: Path) -> None:
    async with served(tmp_path) as (_, address):
        place, key = address.rstrip("/").rsplit("/", 1)
        async with aiohttp.ClientSession() as http:
            for path in ("/", "/ws", "/static/js/textual.js", f"/{key[:-1]}/"):
                async with http.get(place + path) as answer:
                    assert answer.status == 404
            async with http.get(address) as answer:
                assert answer.status == 200
                assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("header", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Host": "evil.example"}])
async def test_a_page_of_another_site_gets_nothing_even_with_the_address(
    tmp_path: Path, state_folder: Path, header: dict[str, str]
) -> None:
    async with served(tmp_path) as (server, address), aiohttp.ClientSession(headers=header) as http:
        async with http.get(address) as answer:
            assert answer.status == 404
        with pytest.raises(aiohttp.WSServerHandshakeError, match="404"):
            await http.ws_connect(f"{address}ws")
        assert not children(server.pid)


async def test_a_server_that_is_asked_to_stop_ends_its_pages_and_itself(tmp_path: Path, state_folder: Path) -> None:
    async with served(tmp_path) as (server, address), aiohttp.ClientSession() as http:
        place = address.rstrip("/").rsplit("/", 1)[0]
        page = await http.ws_connect(f"{address}ws?width=80&height=24", headers={"Origin": place})
        await page.receive_bytes()
        running = children(server.pid)
        assert running
        ending = asyncio.create_task(server.end(signal.SIGTERM))
        async for _ in page:
            pass
        assert await ending == 0
        await gone(running)
