"""How each agent signs. One row a scheme."""

from collections.abc import Callable

import httpx2
from msgspec import Struct

from mcpwatch.demo.agents.messages import Sep2752Auth, UcpAuth, WebBotAuth
from mcpwatch.demo.agents.tokens import AipTokenAuth, DpopAuth, HmacAuth, access_token
from mcpwatch.demo.cast import Agent, Signs
from mcpwatch.demo.keyring import Keyring, kid_of, profile_of
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey
from mcpwatch.identity.signer import AipAuth, Rfc9421Auth

Clock = Callable[[], float]
Auth = Callable[[httpx2.Request], httpx2.Request]


class Means(Struct, frozen=True):
    """What an agent has to sign with."""

    agent: Agent
    keys: Keyring
    directory: str
    """Address of the key directory."""
    clock: Clock

    @property
    def key(self) -> AgentKey:
        return self.keys.signing(self.agent.name)


def _aip(means: Means) -> Auth:
    """Under a name that says the key, or under one that has to be looked up."""
    did = means.key.did_key if means.agent.known == "by its name" else means.keys.did_aip(means.agent.name)
    return AipAuth(means.key, did=did, clock=means.clock)


def _rfc9421(means: Means) -> Auth:
    """Under the key itself, its thumbprint, or a name of the agent's own."""
    key, name, known = means.key, means.agent.name, means.agent.known
    if known == "to partners":
        return Rfc9421Auth(key, key_id=verifier.fingerprint(key.public), tag=name, clock=means.clock)
    return Rfc9421Auth(key, key_id=key.did_key if known == "by its name" else kid_of(name), clock=means.clock)


def _dpop(means: Means) -> Auth:
    key, name = means.keys.p256[means.agent.name], means.agent.name
    return DpopAuth(key, access_token(f"{name}@example.com", key.public))


def _ucp(means: Means) -> Auth:
    name = means.agent.name
    return UcpAuth(means.keys.p256[name], kid_of(name), profile_of(name, means.directory))


def _twice(means: Means) -> Auth:
    """AIP headers, and a message signature by the same name and key."""
    did = means.keys.did_aip(means.agent.name)
    aip, message = _aip(means), Rfc9421Auth(means.key, key_id=did, clock=means.clock)
    return lambda request: message(aip(request))


_AUTHS: dict[Signs, Callable[[Means], Auth]] = {
    "AIP": _aip,
    "RFC 9421": _rfc9421,
    "SEP-2752": lambda means: Sep2752Auth(means.key, means.agent.name),
    "Web Bot Auth": lambda means: WebBotAuth(means.key, means.directory),
    "UCP": _ucp,
    "DPoP": _dpop,
    "AIP and RFC 9421": _twice,
    "AIP token": lambda means: AipTokenAuth(means.key, means.agent.name),
    "HMAC": lambda means: HmacAuth(),
}
"""Signet signs each call and not each request: its acts do that themselves."""


def auth_of(agent: Agent, keys: Keyring, directory: str, clock: Clock) -> Auth | None:
    """An agent's way to sign its requests; None when it signs none."""
    make = _AUTHS.get(agent.signs)
    return make(Means(agent, keys, directory, clock)) if make else None
