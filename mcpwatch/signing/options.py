"""What a signing proxy is told: where to listen, what it stands before, who signs and how."""

from msgspec import Struct

from mcpwatch.errors import UsageError
from mcpwatch.gateway.options import Address, is_named, parse_upstreams
from mcpwatch.hosts import is_loopback
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.ed25519 import DID_KEY
from mcpwatch.identity.keys import identity_of
from mcpwatch.identity.multikey import decode_multikey
from mcpwatch.model.entries import UpstreamInfo
from mcpwatch.signing.outgoing import Agent, SigningScheme

LISTEN: Address = ("127.0.0.1", 4182)


class SigningOptions(Struct, frozen=True, kw_only=True):
    """All a signing proxy can be told. Hosts and origins are as in `Guard`."""

    upstream: UpstreamInfo
    agent: Agent
    scheme: SigningScheme
    listen: Address = LISTEN
    allowed_hosts: tuple[str, ...] = ()
    """Host headers that are good besides loopback names."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of web pages that may call, besides pages of this machine."""
    max_body: int = 16 * 1024 * 1024
    """Octets of a request's body, which is signed before its first octet goes on."""
    max_received: int = 256 * 1024 * 1024
    """Octets of all requests' bodies at a time; requests above get 503."""
    max_exchanges: int = 1_000
    """At a time; those above get 503."""
    max_connections: int = 4_000
    """At a time; those above are closed at once."""


def parse_upstream(url: str) -> UpstreamInfo:
    """The one server behind the proxy, which needs no name. Raises UsageError."""
    (upstream,) = parse_upstreams([url])
    if is_named(upstream):
        raise UsageError(
            "A signing proxy stands before one server, which needs no name", f"Try: --upstream {upstream.url}"
        )
    return upstream


def check_listen(address: Address, *, allow_remote: bool) -> Address:
    """The address, unless other machines reach it and may not. Raises UsageError."""
    if not is_loopback(address[0]) and not allow_remote:
        raise UsageError(
            f"Other machines could connect to {address[0]}, and whoever connects signs as your agent",
            "Listen on 127.0.0.1, or add --allow-remote if that is what you want.",
        )
    return address


def check_id(id: str, key: AgentKey) -> str:
    """An identity to sign under, or none.

    Raises UsageError for one that no header field can carry as it is, and for a did:key other than that of `key`: it
    is a key itself, so no signature of this one would ever hold under it.
    """
    if not (id.isascii() and id.isprintable()) or not set(id).isdisjoint('" \\'):
        raise UsageError(
            f"{id} cannot be signed under", "A DID or a keyid is ASCII without spaces, quotes and backslashes."
        )
    if id.startswith(DID_KEY) and identity_of(id) != key.did_key:
        is_key = decode_multikey(identity_of(id).removeprefix(DID_KEY)) is not None
        raise UsageError(
            "This did:key is another key's" if is_key else "This did:key is none: it holds no key, or not all of one",
            "Leave out --id, and the key's own is taken.",
        )
    return id
