"""`mcpwatch keys`: the keys that the operator holds to be somebody's, and the feeds' own keys."""

import argparse
from pathlib import Path

from mcpwatch.encoding import decode_base64
from mcpwatch.errors import UsageError
from mcpwatch.files import state_dir
from mcpwatch.text import show


def arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    listing = actions.add_parser("list", help="print the pinned keys of agents and of feeds")
    listing.set_defaults(action=_list)
    add = actions.add_parser("add", help="pin an agent's key")
    add.add_argument("id", metavar="DID", help="the DID, or the keyid that its signatures name")
    add.add_argument("key", metavar="BASE64KEY", help="the Ed25519 public key, 32 octets in standard base64")
    add.set_defaults(action=_add)
    remove = actions.add_parser("remove", help="forget the pinned keys of an agent, or the key of a feed")
    remove.add_argument("id", metavar="DID|FEED", help="the DID or keyid, or a feed's address")
    remove.set_defaults(action=_remove)


def run(options: argparse.Namespace) -> int:
    options.action(options, state_dir())
    return 0


def _list(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.feed.pins import Pins, pins_folder
    from mcpwatch.identity.ed25519 import fingerprint
    from mcpwatch.identity.pins import pins_path, read_pins

    for pin in read_pins(pins_path(state)):
        key = decode_base64(pin.key) or b""
        print(f"agent {show(pin.id)}  {pin.key}  fingerprint {fingerprint(key)}")
    for log in Pins(pins_folder(state)).all():
        print(f"feed  {show(log.address)}  {show(log.keys[0])}")


def _add(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.identity.pins import add_pin, pins_path

    pin = add_pin(pins_path(state), options.id, options.key)
    print(f"pinned {show(pin.id)}")


def _remove(options: argparse.Namespace, state: Path) -> None:
    from mcpwatch.feed.pins import Pins, pins_folder
    from mcpwatch.identity.pins import pins_path, remove_pin

    count = remove_pin(pins_path(state), options.id) + Pins(pins_folder(state)).forget(options.id)
    if not count:
        raise UsageError(f"Nothing is pinned for {options.id}", "See: mcpwatch keys list")
    print(f"forgot {count} of {show(options.id)}")
