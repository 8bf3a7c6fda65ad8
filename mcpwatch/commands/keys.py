"""`mcpwatch keys`: the keys that the operator holds to be somebody's, and the feeds' own keys."""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import LocalError, UsageError
from mcpwatch.files import state_dir
from mcpwatch.text import show

if TYPE_CHECKING:
    from mcpwatch.identity.pins import Known


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print the pinned keys of agents and of feeds")
    listing.set_defaults(action=_list)
    add = actions.add_parser("add", help="pin an agent's key")
    add.add_argument("id", metavar="DID", help="the DID, or the keyid that its signatures name")
    add.add_argument("key", metavar="KEY", help="the public key, Ed25519 or P-256: base64, a JWK, or a PEM file's text")
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
    remove = actions.add_parser("remove", help="forget the pinned keys and the name of an agent, or the key of a feed")
    remove.add_argument("id", metavar="DID|FEED", help="the DID or keyid, or a feed's address")
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

    pin = add_pin(pins_path(state), options.id, options.key, options.name)
    print(show(f"pinned {pin.id} as {options.name}" if options.name else f"pinned {pin.id}"))


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
    for agent, said in import_agents(pins_path(state), agents):
        called = f" ({agent.name})" if agent.name else ""
        print(show(f"{'pinned' if agent.key else 'not pinned'} {agent.id}{called}{': ' if said else ''}{said}"))
    if not any(agent.key for agent in agents):
        raise UsageError(f"No key of {options.file} was pinned")


def _name(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.pins import pins_path, set_name

    set_name(pins_path(state), options.id, options.name)
    print(show(f"{options.id} is called {options.name}"))


def _remove(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.feed.pins import Pins, pins_folder
    from mcpwatch.identity.pins import pins_path, remove_pin

    count = remove_pin(pins_path(state), options.id) + Pins(pins_folder(state)).forget(options.id)
    if not count:
        raise UsageError(f"Nothing is pinned for {options.id}", "See: mcpwatch keys list")
    print(f"forgot {count} of {show(options.id)}")
