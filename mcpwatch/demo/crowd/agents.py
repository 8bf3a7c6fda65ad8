"""One of the crowd's agents: its key, its scheme, its era, and the calls it makes."""

import random
import time
from collections.abc import Callable, Mapping

import msgspec
from aiohttp import ClientSession

from mcpwatch.demo.crowd.tools import OFFERED
from mcpwatch.identity.signer import MCP_FIELDS, AgentKey, aip_headers, make_nonce, rfc9421_headers

LEGACY, MODERN = "2025-11-25", "2026-07-28"
ENDS_AFTER = 60
"""Calls after which an agent of the older era ends its session and opens another."""
_PATH = "/{server}/mcp"
_META = "io.modelcontextprotocol/"
Headers = dict[str, str]
Sign = Callable[["Agent", str, Headers, bytes], Headers]


def _rfc9421(agent: "Agent", url: str, headers: Headers, body: bytes) -> Headers:
    covered = {name: headers[name] for name in MCP_FIELDS if name in headers}
    now = time.time()
    return rfc9421_headers(agent.key, "POST", url, covered, body, now=now, nonce=make_nonce(), key_id=agent.did)


def _aip(agent: "Agent", url: str, headers: Headers, body: bytes) -> Headers:
    path = url[url.index("/", len("http://")) :]
    return aip_headers(agent.key, "POST", path, body, now=time.time(), nonce=make_nonce(), did=agent.did)


def _unsigned(agent: "Agent", url: str, headers: Headers, body: bytes) -> Headers:
    return {}


SCHEMES: tuple[Sign, ...] = (_rfc9421, _rfc9421, _aip, _rfc9421, _unsigned)
"""They take turns over the agents: one in five signs nothing."""


class Agent:
    """Calls one server's tools through the gateway; `number` says which agent of the crowd it is."""

    def __init__(self, number: int, gateway: str, http: ClientSession) -> None:
        self.key = AgentKey.generate()
        self.did = self.key.did_key
        self._http = http
        self._server = list(OFFERED)[number % len(OFFERED)]
        self._url = gateway + _PATH.format(server=self._server)
        self._sign = SCHEMES[number // len(OFFERED) % len(SCHEMES)]
        self._is_modern = number % 2 == 0
        self._info = {"name": f"worker-{number}", "version": "1.4"}
        self._session = ""
        self._id = 0
        self._calls = 0

    async def call(self) -> None:
        """Call a tool; opens a session first where there is none, and ends one that is old."""
        if not self._id:
            await self._open()
        tool = random.choice(OFFERED[self._server])  # noqa: S311
        arguments = {"reference": f"{self._server[:2].upper()}-{random.randrange(10**6):06}"}  # noqa: S311
        await self._ask("tools/call", {"name": tool, "arguments": arguments}, tool)
        self._calls += 1
        if self._session and self._calls % ENDS_AFTER == 0:
            headers = {"mcp-session-id": self._session, "mcp-protocol-version": LEGACY, "user-agent": self._agent}
            async with self._http.delete(self._url, headers=headers):
                self._session, self._id = "", 0

    @property
    def _agent(self) -> str:
        return f"{self._info['name']}/{self._info['version']}"

    async def _open(self) -> None:
        if self._is_modern:
            await self._ask("server/discover", {})
        else:
            hello: dict[str, object] = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": self._info}
            self._session = (await self._ask("initialize", hello)).get("mcp-session-id", "")
            await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"}, self._headers())
        await self._ask("tools/list", {})

    async def _ask(self, method: str, params: dict[str, object], name: str = "") -> Mapping[str, str]:
        self._id += 1
        headers = self._headers()
        if self._is_modern:
            info = {"protocolVersion": MODERN, "clientInfo": self._info, "clientCapabilities": {}}
            params = {**params, "_meta": {_META + key: value for key, value in info.items()}}
            headers |= {"mcp-method": method} | ({"mcp-name": name} if name else {})
        return await self._post({"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}, headers)

    def _headers(self) -> Headers:
        headers = {
            "accept": "application/json, text/event-stream",
            "content-type": "application/json",
            "user-agent": self._agent,
        }
        if self._is_modern or self._session:
            headers["mcp-protocol-version"] = MODERN if self._is_modern else LEGACY
        if self._session:
            headers["mcp-session-id"] = self._session
        return headers

    async def _post(self, message: dict[str, object], headers: Headers) -> Mapping[str, str]:
        body = msgspec.json.encode(message)
        signed = headers | self._sign(self, self._url, headers, body)
        async with self._http.post(self._url, data=body, headers=signed) as answer:
            await answer.read()
            return answer.headers
