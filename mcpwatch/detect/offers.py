"""What each server offers, as far as rules compare servers."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

from mcpwatch.detect.definitions import description
from mcpwatch.detect.names_alike import Name, Place, may_pass, name_of, places, places_near
from mcpwatch.model.tools import Tool

SERVERS: Final = 64
TOOLS: Final = 1_000
"""Of one server; what came first is what agents came to trust, so what comes after makes no room for itself."""

_MAX_TEXT = 4_000
_FEW = 6
"""Words below which descriptions are alike by chance."""
_ALIKE = 0.8
"""Share of their words that two descriptions have in common when one is made after the other."""


class Offered(Struct, eq=False):
    """A tool of a server, and when it was first listed in the order of all servers."""

    tool: Tool
    name: Name
    since: int
    offer: "Offer"


class Offer(Struct, eq=False):
    """What one server offers: tools by name."""

    source: str
    upstream: str
    tools: dict[str, Offered] = field(default_factory=dict)


class Offers:
    """The tools of all servers."""

    def __init__(self) -> None:
        self._servers: OrderedDict[tuple[str, str], Offer] = OrderedDict()
        self._names: dict[Place, dict[int, Offered]] = {}
        """Tools by what their names have in common with names alike, then by `since`."""
        self._count = 0

    def add(self, source: str, tool: Tool) -> Offer:
        """Take in a tool as it is now, unless its server has too many; what that server offers."""
        place = (source, tool.upstream)
        offer = self._servers.get(place)
        if offer is None:
            offer = Offer(source, tool.upstream)
            if len(self._servers) >= SERVERS:
                self._forget(self._servers.popitem(last=False)[1])
            self._servers[place] = offer
        known = offer.tools.get(tool.name)
        if known is not None:
            known.tool = tool
        elif len(offer.tools) < TOOLS:
            self._count += 1
            offered = offer.tools[tool.name] = Offered(tool, name_of(tool.name), self._count, offer)
            for spot in places(offered.name):
                self._names.setdefault(spot, {})[offered.since] = offered
        return offer

    def others(self, offer: Offer) -> Iterator[Offer]:
        """What the other servers offer."""
        return (other for other in self._servers.values() if other is not offer)

    def near(self, offered: Offered) -> Iterator[Offered]:
        """Tools of other servers whose names may pass for this one's, the oldest first."""
        found: dict[int, Offered] = {}
        for spot in places_near(offered.name):
            found.update(self._names.get(spot, {}))
        for _, each in sorted(found.items()):
            if each.offer is not offered.offer and may_pass(offered.name, each.name):
                yield each

    def _forget(self, offer: Offer) -> None:
        for offered in offer.tools.values():
            for spot in places(offered.name):
                del self._names[spot][offered.since]
                if not self._names[spot]:
                    del self._names[spot]


def are_twins(one: Offer, other: Offer) -> bool:
    """Whether they look like the same server twice: at least half of the longer list is the same to the letter."""
    small, large = sorted((one.tools, other.tools), key=len)
    same = sum(1 for name, each in small.items() if name in large and large[name].tool.digest == each.tool.digest)
    return same * 2 >= len(large)


def is_made_after(tool: Tool, other: Tool) -> bool:
    """Whether one description holds the other word by word, or is nearly the same."""
    words, others = (description(each.definition)[:_MAX_TEXT].lower().split() for each in (tool, other))
    if min(len(words), len(others)) < _FEW:
        return False
    if f" {' '.join(others)} " in f" {' '.join(words)} ":
        return True
    return len({*words} & {*others}) >= _ALIKE * len({*words, *others})
