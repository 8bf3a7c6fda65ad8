"""Orders that definitions give about tools, by the name of the tool that they are about."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from msgspec import Struct, field

from mcpwatch.detect.phrases import cut
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.strings import Found
from mcpwatch.model.tools import Tool

SERVERS: Final = 64
KEPT: Final = 5_000
"""Orders of one server that are remembered until a tool comes that they are about."""

_NAMES = 200
"""Names taken from one definition."""
_TEXT = 20_000
_LEAST = 6
"""Characters of a name that is no common word."""

_IDENTIFIER = re.compile(r"(?<![\w-])(?:[A-Za-z][A-Za-z0-9]*(?:[_-][A-Za-z0-9]+)+|[a-z]+[A-Z][A-Za-z0-9]*)(?![\w-])")
_SENTENCE = re.compile(r"[.!?;]\s+|\n\s*")
_ORDER = re.compile(
    r"\b(?:before|after|when|whenever|instead|must|always|never|do not|don't|every time|first|replaces?|prefer"
    r"|deprecated|broken)\b"
)

Orders = Mapping[str, str]
"""Name of a tool, or what looks like one -> the sentence with an order that it stands in."""


class Order(NamedTuple):
    """An order about a tool, and the tool whose definition gives it."""

    tool: Tool
    words: str


def orders(tool: Tool, texts: Sequence[Found]) -> Orders:
    """What the texts of a tool's definition order about what may be other tools."""
    found: dict[str, str] = {}
    for _, text in texts:
        if " " not in text or not _IDENTIFIER.search(text := text[:_TEXT]):
            continue
        for sentence in _SENTENCE.split(text):
            if not _ORDER.search(sentence.lower()):
                continue
            for match in _IDENTIFIER.finditer(sentence):
                if len(name := match.group()) >= _LEAST and name != tool.name and len(found) < _NAMES:
                    found.setdefault(name, cut(sentence.strip()))
    return found


class _Server(Struct):
    given: dict[str, list[str]] = field(default_factory=dict)
    """Tool -> the names of tools that its definition gives orders about."""
    about: dict[str, dict[str, Order]] = field(default_factory=dict)
    """Name of a tool -> the orders about it by the tool that gives them."""
    count: int = 0


class OrderBook:
    """The orders of all servers; of each those that it gave first."""

    def __init__(self) -> None:
        self._servers: Recent[tuple[str, str], _Server] = Recent(SERVERS)

    def keep(self, server: tuple[str, str], tool: Tool, given: Orders) -> None:
        """Remember what a tool's definition orders, in place of what it ordered before."""
        book = self._servers.get(server)
        if book is None:
            if not given:
                return
            book = self._servers.put(server, _Server())
        for name in book.given.pop(tool.name, ()):
            del book.about[name][tool.name]
            if not book.about[name]:
                del book.about[name]
            book.count -= 1
        names = list(given)[: KEPT - book.count]
        if names:
            book.given[tool.name] = names
            book.count += len(names)
        for name in names:
            book.about.setdefault(name, {})[tool.name] = Order(tool, given[name])

    def about(self, server: tuple[str, str], name: str) -> Iterator[Order]:
        """The orders of a server about tools of that name."""
        book = self._servers.get(server)
        if book is not None:
            yield from book.about.get(name, {}).values()
