"""The resolvers of identities: one file and one row each. did:key and pinned keys need none."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

from mcpwatch.identity.ed25519 import DID_AIP
from mcpwatch.identity.keys import BARE, KeyBook
from mcpwatch.identity.resolution import Resolved
from mcpwatch.identity.resolvers.aip_registry import AipRegistry
from mcpwatch.identity.resolvers.did_web import DidWeb
from mcpwatch.identity.resolvers.directory import Directories
from mcpwatch.identity.resolvers.fetch import Fetcher
from mcpwatch.identity.resolvers.jwks import Jwks
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


class Made(Struct, frozen=True):
    """A resolver that is ready."""

    resolve: Resolve
    tick: Callable[[], Awaitable[None]] | None = None
    """To be called once a second; None where there is nothing to look after."""


class ResolverInfo(Struct, frozen=True):
    """A row: which identities, and who is asked."""

    prefix: str
    title: str
    resolution: Resolution
    make: Callable[[ResolverOptions, Fetcher, KeyBook], Made | None]
    """None when the options name nobody to ask."""
    is_one: bool = False
    """One host answers for all of them: when it answers for one after a failure, it is back for the others."""


def _aip(options: ResolverOptions, fetcher: Fetcher, keys: KeyBook) -> Made | None:
    return Made(AipRegistry(options.registry, fetcher).resolve) if options.registry else None


def _did_web(options: ResolverOptions, fetcher: Fetcher, keys: KeyBook) -> Made | None:
    return Made(DidWeb(fetcher).resolve) if options.did_web else None


def _directories(options: ResolverOptions, fetcher: Fetcher, keys: KeyBook) -> Made | None:
    return Made(Directories(fetcher).resolve) if options.directories else None


def _jwks(options: ResolverOptions, fetcher: Fetcher, keys: KeyBook) -> Made | None:
    if not options.jwks:
        return None
    jwks = Jwks(options.jwks, fetcher, on_change=keys.jwks_changed)
    keys.listed = jwks.listed
    return Made(jwks.resolve, jwks.tick)


RESOLVERS: tuple[ResolverInfo, ...] = (
    ResolverInfo(DID_AIP, "AIP registry, GET /verify?did=", Resolution.REGISTRY, _aip, is_one=True),
    ResolverInfo("did:web:", "document of the host that the DID names", Resolution.DID_WEB, _did_web),
    ResolverInfo("https://", "key directory or JWKS at the URL", Resolution.DIRECTORY, _directories),
    ResolverInfo("http://", "the same on this machine", Resolution.DIRECTORY, _directories),
    ResolverInfo(BARE, "configured JWKS, by thumbprint or kid", Resolution.JWKS, _jwks),
)
