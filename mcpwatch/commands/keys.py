"""`mcpwatch keys`: the keys that the operator holds to be somebody's, and the feeds' own keys."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import state_dir
from mcpwatch.program import program
from mcpwatch.text import count, show

if TYPE_CHECKING:
    from mcpwatch.identity.pins import Known

_MAX_PATH = 255
_MAX_KEY_FILE = 65_536


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print the pinned keys of agents and of feeds")
    listing.set_defaults(action=_list)
    add = actions.add_parser("add", help="pin an agent's key")
    add.add_argument("id", metavar="DID", help="the DID, or the keyid that its signatures name")
    add.add_argument("key", metavar="KEY", help="the public key, Ed25519 or P-256: base64, JWK or PEM, or a file of it")
    add.add_argument("--name", default="", help="what to call it on the screen, such as ledger")
    add.set_defaults(action=_add)
    bring = actions.add_parser("import", help="pin all keys of a file: a JWKS, or a trust bundle of Signet")
    bring.add_argument(
        "file", metavar="FILE", help="the file; agents in it that are not active are named, and not pinned"
    )
    bring.set_defaults(action=_import)
    name = actions.add_parser("name", help="say what to call an agent, whether its key is pinned or not")
    name.add_argument("id", metavar="DID", help="the DID, or the keyid that its signatures name")
    name.add_argument("name", metavar="NAME", help="what to call it on the screen, such as ledger")
    name.set_defaults(action=_name)
    own = actions.add_parser(
        "operator", help="print the fingerprint of the key that your acts on alerts are signed with"
    )
    own.set_defaults(action=_operator)
    remove = actions.add_parser("remove", help="forget the pinned keys and the name of an agent, or the key of a feed")
    remove.add_argument("id", metavar="DID|NAME|FEED", help="the DID or keyid, its name, or a feed's address")
    remove.set_defaults(action=_remove)


def run(options: argparse.Namespace) -> int:
    options.action(options, state_dir())
    return 0


def _list(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.feed.pins import Pins, pins_folder
    from mcpwatch.identity.pins import pins_path, read_known
    from mcpwatch.identity.verifier import fingerprint

    known = read_known(pins_path(state))
    lines = [
        f"agent {pin.id}  {pin.key}  fingerprint {fingerprint(decode_base64(pin.key) or b'')}{_called(known, pin.id)}"
        for pin in known.pins
    ]
    pinned = {pin.id for pin in known.pins}
    lines += [f"agent {id}  no pinned key{_called(known, id)}" for id in known.names if id not in pinned]
    lines += [f"feed  {log.address}  {log.keys[0]}" for log in Pins(pins_folder(state)).all()]
    for line in lines or ["no keys are pinned"]:
        print(show(line))


def _called(known: "Known", id: str) -> str:
    name = known.names.get(id)
    return f"  name {name}" if name else ""


def _add(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.pins import add_pin, pins_path

    pin = add_pin(pins_path(state), options.id, _key_text(options.key), options.name)
    print(show(f"pinned {pin.id} as {options.name}" if options.name else f"pinned {pin.id}"))


def _key_text(word: str) -> str:
    """A key's text: that in a file where there is one of this name, else the word itself. Raises LocalError."""
    try:
        path = Path(word)
        if "\n" in word or len(word) > _MAX_PATH or not path.is_file():
            return word
        with path.open("rb") as file:
            return file.read(_MAX_KEY_FILE).decode("utf-8", "replace")
    except OSError as error:
        raise LocalError(f"{word} cannot be read: {error.strerror}") from None


def _import(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.keyset import MAX_OCTETS, BadSet
    from mcpwatch.identity.pins import import_agents, pins_path
    from mcpwatch.identity.trust_bundle import read_agents

    try:
        with Path(options.file).open("rb") as file:
            agents = read_agents(file.read(MAX_OCTETS + 1), time.time())
    except OSError as error:
        raise LocalError(f"{options.file} cannot be read: {error.strerror}") from None
    except BadSet as error:
        raise UsageError(f"{options.file} holds no keys: {error}", "Give a JWKS or a trust bundle") from None
    told = import_agents(pins_path(state), agents)
    for agent, said in told:
        called = f" ({agent.name})" if agent.name else ""
        print(show(f"{'pinned' if agent.key else 'not pinned'} {agent.id}{called}{': ' if said else ''}{said}"))
    if not any(agent.key for agent, _ in told):
        raise UsageError(f"No key of {options.file} was pinned")


def _name(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.pins import pins_path, set_name

    set_name(pins_path(state), options.id, options.name)
    print(show(f"{options.id} is called {options.name}"))


def _operator(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.signed_acts import operator_key

    print(operator_key(state).fingerprint)


def _remove(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.feed.pins import Pins, pins_folder
    from mcpwatch.identity.pins import pins_path, read_known, remove_pin

    known = read_known(pins_path(state))
    id = _identity(known, options.id)
    keys = sum(pin.id == id for pin in known.pins)
    name = known.names.get(id)
    forgotten = [count(keys, "key")] if keys else []
    forgotten += [f"the name {name}"] if name else []
    remove_pin(pins_path(state), id)
    if Pins(pins_folder(state)).forget(options.id):
        forgotten.append("the feed's key")
    if not forgotten:
        raise UsageError(f"Nothing is pinned for {options.id}", f"See: {program()} keys list")
    print(show(f"forgot {' and '.join(forgotten)} of {id}"))


def _identity(known: "Known", word: str) -> str:
    """The identity that a word means: itself where something is kept for it, else the one that is called so."""
    if word in known.names or any(pin.id == word for pin in known.pins):
        return word
    return next((id for id, name in known.names.items() if name == word), word)
