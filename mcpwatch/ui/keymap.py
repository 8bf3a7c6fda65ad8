"""The operator's keys: other keys for commands, held against the table of commands before the screen opens."""

import string
import unicodedata
from collections.abc import Iterator, Mapping
from itertools import combinations

from textual.keys import KEY_NAME_REPLACEMENTS, Keys

from mcpwatch.config_faults import Fault, meant
from mcpwatch.ui.commands import BY_ID, COMMANDS, UNBOUND, Command, Scope, key_name

_PANES = frozenset({Scope.LIST, Scope.PAGE, Scope.READER})
_EVERYWHERE = frozenset({Scope.APP, Scope.REPLAY})
_ALWAYS = ("quit", "back")
"""Commands without which there is no way out, of mcpwatch or of a line that is typed."""
_MODIFIERS = ("ctrl+", "alt+", "shift+")


def _named(character: str) -> str:
    """What Textual calls the key of a character."""
    if character.isalnum():
        return character
    name = unicodedata.name(character).casefold().replace("-", "_").replace(" ", "_")
    return KEY_NAME_REPLACEMENTS.get(name, name)


_CHARACTERS = {character: _named(character) for character in string.printable.strip() + " "}
_KEYS = frozenset({*_CHARACTERS.values(), *(key.value for key in Keys if not key.value.startswith("<"))})


def keymap(keys: Mapping[str, str]) -> dict[str, str]:
    """Command id -> its keys as Textual has them, parted by commas; empty for none."""
    return {id: ",".join(map(_key, _parts(listed))) for id, listed in keys.items()}


def with_keys(command: Command, keys: Mapping[str, str]) -> Command:
    """A command with the keys that it has by a map."""
    return command._replace(keys=keys.get(command.id, command.keys))


def bound(keys: Mapping[str, str]) -> dict[str, str]:
    """The same for Textual, which keeps a command's own keys where it is given none."""
    return {id: listed or UNBOUND for id, listed in keys.items()}


def faults(keys: Mapping[str, str]) -> Iterator[Fault]:
    """What cannot be in `keys`: commands and keys that there are not, keys that mean two things, no way out."""
    for id, listed in keys.items():
        at = ("keys", id)
        if id not in BY_ID:
            yield Fault(at, f"there is no command {id}; {meant(id, BY_ID)}")
        for part in _parts(listed):
            if not _is_key(_key(part)):
                yield Fault(at, f"{part} is not a key; {_close(part)}")
        if id in _ALWAYS and not any(_types_nothing(_key(part)) for part in _parts(listed)):
            yield Fault(at, f"{id} must keep a key that types no text, such as {BY_ID[id].keys.split(',')[0]}")
    yield from _clashes(keymap(keys))


def _clashes(keys: Mapping[str, str]) -> Iterator[Fault]:
    """Keys that mean two things where both can be pressed, by a map."""
    for one, other in combinations([with_keys(command, keys) for command in COMMANDS], 2):
        both = set(one.keys.split(",")) & set(other.keys.split(",")) - {""}
        if both and (one.id in keys or other.id in keys) and _meet(one, other):
            at, holder = (other, one) if other.id in keys else (one, other)
            yield Fault(("keys", at.id), f"{key_name(min(both))} is the key of {holder.id} already; give one another")


def _meet(one: Command, other: Command) -> bool:
    """Whether there is a screen and a pane on which both apply."""
    return any(
        mine == theirs
        or bool({mine, theirs} & _EVERYWHERE)
        or (mine in _PANES) != (theirs in _PANES)
        or {mine, theirs} == {Scope.PAGE, Scope.READER}
        for mine in one.scopes
        for theirs in other.scopes
    )


def _parts(listed: str) -> list[str]:
    return [part.strip() for part in listed.split(",") if part.strip()]


def _key(part: str) -> str:
    """A key as Textual has it: `/` and `ctrl+/` are what people write."""
    before, plus, last = part.rpartition("+")
    return f"{before}{plus}{_CHARACTERS.get(last, last)}" if last else part[:-1] + _CHARACTERS["+"]


def _is_key(key: str) -> bool:
    base = key
    for modifier in _MODIFIERS:
        base = base.removeprefix(modifier)
    return key in _KEYS or base in _KEYS


def _types_nothing(key: str) -> bool:
    return key not in _CHARACTERS.values()


def _close(part: str) -> str:
    names = {"slash", "space", "enter", "escape", "tab", "f1", "pageup", "pagedown", "home", "end", "ctrl+p", *_KEYS}
    near = meant(part, sorted(names))
    return near if near.startswith("did") else "write it such as x, X, /, space, enter, f5, pageup, ctrl+k"
