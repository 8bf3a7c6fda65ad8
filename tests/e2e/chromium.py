"""A headless Chromium, driven over its DevTools protocol."""

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

_NAMES = ("chromium", "chromium-browser", "chromium-headless-shell", "google-chrome")
_BEGINS = b"DevTools listening on "
PATIENCE = 60.0


def chromium() -> str:
    """The program; skips the test where there is none."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        pytest.skip(f"needs a Chromium on the path: one of {', '.join(_NAMES)}")
    return found


class Page:
    """One tab; `drawn` is what came over its WebSockets, `asked` the addresses it asked for."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.drawn = b""
        self.asked: list[str] = []
        self._socket = socket
        self._session = ""
        self._ids = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def open(self, address: str) -> None:
        """Go to an address in a tab of its own."""
        target = await self.send("Target.createTarget", url="about:blank")
        attached = await self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        await self.send("Network.enable")
        await self.send("Page.enable")
        await self.send("Emulation.setFocusEmulationEnabled", enabled=True)
        await self.send("Page.navigate", url=address)

    async def click(self) -> None:
        """Click into the middle of the page."""
        for type in ("mousePressed", "mouseReleased"):
            await self.send("Input.dispatchMouseEvent", type=type, x=600, y=400, button="left", clickCount=1)

    async def press(self, text: str) -> None:
        """Press one printable key."""
        await self.send("Input.dispatchKeyEvent", type="keyDown", key=text, text=text)
        await self.send("Input.dispatchKeyEvent", type="keyUp", key=text)

    async def leave(self) -> None:
        """Go away from the page, as closing the tab does."""
        await self.send("Page.navigate", url="about:blank")

    async def picture(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode((await self.send("Page.captureScreenshot"))["data"])

    async def until(self, holds: Callable[[bytes], bool], after: int = 0) -> None:
        """Wait until what was drawn beyond the first `after` octets is as wanted."""
        async with asyncio.timeout(PATIENCE):
            while not holds(self.drawn[after:]):
                self._news.clear()
                await self._news.wait()

    async def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """One command; returns its result."""
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        command: dict[str, object] = {"id": number, "method": method, "params": parameters}
        await self._socket.send_json(command | ({"sessionId": self._session} if self._session else {}))
        async with asyncio.timeout(PATIENCE):
            said = await answer
        assert "result" in said, said
        result: dict[str, Any] = said["result"]
        return result

    async def _read(self) -> None:
        async for message in self._socket:
            said = message.json()
            if (answer := self._answers.pop(said.get("id"), None)) is not None:
                answer.set_result(said)
            elif said.get("method") == "Network.webSocketFrameReceived":
                frame = said["params"]["response"]
                if frame["opcode"] == 2:
                    self.drawn += base64.b64decode(frame["payloadData"])
                self._news.set()
            elif said.get("method") == "Network.responseReceived":
                self.asked.append(said["params"]["response"]["url"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own in `folder`."""
    process = await asyncio.create_subprocess_exec(
        chromium(),
        *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        "--window-size=1200,800",
        *("--remote-debugging-port=0", f"--user-data-dir={folder}"),
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    draining: asyncio.Task[bytes] | None = None
    try:
        async with asyncio.timeout(PATIENCE):
            while not (line := await process.stderr.readline()).startswith(_BEGINS):
                assert line, "Chromium ended before it could be driven"
        draining = asyncio.create_task(process.stderr.read())
        address = line.removeprefix(_BEGINS).decode().strip()
        async with aiohttp.ClientSession() as http, http.ws_connect(address, max_msg_size=0) as socket:
            yield Page(socket)
    finally:
        process.kill()
        await process.wait()
        if draining is not None:
            await draining
