"""Tables and sets that stay within a limit, however much comes from outside."""

from collections import OrderedDict
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


def keep(table: OrderedDict[K, V], key: K, value: V, limit: int) -> None:
    """Put an item at the end of a table; past `limit` the one put there longest ago goes."""
    table[key] = value
    table.move_to_end(key)
    if len(table) > limit:
        table.popitem(last=False)


def add(names: set[str], name: str, limit: int) -> None:
    """Add a name that is not empty; a set that has `limit` names takes no more."""
    if name and len(names) < limit:
        names.add(name)
