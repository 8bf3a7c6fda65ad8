"""The resolvers of identities: one file and one row each. did:key and pinned keys need none."""

from collections.abc import Awaitable, Callable

import httpx
from msgspec import Struct

from mcpwatch.identity.answers import Resolved
from mcpwatch.identity.ed25519 import DID_AIP
from mcpwatch.identity.resolvers.aip_registry import AipRegistry
from mcpwatch.model.identity import Resolution

Resolve = Callable[[str], Awaitable[Resolved]]
"""Asks for one identity. Raises Unavailable, and nothing else."""


class ResolverOptions(Struct, frozen=True):
    """What the operator configured."""

    registry: str | None = None
    """Address of an AIP registry."""


class ResolverInfo(Struct, frozen=True):
    """A row: which identities, and who is asked."""

    prefix: str
    title: str
    resolution: Resolution
    make: Callable[[ResolverOptions, httpx.AsyncClient], Resolve | None]
    """None when the options name nobody to ask."""


def _aip(options: ResolverOptions, client: httpx.AsyncClient) -> Resolve | None:
    return AipRegistry(options.registry, client).resolve if options.registry else None


RESOLVERS: tuple[ResolverInfo, ...] = (
    ResolverInfo(DID_AIP, "AIP registry, GET /verify?did=", Resolution.REGISTRY, _aip),
)
