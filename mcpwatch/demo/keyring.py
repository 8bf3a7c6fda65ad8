"""The agents' keys: made for one run of the demo, some of them known to the operator."""

from pathlib import Path

from msgspec import Struct, field

from mcpwatch.demo.cast import CAST, GUILD, ORDERS, RETIRED, VETERAN, WELCOME
from mcpwatch.demo.es256 import Es256Key
from mcpwatch.identity.agent_key import AgentKey

_P256 = [name for name, agent in CAST.items() if agent.has_p256]
_ED25519 = [name for name, agent in CAST.items() if agent.signs and not agent.has_p256]
_OTHERS = (GUILD, WELCOME, RETIRED, ORDERS)
"""Ed25519 keys of those who are no agents."""


class Keyring(Struct, frozen=True):
    """Keys by their holder's name."""

    ed25519: dict[str, AgentKey] = field(default_factory=dict)
    p256: dict[str, Es256Key] = field(default_factory=dict)

    def public(self, name: str) -> bytes:
        """The holder's public key."""
        return self.ed25519[name].public if name in self.ed25519 else self.p256[name].public

    def did_aip(self, name: str) -> str:
        """The holder's did:aip, which derives from its oldest key."""
        return self.ed25519[RETIRED if name == VETERAN else name].did_aip


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
