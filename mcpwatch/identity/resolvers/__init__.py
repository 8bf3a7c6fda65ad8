"""The resolvers of identities: one file and one row each. did:key and pinned keys need none."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from mcpwatch.identity.answers import Resolved
from mcpwatch.identity.ed25519 import DID_AIP
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.resolvers.aip_registry import AipRegistry
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.model.identity import Resolution

Resolve = Callable[[str], Awaitable[Resolved]]
"""Asks for one identity. Raises Unavailable, and nothing else."""


class ResolverOptions(Struct, frozen=True):
    """What the operator configured."""

    registry: str = ""
    """Address of an AIP registry; empty for none."""
    jwks: tuple[str, ...] = ()
    """Files and https URLs of JWKS."""
    did_web: bool = False
    directories: bool = False


class ResolverInfo(Struct, frozen=True):
    """A row: which identities, and who is asked."""

    prefix: str
    title: str
    resolution: Resolution
    make: Callable[[ResolverOptions, Fetcher, KeyBook], Resolve | None]
    """None when the options name nobody to ask."""


def _aip(options: ResolverOptions, fetcher: Fetcher, keys: KeyBook) -> Resolve | None:
    return AipRegistry(options.registry, fetcher).resolve if options.registry else None


RESOLVERS: tuple[ResolverInfo, ...] = (
    ResolverInfo(DID_AIP, "AIP registry, GET /verify?did=", Resolution.REGISTRY, _aip),
)
