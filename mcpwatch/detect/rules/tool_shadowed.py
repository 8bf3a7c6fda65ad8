"""Does a server reach for the tools of another?"""

import re
from collections.abc import Iterable, Iterator

from mcpwatch.detect.definitions import description, subject, told
from mcpwatch.detect.offers import Offer, Offered, Offers, are_twins, is_made_after
from mcpwatch.detect.orders import Order, OrderBook, Orders, orders
from mcpwatch.detect.phrases import quote
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.tools import Tool
from mcpwatch.model.traffic import Observation

_TEXT = 20_000

_STANDS_IN = re.compile(
    r"\b(?:instead of|rather than|in place of|replaces|supersedes) (?:the |any |all )?(?:other|old|original|standard)\b"
    r"|\b(?:other|original|old) (?:\w+ )?(?:tool|version|server|one)s? (?:is|are) "
    r"(?:deprecated|broken|disabled|unsafe|removed|obsolete|outdated)\b"
)


class Shadowed(Rule):
    """Two servers that both have a `search` are no shadow of each other; nor are two copies of one server.

    One that was listed later is, where it takes over the other's description or says that it stands in for it; and
    one whose definition gives orders about another server's tool.
    """

    info = RuleInfo(
        id="tool/shadowed",
        title="Shadowed tool",
        severity=Severity.HIGH,
        meaning="A server copies another server's tool, or its definition gives orders about one, so that it takes "
        "over calls that were meant for the other.",
        action="Compare both definitions in 5 Tools. Keep agents from using both servers at once.",
        references=("SAFE-T1301", "SAFE-T1004", "OWASP MCP03"),
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def __init__(self) -> None:
        self._offers = Offers()
        self._orders = OrderBook()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if not seen.tools:
            return
        listed = [(each, self._offers.add(seen.source, each.tool)) for each in told(seen)]
        given = [orders(each.tool, each.texts) for each, _ in listed]
        for (each, offer), its in zip(listed, given, strict=True):
            self._orders.keep(_place(offer), each.tool, its)
        twins: dict[int, bool] = {}
        for (each, offer), its in zip(listed, given, strict=True):
            for other in self._offers.others(offer):
                own = offer.tools.get(each.tool.name)
                if own is not None:
                    yield from self._copied(seen, own, other, twins)
                    yield from self._ordered(seen, own, other)
                yield from self._orders_others(seen, each.tool, its, offer, other)

    def _copied(self, seen: Observation, own: Offered, other: Offer, twins: dict[int, bool]) -> Iterator[Finding]:
        """A tool that is put in the place of another; `twins` are other servers as held against the tool's own."""
        same = other.tools.get(own.tool.name)
        if same is None:
            return
        if id(other) not in twins:
            twins[id(other)] = are_twins(own.offer, other)
        if twins[id(other)]:
            return
        late, early = (own, same) if own.since > same.since else (same, own)
        how = _stands_in(late.tool, early.tool)
        if how:
            reason = (
                f"{late.tool.upstream} has {quote(late.tool.name)}, as {early.tool.upstream} had before, and {how}."
            )
            yield self._told(seen, late.tool, reason, own.offer, other, early.tool)

    def _orders_others(
        self, seen: Observation, tool: Tool, given: Orders, offer: Offer, other: Offer
    ) -> Iterator[Finding]:
        """Orders in a definition about a tool that another server has and its own has not."""
        for name, words in given.items():
            if name in other.tools and name not in offer.tools:
                yield self._about(seen, Order(tool, words), offer, other, other.tools[name].tool)
                return

    def _ordered(self, seen: Observation, own: Offered, other: Offer) -> Iterator[Finding]:
        """Orders of another server about this tool."""
        if own.tool.name not in other.tools:
            for order in self._orders.about(_place(other), own.tool.name):
                yield self._about(seen, order, other, own.offer, own.tool)

    def _about(self, seen: Observation, order: Order, home: Offer, other: Offer, tool: Tool) -> Finding:
        where = f"{quote(tool.name)}, a tool of {other.upstream}"
        reason = f"The definition of {quote(order.tool.name)} gives orders about {where}: {quote(order.words)}."
        return self._told(seen, order.tool, reason, home, other, tool)

    def _told(self, seen: Observation, tool: Tool, reason: str, one: Offer, other: Offer, victim: Tool) -> Finding:
        """Evidence are the entries that list both tools, where they are of one feed, and this one."""
        entries = {tool.first_seen, victim.first_seen} if one.source == other.source else set()
        return self.finding(seen, subject(tool), reason, *sorted(entries | {seen.index}))


def _place(offer: Offer) -> tuple[str, str]:
    return offer.source, offer.upstream


def _stands_in(late: Tool, early: Tool) -> str:
    """How one tool puts itself in the place of the other of the same name; empty where it does not."""
    if found := _STANDS_IN.search(description(late.definition)[:_TEXT].lower()):
        return f"says that it stands in for it ({quote(found.group())})"
    return "says of it what the other says" if is_made_after(late, early) else ""
