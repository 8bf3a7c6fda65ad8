"""What an AIP registry says of trust: who vouches for whom, each vouch's certificate, and its own score.

| endpoint | what of it is used |
|---|---|
| `GET /trust-graph?did=` | the vouches for and by an identity, without signatures |
| `GET /vouch/certificate/{id}` | one vouch with its signature; 404 where it was revoked, has run out, or never was |
| `GET /trust/{did}` | the registry's own count and scopes |
| `GET /health` | `system_identity`, which bids everybody welcome |

A certificate's `voucher_public_key` is the voucher's present key beside the original signature, and is not used.
"""

import re
from typing import Annotated, TypeVar
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.resolution import Unavailable
from mcpwatch.identity.resolvers.aip_registry import WHO, registry_address
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.times import parse_registry_time
from mcpwatch.identity.vouches import Checked, Vouch
from mcpwatch.model.trust import Asserted

MAX_GRAPH = 1_048_576
"""Octets; some three thousand vouches."""
MAX_ANSWER = 65_536
MAX_SCOPES = 16
MAX_COUNT = 1_000_000_000
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_MAKES_NO_SENSE = "the registry's answer makes no sense"

T = TypeVar("T")


class Listed(Struct, frozen=True):
    """A vouch as the graph lists it."""

    vouch_id: str
    voucher_did: str
    target_did: str
    scope: str
    created_at: str
    statement: str | None = None
    expires_at: str | None = None


class Graph(Struct, frozen=True):
    """The vouches around one identity."""

    did: str
    vouched_by: tuple[Listed, ...] = ()
    vouches_for: tuple[Listed, ...] = ()


class _Certificate(Listed, frozen=True, kw_only=True):
    signature: str


class _Trust(Struct, frozen=True):
    did: str
    registered: bool
    vouch_count: Annotated[int, Meta(ge=0, le=MAX_COUNT)]
    scopes: tuple[str, ...] = ()


class _Named(Struct, frozen=True):
    did: str


class _Health(Struct, frozen=True):
    system_identity: str | _Named | None = None


class AipVouches:
    """A registry at one address. Every method raises Unavailable, and nothing else."""

    def __init__(self, address: str, fetcher: Fetcher) -> None:
        """Raises UsageError when `address` is not an http or https address."""
        self._address = registry_address(address)
        self._fetcher = fetcher

    async def graph(self, did: str) -> Graph:
        """The vouches around `did`; none where the registry does not know it."""
        found = await self._get(f"/trust-graph?did={quote(did, safe='')}", Graph, MAX_GRAPH)
        if found is None:
            return Graph(did)
        if found.did != did or any(one.target_did != did for one in found.vouched_by):
            raise Unavailable("the registry's graph is about another DID")
        return found

    async def certified(self, listed: Listed) -> Checked:
        """The vouch that is listed so, with its signature, which is still to be checked, or with what is wrong."""
        if not _ID.fullmatch(listed.vouch_id):
            return Checked(read_vouch(listed), "the registry names it by what is no id")
        found = await self._get(f"/vouch/certificate/{listed.vouch_id}", _Certificate)
        if found is None:
            return Checked(read_vouch(listed), "the registry has no certificate for it: it was revoked or has run out")
        if _terms(found) != _terms(listed):
            return Checked(read_vouch(listed), "the registry contradicts itself: its certificate is of another vouch")
        if listed.expires_at and parse_registry_time(listed.expires_at) is None:
            return Checked(read_vouch(listed), "it runs out at what is no time")
        signature = decode_base64(found.signature)
        if signature is None:
            return Checked(read_vouch(listed), "its signature is not in canonical base64")
        return Checked(read_vouch(listed, signature))

    async def asserted(self, did: str) -> Asserted:
        """The registry's own word."""
        found = await self._get(f"/trust/{quote(did, safe='')}", _Trust)
        if found is None:
            return Asserted(False, 0)
        if found.did != did:
            raise Unavailable("the registry's score is about another DID")
        return Asserted(found.registered, found.vouch_count, tuple(scope[:64] for scope in found.scopes[:MAX_SCOPES]))

    async def system(self) -> str:
        """The identity that vouches for everybody who registers; empty where the registry names none."""
        found = await self._get("/health", _Health)
        identity = found.system_identity if found is not None else None
        return identity.did if isinstance(identity, _Named) else identity or ""

    async def _get(self, path: str, shape: type[T], limit: int = MAX_ANSWER) -> T | None:
        """The answer; None where it is a 404."""
        fetched = await self._fetcher.get(f"{self._address}{path}", who=WHO, limit=limit, trusted=True)
        if fetched.status == 404:
            return None
        if fetched.status != 200:
            raise Unavailable(f"the registry answered with HTTP status {fetched.status}")
        try:
            return msgspec.json.decode(fetched.body, type=shape)
        except (ValueError, RecursionError):
            raise Unavailable(_MAKES_NO_SENSE) from None


def read_vouch(listed: Listed, signature: bytes = b"") -> Vouch:
    """A vouch as listed, with the signature of its certificate."""
    return Vouch(
        listed.vouch_id,
        listed.voucher_did,
        listed.target_did,
        listed.scope,
        listed.statement or "",
        parse_registry_time(listed.created_at),
        parse_registry_time(listed.expires_at or ""),
        signature,
    )


def _terms(one: Listed) -> tuple[str | None, ...]:
    """What a certificate must have in common with the listing."""
    ends = (one.created_at, one.expires_at or None)
    return (one.vouch_id, one.voucher_did, one.target_did, one.scope, one.statement or "", *ends)
