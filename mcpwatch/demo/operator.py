"""What the demo's operator knows before it begins: pinned keys, names, and whom the watcher may ask."""

from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import msgspec

from mcpwatch.config import Config, IdentityConfig, dump
from mcpwatch.demo.cast import ADMIN, CAST, GUILD, ISSUER, ORDERS, Agent, Known, known
from mcpwatch.demo.keyring import Keyring, profile_of
from mcpwatch.files import write_private
from mcpwatch.identity import verifier
from mcpwatch.identity.pins import add_pin, pins_path, set_name

CONFIG, PARTNERS = "config.toml", "partners.json"


def prepare(state: Path, keys: Keyring, registry: str, directory: str) -> None:
    """Write pins, names and configuration into a state folder."""
    pins = pins_path(state)
    for name in known("to the operator"):
        add_pin(pins, keys.did_aip(name), b64encode(keys.public(name)).decode("ascii"))
    for agent in CAST.values():
        if agent.named:
            set_name(pins, signer_id(agent, keys, directory), agent.name)
    set_name(pins, keys.did_aip(GUILD), GUILD)
    set_name(pins, keys.ed25519[ORDERS].did_key, f"{ORDERS} server")
    partners = state / PARTNERS
    write_private(partners, _jwks(keys))
    identity = IdentityConfig(
        registry=registry,
        jwks=(str(partners),),
        directories=True,
        allow_private=True,
        roots=(keys.did_aip(GUILD),),
    )
    config = Config(identity=identity, principals={f"{ISSUER} {ADMIN}": ("ledger",)})
    write_private(state / CONFIG, dump(config).encode())


def _jwks(keys: Keyring) -> bytes:
    """The partners' keys as a JWKS (RFC 7517)."""
    rows = [keys.named_jwk(name) for name in known("to partners")]
    return msgspec.json.encode({"keys": rows})


def signer_id(agent: Agent, keys: Keyring, directory: str) -> str:
    """What an agent's signatures name it by."""
    return _IDS[agent.known](agent.name, keys, directory)


_IDS: dict[Known, Callable[[str, Keyring, str], str]] = {
    "by its name": lambda name, keys, directory: keys.signing(name).did_key,
    "to the operator": lambda name, keys, directory: keys.did_aip(name),
    "to the registry": lambda name, keys, directory: keys.did_aip(name),
    "by its directory": lambda name, keys, directory: directory,
    "by its profile": lambda name, keys, directory: profile_of(name, directory),
    "to partners": lambda name, keys, directory: _by_thumbprint(name, keys),
    "to nobody": lambda name, keys, directory: _by_thumbprint(name, keys),
}


def _by_thumbprint(name: str, keys: Keyring) -> str:
    return f"key:{verifier.fingerprint(keys.public(name))}"
