"""did:aip through a registry's `GET /verify?did=`, the only endpoint that tells a key's history.

`verified` in its answer means no more than registered. A DID derives from the oldest key; that a later key replaced
it is the registry's word, for it keeps no proof of it.
"""

import asyncio
import re
import time
from collections.abc import Callable

import httpx
import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import UsageError
from mcpwatch.http_fields import retry_after
from mcpwatch.identity.answers import Resolved, ResolvedKey, Unavailable
from mcpwatch.identity.ed25519 import derivation_fault, good_key
from mcpwatch.identity.times import parse_registry_time
from mcpwatch.model.identity import Resolution

MAX_ANSWER = 65_536
DEADLINE_S = 10.0
"""For a whole answer, however slowly it drips in."""
MAX_PAUSE_S = 3600.0
_DEFAULT_PAUSE_S = 60.0
_DID = re.compile(r"did:aip:[0-9a-f]{32}")


class _Past(Struct, frozen=True):
    """One row of `key_history`."""

    public_key: str
    valid_from: str
    valid_until: str | None = None
    is_current: bool = False


class _Answer(Struct, frozen=True):
    """What of the registry's answer is used."""

    verified: bool
    did: str | None = None
    public_key: str | None = None
    key_history: list[_Past] | None = None


class AipRegistry:
    """A registry at one address. Keeps quiet for as long as a 429 asks it to."""

    def __init__(self, address: str, client: httpx.AsyncClient, *, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises UsageError when `address` is not an http or https address."""
        try:
            url = httpx.URL(address)
        except httpx.InvalidURL:
            url = httpx.URL()
        if url.scheme not in ("http", "https") or not url.host:
            raise UsageError(f"{address} is not the address of a registry", "Give one such as https://registry.example")
        self._url = f"{address.rstrip('/')}/verify"
        self._client = client
        self._clock = clock
        self._quiet_until = float("-inf")

    async def resolve(self, did: str) -> Resolved:
        """The keys of `did`, the current one first. Raises Unavailable."""
        if not _DID.fullmatch(did):
            return _unknown("a did:aip ends in 32 lower-case hex digits")
        wait = self._quiet_until - self._clock()
        if wait > 0:
            raise Unavailable(f"the registry asked not to be asked for another {wait:.0f} s")
        try:
            async with asyncio.timeout(DEADLINE_S):
                status, body = await self._get(did)
        except (httpx.HTTPError, httpx.StreamError, TimeoutError, OSError) as error:
            raise Unavailable(f"the registry cannot be reached: {type(error).__name__}") from None
        if status == 404:
            return _unknown("the registry does not know this identity")
        if status != 200:
            raise Unavailable(f"the registry answered with HTTP status {status}")
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except (ValueError, RecursionError):
            raise Unavailable("the registry's answer makes no sense") from None
        return read_answer(did, answer)

    async def _get(self, did: str) -> tuple[int, bytes]:
        async with self._client.stream("GET", self._url, params={"did": did}) as response:
            if response.status_code == 429:
                pause = _pause(response.headers.get("retry-after", ""))
                self._quiet_until = self._clock() + pause
                raise Unavailable(f"the registry asked not to be asked for {pause:.0f} s")
            if response.headers.get("content-encoding", "identity") != "identity":
                raise Unavailable("the registry's answer is compressed, which was not asked for")
            body = bytearray()
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MAX_ANSWER:
                    raise Unavailable(f"the registry's answer is longer than {MAX_ANSWER} octets")
            return response.status_code, bytes(body)


def read_answer(did: str, answer: _Answer) -> Resolved:
    """The keys in a registry's answer. Raises Unavailable when it contradicts itself."""
    if not answer.verified:
        return _unknown("the registry does not know this identity")
    current = decode_base64(answer.public_key or "")
    if answer.did != did or current is None or not good_key(current):
        raise Unavailable("the registry's answer makes no sense: another DID, or no usable key")
    keys, oldest = _history(current, answer.key_history or [])
    fault = derivation_fault(did, oldest)
    if fault:
        raise Unavailable(f"the registry contradicts itself: {fault}")
    return Resolved(Resolution.REGISTRY, keys)


def _history(current: bytes, rows: list[_Past]) -> tuple[tuple[ResolvedKey, ...], bytes]:
    """All keys, the current one first and then the newest first, and the oldest of them. Raises Unavailable."""
    ends: dict[bytes, float] = {}
    oldest, earliest = current, float("inf")
    for row in rows:
        key, start = decode_base64(row.public_key), parse_registry_time(row.valid_from)
        end = parse_registry_time(row.valid_until or "")
        is_current = key == current and row.valid_until is None
        if key is None or start is None or row.is_current is not is_current or not (is_current or end):
            raise Unavailable("the registry contradicts itself: its key history does not fit its current key")
        if start < earliest:
            oldest, earliest = key, start
        if key != current and end is not None:
            ends[key] = max(end, ends.get(key, end))
    past = sorted(ends.items(), key=lambda item: item[1], reverse=True)
    return (ResolvedKey(current), *(ResolvedKey(key, end) for key, end in past)), oldest


def _pause(text: str) -> float:
    """Seconds to keep quiet after a Retry-After field, at least one."""
    pause = retry_after(text, time.time())
    return _DEFAULT_PAUSE_S if pause is None else min(max(pause, 1.0), MAX_PAUSE_S)


def _unknown(reason: str) -> Resolved:
    return Resolved(Resolution.REGISTRY, (), reason)
