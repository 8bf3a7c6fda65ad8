"""How a gateway does, asked beside its stream at GET /v1/health (SPEC.md, section 9)."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx
import msgspec

from mcpwatch.feed import queries
from mcpwatch.feed.address import HEALTH_PATH
from mcpwatch.feed.failures import TryLater
from mcpwatch.model.health import Health

MAX_HEALTH = 16_384
"""Octets of the answer that are read."""
EVERY = 5.0
"""Seconds between two questions."""
_ANSWERS = frozenset({200, 503})
"""A gateway in trouble answers 503, and says what it is."""
_FOR_NOW = frozenset({429, 500, 502, 504})


class NoHealth(Exception):
    """The gateway does not say how it does."""


def parse_health(data: bytes) -> Health | None:
    """Read the answer; None when it is something else."""
    try:
        return msgspec.json.decode(data, type=Health)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


async def ask_health(client: httpx.AsyncClient, address: str) -> Health:
    """How the gateway does; raises NoHealth where it never says so, TryLater, and httpx's errors."""
    async with queries.in_time(), client.stream("GET", address + HEALTH_PATH) as response:
        if response.status_code in _FOR_NOW:
            raise TryLater(f"HTTP {response.status_code}")
        if response.status_code not in _ANSWERS:
            raise NoHealth
        data = bytearray()
        async for chunk in response.aiter_raw():
            data += chunk
            if len(data) > MAX_HEALTH:
                raise NoHealth
    health = parse_health(bytes(data))
    if health is None:
        raise NoHealth
    return health


async def keep_asking(
    client: httpx.AsyncClient,
    address: str,
    tell: Callable[[Health], None],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Ask every `EVERY` seconds, until the gateway turns out never to say; what fails is asked again."""
    while True:
        try:
            tell(await ask_health(client, address))
        except NoHealth:
            return
        except (TryLater, httpx.HTTPError, OSError, ValueError):
            pass
        await sleep(EVERY)
