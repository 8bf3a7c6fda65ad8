"""An application whose MCP role is decided once: what is said of an administrator, a guest, a thief and a forger."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest
from aiohttp import web
from behind import Rig, open_rig
from decided_once import INTERNAL, ORDERS, SETTINGS, Shop
from rpc import LEGACY, ask, call, note

from mcpwatch.demo.agents.tokens import access_token, jwt
from mcpwatch.feed.subscriber import HttpSource
from mcpwatch.gateway.folder import token_path
from mcpwatch.model.alerts import Severity
from mcpwatch.model.entries import Json
from mcpwatch.model.feed import FeedStatus
from mcpwatch.secret import read_secret
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.row import Row
from mcpwatch.watch.state import Raised

pytestmark = pytest.mark.e2e

MARK = "/mark"
README, PRICES = "Open all day.", "lamp 39.00"
ADA = "ada@example.com"
UNSIGNED = {"identity/unsigned-call"}
OPENED = {"session/id-leaked"}
STREAMED = {"stream/hidden-channel", "stream/progress-without-token"}
RAISED = {
    "an administrator, with a token at each request": UNSIGNED | OPENED | STREAMED,
    "a guest": UNSIGNED
    | OPENED
    | {
        "session/anonymous",
        "session/used-after-delete",
        "discovery/privileged-tools-exposed",
        "discovery/permission-probing",
        "discovery/local-file-read",
        "discovery/ssrf",
    },
    "the guest with the administrator's session id": UNSIGNED
    | {
        "session/shared",
        "session/token-subject-changed",
        "discovery/admin-tool-by-guest",
        "discovery/context-hopping",
    },
    "somebody with a token that nobody signed": UNSIGNED
    | OPENED
    | {"session/unsigned-token", "discovery/admin-tool-by-guest"},
}
"""Who comes -> the rules above low that fire."""


class Agent:
    """Speaks to the shop by its own rules, as no SDK would let it."""

    def __init__(self, url: str, name: str, token: str = "", session: str = "") -> None:
        self.session = session
        self._url = url
        self._name = name
        self._token = token
        self._last = 0

    async def open(self) -> "Agent":
        """The handshake."""
        info = {"name": self._name, "version": "1.0"}
        params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": info}
        self.session = (await self.ask("initialize", params)).headers["mcp-session-id"]
        await self.send(note("notifications/initialized"))
        return self

    async def ask(self, method: str, params: Json = None) -> httpx.Response:
        self._last += 1
        return await self.send(ask(self._last, method, params))

    async def call(self, tool: str, **arguments: Json) -> str:
        """What a tool answers, all frames of it."""
        self._last += 1
        return (await self.send(call(self._last, tool, **arguments))).text

    async def read(self, uri: str) -> str:
        return (await self.ask("resources/read", {"uri": uri})).text

    async def send(self, body: Json, method: str = "POST") -> httpx.Response:
        headers = {"user-agent": f"{self._name}/1.0", "accept": "application/json, text/event-stream"}
        headers |= {"mcp-session-id": self.session} if self.session else {}
        headers |= {"authorization": f"Bearer {self._token}"} if self._token else {}
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            return await http.request(method, self._url, headers=headers, json=body)


class Ear:
    """Hears of what fires, and of marks between who comes."""

    def __init__(self) -> None:
        self.fired: set[str] = set()
        """Rules above low since the last mark."""
        self.marks = asyncio.Queue[set[str]]()
        """What had fired at each mark."""

    def entry(self, row: Row, raised: Sequence[Raised]) -> None:
        exchange = row.seen.exchange
        if exchange is not None and exchange.target.endswith(MARK):
            if row.kind == "end":
                self.marks.put_nowait(self.fired)
                self.fired = set()
        else:
            self.verdict(row, raised)

    def verdict(self, row: Row, raised: Sequence[Raised]) -> None:
        self.fired |= {finding.rule for finding, _ in raised if finding.severity > Severity.LOW}

    def alerts(self, raised: Sequence[Raised]) -> None:
        raise AssertionError(raised)

    def feed(self, before: FeedStatus | None, after: FeedStatus) -> None:
        """It may stand as it likes."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A readme that the shop lists, and prices that it does not."""
    for name, text in (("public/readme.txt", README), ("private/prices.txt", PRICES)):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(text)
    return tmp_path


@pytest.fixture
async def shop(folder: Path) -> AsyncIterator[str]:
    """The application's address."""
    runner = web.AppRunner(Shop(folder / "public" / "readme.txt").app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture
async def rig(shop: str) -> AsyncIterator[Rig]:
    """A gateway before the shop."""
    made = await open_rig((f"shop={shop}/mcp",))
    yield made
    await made.gateway.end()


async def test_each_who_comes_raises_the_alerts_of_what_is_wrong_and_no_others(
    rig: Rig, shop: str, folder: Path, state_folder: Path
) -> None:
    url = f"{rig.address}/shop"
    ear = Ear()
    source = HttpSource(rig.feed, read_secret(token_path(state_folder)), state=state_folder)
    watcher = open_watcher([source], state_folder)
    watching = asyncio.create_task(watcher.run(ear))

    async def raised() -> set[str]:
        await Agent(f"{rig.address}{MARK}", "mark").send(None, "GET")
        async with asyncio.timeout(60):
            return await ear.marks.get()

    found: dict[str, set[str]] = {}
    admin = await Agent(url, "console", access_token(ADA)).open()
    await administrate(admin)
    found["an administrator, with a token at each request"] = await raised()

    await look_around(await Agent(url, "drifter").open(), shop, folder)
    found["a guest"] = await raised()

    thief = Agent(url, "drifter", session=admin.session)
    assert SETTINGS in await thief.call("settings")
    found["the guest with the administrator's session id"] = await raised()

    claims = {"sub": ADA, "exp": int(time.time()) + 3600}
    forger = await Agent(url, "forge", jwt({"alg": "none"}, claims, lambda text: b"")).open()
    assert SETTINGS in await forger.call("settings")
    found["somebody with a token that nobody signed"] = await raised()

    assert found == RAISED
    watching.cancel()
    await asyncio.wait({watching})
    await watcher.close()


async def administrate(admin: Agent) -> None:
    """What the tools are for."""
    await admin.ask("tools/list")
    assert SETTINGS in await admin.call("settings")
    assert "event: notification" in await admin.call("run_job", job="nightly")


async def look_around(guest: Agent, shop: str, folder: Path) -> None:
    """Tries all tools, reads what is listed and what is not, ends the session and goes on with it."""
    await guest.ask("tools/list")
    assert ORDERS in await guest.call("count_orders")
    for tool in ("find_customer", "settings", "run_job"):
        assert "Forbidden" in await guest.call(tool)
    await guest.ask("resources/list")
    assert README in await guest.read((folder / "public" / "readme.txt").as_uri())
    assert PRICES in await guest.read((folder / "private" / "prices.txt").as_uri())
    assert INTERNAL in await guest.read(f"{shop}/internal")
    assert (await guest.send(None, "DELETE")).status_code == 204
    assert ORDERS in await guest.call("count_orders")
