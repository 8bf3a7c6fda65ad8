"""Signature-Agent: where the keys of a signature's maker are to be found (draft-ietf-webbotauth-httpsig-protocol).

It is a dictionary of URLs, `sig1="https://agent.example"`, each with the type of what is there. Before it was a bare
string, which some agents still send.
"""

from functools import lru_cache
from urllib.parse import unquote_to_bytes, urlsplit

import http_sf
from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity import verifier
from mcpwatch.identity.strict_json import strict_object
from mcpwatch.identity.structured import MAX_FIELD

FIELD = "signature-agent"
DIRECTORY, JWKS_URI = "directory", "jwks_uri"
_DATA = "data:"
_MAX_KEYS = 32


class Agent(Struct, frozen=True):
    """A member of the field."""

    uri: str
    type: str = DIRECTORY

    @property
    def identity(self) -> str:
        """The URL that stands for the agent: a directory's origin, or the JWKS; empty for others."""
        parts = _split(self.uri)
        if parts is None or self.type not in (DIRECTORY, JWKS_URI):
            return ""
        origin, rest = parts
        return origin if self.type == DIRECTORY else origin + rest

    @property
    def carries_keys(self) -> bool:
        """Whether it is a JWKS itself and not the address of one."""
        return self.uri.startswith(_DATA)


@lru_cache(maxsize=256)
def read_agents(field: str) -> dict[str, Agent] | None:
    """The field's members by key, a bare string under the empty key; None when it is malformed."""
    if len(field) > MAX_FIELD:
        return None
    twice: list[str] = []
    try:
        if field.startswith('"'):
            agent = _agent(http_sf.parse(field.encode("ascii"), tltype="item"))
            return None if agent is None else {"": agent}
        members = http_sf.parse(
            field.encode("ascii"), tltype="dictionary", on_duplicate_key=lambda key, _: twice.append(key)
        )
    except ValueError:
        return None
    agents: dict[str, Agent] = {}
    for key, member in members.items() if isinstance(members, dict) else ():
        agent = _agent(member)
        if agent is None:
            return None
        agents[key] = agent
    return None if twice else agents


@lru_cache(maxsize=256)
def keys_in(uri: str) -> dict[str, bytes] | None:
    """The keys of a JWKS in a `data:` URL (RFC 2397), by thumbprint; None when there is no JWKS in it."""
    media, comma, data = uri.removeprefix(_DATA).partition(",")
    if not comma:
        return None
    octets = unquote_to_bytes(data)
    if media.lower().endswith(";base64"):
        decoded = decode_base64(octets.decode("latin-1"))
        if decoded is None:
            return None
        octets = decoded
    jwks = strict_object(octets)
    listed = jwks.get("keys") if jwks is not None else None
    if not isinstance(listed, list):
        return None
    keys = [verifier.key_of_jwk(jwk) for jwk in listed[:_MAX_KEYS] if isinstance(jwk, dict)]
    return {verifier.fingerprint(key): key for key in keys if key is not None}


def _agent(member: object) -> Agent | None:
    """A member: a string and its parameters; None for anything else."""
    match member:
        case (str() as uri, dict() as parameters):
            return Agent(uri, str(parameters.get("type", DIRECTORY)))
    return None


def _split(uri: str) -> tuple[str, str] | None:
    """A web address as its origin, and its path and query; None for anything else."""
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("https", "http") or not host or parts.username is not None:
        return None
    host = f"[{host}]" if ":" in host else host
    default = {"https": 443, "http": 80}[parts.scheme]
    where = host if port in (None, default) else f"{host}:{port}"
    return f"{parts.scheme}://{where}", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
