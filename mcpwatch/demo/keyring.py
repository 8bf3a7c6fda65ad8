"""The agents' keys: made for one run of the demo, some of them known to the operator."""

from pathlib import Path

from msgspec import Struct, field

from mcpwatch.demo.cast import CAST, GUILD, KEYS_HELD, ORDERS, WELCOME
from mcpwatch.demo.es256 import Es256Key
from mcpwatch.identity import verifier
from mcpwatch.identity.agent_key import AgentKey

_P256 = [name for name, agent in CAST.items() if agent.has_p256]
_ED25519 = [name for name, agent in CAST.items() if agent.signs and not agent.has_p256]
_OTHERS = {GUILD, WELCOME, ORDERS, *(key for held in KEYS_HELD.values() for key, _ in held)}.difference(_ED25519)
"""Ed25519 keys that go by no agent's name."""

PROFILE = "/{name}/.well-known/ucp"
"""Path of a profile."""


class Keyring(Struct, frozen=True):
    """Keys by their holder's name."""

    ed25519: dict[str, AgentKey] = field(default_factory=dict)
    p256: dict[str, Es256Key] = field(default_factory=dict)

    def signing(self, name: str) -> AgentKey:
        """The Ed25519 key that a holder has now."""
        return self.ed25519[KEYS_HELD[name][-1][0] if name in KEYS_HELD else name]

    def public(self, name: str) -> bytes:
        """The holder's public key."""
        return self.p256[name].public if name in self.p256 else self.signing(name).public

    def named_jwk(self, name: str) -> dict[str, str]:
        """The holder's public key as a JWK with a kid (RFC 7517)."""
        return {**verifier.jwk(self.public(name)), "kid": kid_of(name)}

    def did_aip(self, name: str) -> str:
        """The holder's did:aip, which derives from its oldest key."""
        return self.ed25519[KEYS_HELD[name][0][0] if name in KEYS_HELD else name].did_aip


def make_keys(folder: Path) -> Keyring:
    """Make a key for everybody who signs and keep it in `folder`, 0600."""
    keys = Keyring(
        {name: AgentKey.generate() for name in (*_ED25519, *_OTHERS)}, {name: Es256Key.generate() for name in _P256}
    )
    for name, key in keys.ed25519.items():
        key.save(folder / name)
    for name, other in keys.p256.items():
        other.save(folder / name)
    return keys


def load_keys(folder: Path) -> Keyring:
    """The keys that `make_keys` left in `folder`."""
    return Keyring(
        {name: AgentKey.load(folder / name) for name in (*_ED25519, *_OTHERS)},
        {name: Es256Key.load(folder / name) for name in _P256},
    )


def kid_of(name: str) -> str:
    """What a holder's key is called in the partners' file."""
    return f"{name}-2026"


def profile_of(name: str, directory: str) -> str:
    """Where a holder's profile is, on the host of the key directory."""
    return f"{directory}{PROFILE.format(name=name)}"
