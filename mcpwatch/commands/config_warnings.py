"""What in a configuration is allowed, and probably not meant."""

import sys
from collections.abc import Collection, Iterator
from pathlib import Path
from urllib.parse import urlsplit

from mcpwatch.config import Config
from mcpwatch.hosts import is_loopback
from mcpwatch.program import program
from mcpwatch.text import show


def warn(config: Config, state: Path) -> None:
    """Print the warnings to stderr. Raises LocalError when the pinned keys of the state folder cannot be read."""
    from mcpwatch.identity.pins import pins_path, read_known
    from mcpwatch.identity.signed_acts import KEY_FILE, operator_key

    known = read_known(pins_path(state))
    own = operator_key(state).fingerprint if config.watch.operators and (state / KEY_FILE).exists() else ""
    for text in warnings(config, {*known.names.values(), *(pin.id for pin in known.pins)}, own):
        print(f"mcpwatch: warning: {show(text)}", file=sys.stderr)


def warnings(config: Config, names: Collection[str], own: str = "") -> Iterator[str]:
    """What to warn of, where the operator has given or pinned these names and acts with the key `own`."""
    identity = config.identity
    registry = urlsplit(identity.registry)
    if registry.scheme == "http" and not is_loopback(registry.hostname or ""):
        yield "identity.registry is asked over plain http: whoever is between can give any key for any identity"
    if identity.roots and not identity.registry:
        yield "identity.roots does nothing without identity.registry: nobody is asked for vouches"
    if own and own not in {entry.partition(" ")[0] for entry in config.watch.operators}:
        yield f"watch.operators does not list your own key, {own}: nothing that you do to alerts counts"
    if identity.jwks:
        return  # A word under principals may then be the kid of a key in there.
    from mcpwatch.identity.verifier import THUMBPRINT

    known = {name.casefold() for name in names}
    for who in dict.fromkeys(who for signers in config.principals.values() for who in signers):
        if ":" not in who and who.casefold() not in known and not THUMBPRINT.fullmatch(who):
            yield f"principals names {who}, and no agent is called so, see: {program()} keys list"
