"""Files of keys that an operator imports: JWKS (RFC 7517), and Signet's trust bundles."""

from msgspec import Struct

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.keys import KEY
from mcpwatch.identity.keyset import MAX_OCTETS, BadSet, read_jwks
from mcpwatch.identity.resolution import NOT_YET, ResolvedKey
from mcpwatch.identity.strict_json import strict_object
from mcpwatch.identity.times import parse_time
from mcpwatch.identity.verifier import THUMBPRINT, good_key, is_misnomer

_ACTIVE = "active"
_PREFIX = "ed25519:"


class Agent(Struct, frozen=True):
    """An entry of a file: a key, or why it does not count."""

    id: str
    """What to pin the key under."""
    key: bytes = b""
    name: str = ""
    fault: str = ""
    kid: str = ""
    """What signatures may call it besides; of a thumbprint's shape."""


def read_agents(data: bytes, now: float) -> list[Agent]:
    """The entries of a JWKS or a trust bundle, as they stand at `now`. Raises BadSet when it is neither."""
    found = strict_object(data, MAX_OCTETS)
    if found is None:
        raise BadSet("it is no JSON object, or has a member twice")
    agents = found.get("agents")
    return _of_jwks(data, now) if agents is None else _of_bundle(agents, now)


def _of_jwks(data: bytes, now: float) -> list[Agent]:
    found = read_jwks(data)
    refused = [Agent(name, fault=reason) for name, reason in found.refused]
    return [*(_of_key(key, now) for key in found.keys), *refused]


def _of_key(key: ResolvedKey, now: float) -> Agent:
    id = f"{KEY}{key.thumbprint}" if THUMBPRINT.fullmatch(key.name) else key.name
    if key.valid_until is not None and key.valid_until <= now:
        return Agent(id, fault="it has run out, as its exp says")
    if key.is_early(now):
        return Agent(id, fault=NOT_YET)
    return Agent(id, key.key, kid=key.name if is_misnomer(key.name, key.key) else "")


def _of_bundle(agents: object, now: float) -> list[Agent]:
    if not isinstance(agents, list):
        raise BadSet("its agents are no list")
    return [_agent(entry, now) for entry in agents]


def _agent(entry: object, now: float) -> Agent:
    """An agent of a bundle; an unknown status is not taken for an active one."""
    if not isinstance(entry, dict):
        return Agent("an agent", fault="it is no JSON object")
    id, name, status, expires = (entry.get(field) for field in ("id", "name", "status", "expires_at"))
    if not isinstance(id, str) or not id:
        return Agent("an agent", fault="it has no id")
    label = name if isinstance(name, str) else ""
    if status != _ACTIVE:
        return Agent(id, name=label, fault=f"its status is {status}, not {_ACTIVE}")
    if expires is not None:
        until = parse_time(expires) if isinstance(expires, str) else None
        if until is None:
            return Agent(id, name=label, fault="its expires_at is no time")
        if until <= now:
            return Agent(id, name=label, fault=f"it expired at {expires}")
    pubkey = entry.get("pubkey")
    key = decode_base64(pubkey.removeprefix(_PREFIX)) if isinstance(pubkey, str) else None
    if key is None or len(key) != 32 or not good_key(key):
        return Agent(id, name=label, fault="its pubkey is no Ed25519 key that may be used")
    return Agent(id, key, label)
