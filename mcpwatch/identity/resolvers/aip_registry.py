"""did:aip through a registry's `GET /verify?did=`, the only endpoint that tells a key's history.

`verified` in its answer means no more than registered. A DID derives from the oldest key; that a later key replaced
it is the registry's word, for it keeps no proof of it.
"""

import re
from urllib.parse import quote

import msgspec
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import UsageError
from mcpwatch.identity.ed25519 import derivation_fault, good_key
from mcpwatch.identity.resolution import Resolved, ResolvedKey, Unavailable
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.times import parse_registry_time
from mcpwatch.model.identity import Resolution

MAX_ANSWER = 65_536
WHO = "the registry"
_DID = re.compile(r"did:aip:[0-9a-f]{32}")


class _Past(Struct, frozen=True):
    """One row of `key_history`."""

    public_key: str
    valid_from: str
    valid_until: str | None = None
    is_current: bool = False


class _Link(Struct, frozen=True):
    """One row of `platforms`; an identity is registered together with its first one."""

    registered_at: str = ""


class _Answer(Struct, frozen=True):
    """What of the registry's answer is used."""

    verified: bool
    did: str | None = None
    public_key: str | None = None
    key_history: list[_Past] | None = None
    platforms: list[_Link] | None = None


class AipRegistry:
    """A registry at one address."""

    def __init__(self, address: str, fetcher: Fetcher) -> None:
        """Raises UsageError when `address` is not an http or https address."""
        self._url = f"{registry_address(address)}/verify"
        self._fetcher = fetcher

    async def resolve(self, did: str) -> Resolved:
        """The keys of `did`, the current one first. Raises Unavailable."""
        if not _DID.fullmatch(did):
            return _unknown("a did:aip ends in 32 lower-case hex digits")
        url = f"{self._url}?did={quote(did, safe='')}"
        fetched = await self._fetcher.get(url, who=WHO, limit=MAX_ANSWER, trusted=True)
        if fetched.status != 200:
            raise Unavailable(f"the registry answered with HTTP status {fetched.status}")
        try:
            answer = msgspec.json.decode(fetched.body, type=_Answer)
        except (ValueError, RecursionError):
            raise Unavailable("the registry's answer makes no sense") from None
        return read_answer(did, answer)


def registry_address(address: str) -> str:
    """The address without a slash at its end. Raises UsageError when it is not an http or https one."""
    import httpx

    try:
        url = httpx.URL(address)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment:
        raise UsageError(f"{address} is not the address of a registry", "Give one such as https://registry.example")
    return address.rstrip("/")


def read_answer(did: str, answer: _Answer) -> Resolved:
    """The keys in a registry's answer. Raises Unavailable when it contradicts itself."""
    if not answer.verified:
        return _unknown("the registry does not know this identity")
    if answer.did != did:
        raise Unavailable("the registry's answer is about another DID")
    current = decode_base64(answer.public_key or "")
    if current is None:
        raise Unavailable("the registry's key is not in canonical base64")
    if not good_key(current):
        raise Unavailable("the registry's key is none that may be used")
    keys, oldest = _history(current, answer.key_history or [])
    if not answer.key_history:
        keys = (ResolvedKey(current, valid_from=_registered(answer.platforms or [])),)
    fault = derivation_fault(did, oldest)
    if fault:
        raise Unavailable(f"the registry contradicts itself: {fault}")
    return Resolved(Resolution.REGISTRY, keys)


def _history(current: bytes, rows: list[_Past]) -> tuple[tuple[ResolvedKey, ...], bytes]:
    """All keys, the current one first and then the newest first, and the oldest of them. Raises Unavailable."""
    if sum(row.is_current for row in rows) > 1:
        raise Unavailable("the registry contradicts itself: it gives two current keys")
    starts: dict[bytes, float] = {}
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
        if is_current:
            starts[key] = start
        elif key != current and end is not None and end >= ends.get(key, end):
            starts[key], ends[key] = start, end
    past = sorted(ends.items(), key=lambda item: item[1], reverse=True)
    now = ResolvedKey(current, valid_from=starts.get(current))
    return (now, *(ResolvedKey(key, end, starts[key]) for key, end in past)), oldest


def _registered(links: list[_Link]) -> float | None:
    """Since when the identity, and so a key that was never rotated, is registered; None where nothing says so."""
    times = (parse_registry_time(link.registered_at) for link in links)
    return min((time for time in times if time is not None), default=None)


def _unknown(reason: str) -> Resolved:
    return Resolved(Resolution.REGISTRY, (), reason)
