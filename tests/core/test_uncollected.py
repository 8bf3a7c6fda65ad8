"""Structs that the search for garbage passes over are in no cycle: what was in one would never be freed."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import get_args, get_type_hints

from msgspec import Struct

import mcpwatch


def structs_within(kind: object) -> Iterator[type[Struct]]:
    """The structs that a value of this type may hold at first hand."""
    if isinstance(kind, type) and issubclass(kind, Struct):
        yield kind
        for each in kind.__subclasses__():
            yield from structs_within(each)
    for part in get_args(kind):
        yield from structs_within(part)


def reached(kind: type[Struct]) -> set[type[Struct]]:
    """All structs that one may hold, through others too."""
    found: set[type[Struct]] = set()
    waiting = [kind]
    while waiting:
        held = {each for hint in get_type_hints(waiting.pop()).values() for each in structs_within(hint)}
        waiting += held - found
        found |= held
    return found


def all_structs(kind: type[Struct] = Struct) -> Iterator[type[Struct]]:
    """Every struct of ours."""
    for each in kind.__subclasses__():
        yield each
        yield from all_structs(each)


def test_no_struct_without_garbage_collection_can_hold_itself() -> None:
    for package in ("model", "watch", "traffic", "identity", "detect"):
        for module in pkgutil.walk_packages([f"{mcpwatch.__path__[0]}/{package}"], f"mcpwatch.{package}."):
            importlib.import_module(module.name)
    uncollected = {each for each in all_structs() if not each.__struct_config__.gc and "mcpwatch" in each.__module__}
    assert len(uncollected) > 40
    assert [each.__name__ for each in uncollected if each in reached(each)] == []
