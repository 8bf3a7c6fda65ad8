"""Whose key a message signature names: from its keyid, and from what the request says beside it.

What the signature does not cover anybody may have put there; it names nobody.
"""

from collections.abc import Mapping
from functools import lru_cache

import http_sf
import msgspec
from msgspec import Raw, Struct

from mcpwatch.identity import verifier
from mcpwatch.identity.schemes.profiles import Use
from mcpwatch.identity.signature_agent import FIELD, JWKS_URI, Agent, keys_in, read_agents
from mcpwatch.identity.strict_json import MAX_TEXT, strict_object
from mcpwatch.identity.structured import MAX_FIELD

EMBEDDED = "key:"
"""Begins the identity of a key that nothing but its thumbprint names."""
_UCP_AGENT = "ucp-agent"


class Named(Struct, frozen=True):
    """Fields of a Reading."""

    key_id: str
    thumbprint: str = ""
    alias: str = ""
    embedded: bytes = b""
    notes: tuple[str, ...] = ()


def name_key(use: Use) -> Named:
    """The identity behind a signature's keyid."""
    key_id = use.key_id
    if key_id.startswith("did:"):
        return Named(key_id)
    if use.covers_agent:
        return _by_agent(use)
    if _UCP_AGENT in use.names:
        profile = _ucp_profile(use.request.fields.get(_UCP_AGENT, ""))
        if profile:
            return Named(f"{profile}#{key_id}", _thumbprint(key_id), key_id)
    if verifier.THUMBPRINT.fullmatch(key_id):
        return _by_initialize(use)
    return Named(key_id)


def _by_agent(use: Use) -> Named:
    key_id = use.key_id
    agents = read_agents(use.request.fields.get(FIELD, ""))
    if agents is None:
        return Named(key_id, notes=("Signature-Agent is malformed",))
    agent = _covered_agent(use, agents)
    if agent is None:
        return Named(key_id, notes=("Signature-Agent does not say which of its members is the signer's",))
    if agent.carries_keys:
        keys = keys_in(agent.uri)
        key = None if keys is None else keys.get(key_id)
        if key is None:
            return Named(key_id, notes=("Signature-Agent does not carry the key that the signature names",))
        return Named(EMBEDDED + key_id, embedded=key)
    if agent.identity:
        return Named(f"{agent.identity}#{key_id}", _thumbprint(key_id), key_id)
    return Named(key_id, notes=(f"Signature-Agent names its keys in a way ({agent.type}) that is not resolved here",))


def _covered_agent(use: Use, agents: Mapping[str, Agent]) -> Agent | None:
    """The member that the signature covers; where it covers all, the one of its own label, or the only one."""
    if use.agents:
        return agents.get(use.label if use.label in use.agents else use.agents[0])
    return agents.get(use.label) or (next(iter(agents.values())) if len(agents) == 1 else None)


@lru_cache(maxsize=256)
def _ucp_profile(field: str) -> str:
    """The URL of the profile that UCP-Agent names; empty where it names none."""
    if len(field) > MAX_FIELD:
        return ""
    try:
        members = http_sf.parse(field.encode("ascii"), tltype="dictionary")
    except ValueError:
        return ""
    member = members.get("profile") if isinstance(members, dict) else None
    url = member[0] if isinstance(member, tuple) else None
    return Agent(url, JWKS_URI).identity if isinstance(url, str) else ""


class _Initialize(Struct):
    method: str
    params: dict[str, Raw] = {}


def _by_initialize(use: Use) -> Named:
    """The key that `clientInfo.cnf.jwk` of an initialize request binds the session to (SEP-2752)."""
    body = use.request.request.body
    text = body.text if body is not None else None
    if text is None or '"cnf"' not in text or len(text) > MAX_TEXT:
        return Named(use.key_id)
    try:
        message = msgspec.json.decode(text, type=_Initialize)
    except (ValueError, RecursionError):
        return Named(use.key_id)
    client = message.params.get("clientInfo") if message.method == "initialize" else None
    if client is None:
        return Named(use.key_id)
    key = _confirmed(strict_object(bytes(client)))
    if key is None:
        return Named(use.key_id, notes=("clientInfo.cnf.jwk is not a key that may be used",))
    if verifier.fingerprint(key) != use.key_id:
        return Named(use.key_id, notes=("clientInfo.cnf.jwk is another key than the one that the signature names",))
    return Named(EMBEDDED + use.key_id, embedded=key)


def _confirmed(client: Mapping[str, object] | None) -> bytes | None:
    cnf = client.get("cnf") if client is not None else None
    jwk = cnf.get("jwk") if isinstance(cnf, dict) else None
    return verifier.key_of_jwk(jwk) if isinstance(jwk, dict) else None


def _thumbprint(key_id: str) -> str:
    return key_id if verifier.THUMBPRINT.fullmatch(key_id) else ""
