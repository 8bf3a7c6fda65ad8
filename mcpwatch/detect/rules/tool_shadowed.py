"""Does a server reach for the tools of another?"""

import re
from collections.abc import Iterable, Iterator, Mapping

from mcpwatch.detect.definitions import description, subject, told
from mcpwatch.detect.offers import TOOLS, Offer, Offered, Offers, are_twins, is_made_after
from mcpwatch.detect.phrases import cut, quote
from mcpwatch.detect.recent import Recent
from mcpwatch.detect.rule import Rule
from mcpwatch.detect.strings import strings
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Observation, Tool

_SERVERS = 64
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
_STANDS_IN = re.compile(
    r"\b(?:instead of|rather than|in place of|replaces|supersedes) (?:the |any |all )?(?:other|old|original|standard)\b"
    r"|\b(?:other|original|old) (?:\w+ )?(?:tool|version|server|one)s? (?:is|are) "
    r"(?:deprecated|broken|disabled|unsafe|removed|obsolete|outdated)\b"
)

_Mentions = Mapping[str, str]
"""Name of a tool, or what looks like one -> the order that it stands in."""


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

    def __init__(self) -> None:
        self._offers = Offers()
        self._mentions: Recent[tuple[str, str], dict[str, _Mentions]] = Recent(_SERVERS)

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if not seen.tools:
            return
        for change in told(seen):
            tool = change.tool
            self._offers.add(seen.source, tool)
            self._note(seen.source, tool)
        for change in told(seen):
            offer = self._offers.add(seen.source, change.tool)
            own = offer.tools.get(change.tool.name)
            if own is None:
                continue
            for other in self._offers.others(offer):
                yield from self._copied(seen, own, offer, other)
                yield from self._ordered(seen, own.tool, offer, other)
                for each in other.tools.values():
                    yield from self._ordered(seen, each.tool, other, offer, only=own.tool.name)

    def _copied(self, seen: Observation, own: Offered, offer: Offer, other: Offer) -> Iterator[Finding]:
        same = other.tools.get(own.tool.name)
        if same is None or are_twins(offer, other):
            return
        late, early = (own, same) if own.since > same.since else (same, own)
        how = _stands_in(late.tool, early.tool)
        if how:
            reason = (
                f"{late.tool.upstream} has {quote(late.tool.name)}, as {early.tool.upstream} had before, and {how}."
            )
            yield self.finding(seen, subject(late.tool), reason, *_evidence(seen, offer, other, late.tool, early.tool))

    def _ordered(self, seen: Observation, tool: Tool, home: Offer, other: Offer, only: str = "") -> Iterator[Finding]:
        """Orders in a definition at `home` about a tool of `other`, or about `only` that one."""
        mentions = (self._mentions.get((home.source, home.upstream)) or {}).get(tool.name) or {}
        for name in (only,) if only else mentions:
            order = mentions.get(name)
            if order and name in other.tools and name not in home.tools:
                where = f"{quote(name)}, a tool of {other.upstream}"
                reason = f"The definition of {quote(tool.name)} gives orders about {where}: {quote(order)}."
                yield self.finding(
                    seen, subject(tool), reason, *_evidence(seen, home, other, tool, other.tools[name].tool)
                )
                return

    def _note(self, source: str, tool: Tool) -> None:
        server = (source, tool.upstream)
        mentions = self._mentions.get(server)
        if mentions is None:
            mentions = self._mentions.put(server, {})
        if tool.name in mentions or len(mentions) < TOOLS:
            mentions[tool.name] = _orders(tool)


def _orders(tool: Tool) -> _Mentions:
    """Names of tools in what a definition says, where it gives an order about them."""
    found: dict[str, str] = {}
    for each in strings(tool.definition):
        if " " not in each.text:
            continue
        for sentence in _SENTENCE.split(each.text[:_TEXT]):
            if not _ORDER.search(sentence.lower()):
                continue
            for match in _IDENTIFIER.finditer(sentence):
                if len(name := match.group()) >= _LEAST and name != tool.name and len(found) < _NAMES:
                    found.setdefault(name, cut(sentence.strip()))
    return found


def _stands_in(late: Tool, early: Tool) -> str:
    """How one tool puts itself in the place of the other of the same name; empty where it does not."""
    if found := _STANDS_IN.search(description(late.definition)[:_TEXT].lower()):
        return f"says that it stands in for it ({quote(found.group())})"
    return "says of it what the other says" if is_made_after(late, early) else ""


def _evidence(seen: Observation, one: Offer, other: Offer, *tools: Tool) -> list[int]:
    """The entries that list the tools, where all are of one feed, and this one."""
    if one.source != other.source:
        return [seen.index]
    return sorted({*(tool.first_seen for tool in tools), seen.index})
