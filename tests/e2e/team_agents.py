"""The agents of a team: who they are, how they sign, and the hour they have.

The hour has a clock of its own, which every request moves on a little: so an hour of work is an hour in the log, in
whatever time a machine plays it, and no signature grows old because the machine is busy.
"""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, tzinfo
from random import Random
from typing import Literal

import httpx2
import mcp_types
from mcp.client.client import Client
from mcp.client.session import ClientRequestContext, IncomingMessage
from mcp.client.streamable_http import streamable_http_client
from msgspec import Struct

from mcpwatch.demo.agents.messages import Sep2752Auth
from mcpwatch.demo.agents.tokens import DpopAuth, access_token, jwt
from mcpwatch.demo.es256 import Es256Key
from mcpwatch.identity import verifier
from mcpwatch.identity.signer import AgentKey, AipAuth, Rfc9421Auth

Mode = Literal["auto", "legacy"]
Auth = Callable[[httpx2.Request], httpx2.Request]
HOUR_S = 3600.0
STEP_S = 0.9
"""By how much a request moves the clock."""
ISSUER = "https://login.example.com"
_TOKEN_S = 900.0
_EARLY_S = 60
"""How long before its end a token is renewed."""


class Clock:
    """The hour; it stands in for the module `time` and the class `datetime`."""

    def __init__(self) -> None:
        self.at = self.start = time.time() - HOUR_S

    @property
    def is_over(self) -> bool:
        return self.at >= self.start + HOUR_S

    def time(self) -> float:
        return self.at

    def now(self, zone: tzinfo = UTC) -> datetime:
        return datetime.fromtimestamp(self.at, zone)


class Network(httpx2.AsyncBaseTransport):
    """What lies between an agent and the gateway."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._onward = httpx2.AsyncHTTPTransport(verify=False, trust_env=False)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._clock.at += STEP_S
        return await self._onward.handle_async_request(request)

    async def aclose(self) -> None:
        await self._onward.aclose()


class Token:
    """The access token of a person, renewed before it ends, and earlier where it is to permit more."""

    def __init__(self, clock: Clock, subject: str) -> None:
        self.scope = "read write"
        self._clock = clock
        self._subject = subject
        self._made_for = ""
        self._ends = 0.0
        self._text = ""

    def text(self) -> str:
        if self._clock.at > self._ends - _EARLY_S or self._made_for != self.scope:
            self._ends, self._made_for = self._clock.at + _TOKEN_S, self.scope
            claims = {"iss": ISSUER, "sub": self._subject, "exp": int(self._ends), "scope": self.scope}
            self._text = jwt({"alg": "ES256"}, claims, lambda text: text[:64])
        return self._text

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        request.headers["authorization"] = f"Bearer {self.text()}"
        return request


class Bound:
    """A token that is bound to a key, with a proof of it for each request (DPoP); renewed before it ends."""

    def __init__(self, keys: "Keys") -> None:
        self._keys = keys
        self._ends = 0.0

    def __call__(self, request: httpx2.Request) -> httpx2.Request:
        if self._keys.clock.at > self._ends - _EARLY_S:
            self._ends = self._keys.clock.at + _TOKEN_S
            self._proves = DpopAuth(self._keys.p256, access_token(self._keys.subject, self._keys.p256.public))
        return self._proves(request)


class Keys(Struct):
    """What an agent has to sign with."""

    own: AgentKey
    p256: Es256Key
    clock: Clock
    name: str

    @property
    def subject(self) -> str:
        return f"{self.name}@example.com"


def _aip(keys: Keys, did: str = "") -> Auth:
    return AipAuth(keys.own, did=did, clock=keys.clock.time)


def _message(keys: Keys, key_id: str = "", *, cover_session: bool = True) -> Auth:
    return Rfc9421Auth(keys.own, key_id=key_id, cover_session=cover_session, clock=keys.clock.time)


def _both(keys: Keys) -> Auth:
    aip, message = _aip(keys), _message(keys, keys.own.did_aip)
    return lambda request: message(aip(request))


SIGNS: dict[str, Callable[[Keys], Auth | None]] = {
    "ada": _aip,
    "ben": lambda keys: _aip(keys, keys.own.did_key),
    "cleo": _message,
    "dana": lambda keys: _message(keys, cover_session=False),
    "eli": lambda keys: _message(keys, verifier.fingerprint(keys.own.public)),
    "fay": lambda keys: Sep2752Auth(keys.own, "fay"),
    "gus": _both,
    "hana": Bound,
    "ivy": lambda keys: None,
    "joe": lambda keys: None,
}
"""Agent -> how it signs."""
SHOWS_KEY = "fay"
PINNED, IN_A_FILE, WITH_TOKEN = ("ada", "gus"), ("eli",), ("ada", "cleo", "dana", "ivy")
"""Whose keys the operator has pinned, whose are in a file of partners' keys, and who brings a token."""


class Agent:
    """An agent at work; connects to any server behind the gateway."""

    def __init__(self, name: str, keys: Keys, gateway: str) -> None:
        self.name = name
        self.random = Random(name)
        self.clock = keys.clock
        self.token = Token(keys.clock, keys.subject)
        self.changes = 0
        """How often a server said that its tools changed."""
        self._gateway = gateway
        self._sign = SIGNS[name](keys)

    @property
    def mode(self) -> Mode:
        """The era of the next connection; who shows its key in the handshake needs one."""
        return "legacy" if self.name == SHOWS_KEY else self.random.choice(("auto", "legacy"))

    @asynccontextmanager
    async def at(self, server: str, mode: Mode | None = None) -> AsyncIterator[Client]:
        """A session at a server, from the handshake to its end."""
        async with httpx2.AsyncClient(
            transport=Network(self.clock), auth=self._auth, headers={"user-agent": f"{self.name}/2.1"}, timeout=60
        ) as http:
            transport = streamable_http_client(f"{self._gateway}/{server}/mcp", http_client=http)
            async with Client(
                transport,
                mode=mode or self.mode,
                client_info=mcp_types.Implementation(name=self.name, version="2.1"),
                elicitation_callback=_agree,
                message_handler=self._hear,
                log_level="info",
            ) as client:
                yield client

    def _auth(self, request: httpx2.Request) -> httpx2.Request:
        request = self.token(request) if self.name in WITH_TOKEN else request
        return self._sign(request) if self._sign is not None else request

    async def _hear(self, message: IncomingMessage) -> None:
        self.changes += isinstance(message, mcp_types.ToolListChangedNotification)


async def _agree(
    context: ClientRequestContext, params: mcp_types.ElicitRequestParams
) -> mcp_types.ElicitResult | mcp_types.ErrorData:
    return mcp_types.ElicitResult(action="accept", content={"approved": True})
