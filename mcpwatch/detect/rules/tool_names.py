"""Does a tool's name belong to it?"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from mcpwatch.detect.definitions import subject, told
from mcpwatch.detect.names_alike import alike, nearly
from mcpwatch.detect.offers import Offered, Offers, is_made_after
from mcpwatch.detect.phrases import quote
from mcpwatch.detect.rule import Rule
from mcpwatch.model.alerts import Finding, RuleInfo, Severity
from mcpwatch.model.traffic import Observation

_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_COMPARED = 100
"""Tools of other servers that one is compared with, of those whose names have most in common with its own."""


class LookAlike(Rule):
    """Whoever was listed last is taken for the impostor."""

    info = RuleInfo(
        id="tool/look-alike",
        title="Look-alike tool",
        severity=Severity.HIGH,
        meaning="A server offers a tool whose name passes for that of another server's tool: other letters that look "
        "the same, or a slip.",
        action="Find out which server the agent means, and take the other out of its reach.",
        references=("SAFE-T1405", "SAFE-T1004"),
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def __init__(self) -> None:
        self._offers = Offers()

    def observe(self, seen: Observation) -> Iterable[Finding]:
        if not seen.tools:
            return
        offers = [(each.tool, self._offers.add(seen.source, each.tool)) for each in told(seen)]
        for tool, offer in offers:
            own = offer.tools.get(tool.name)
            if own is not None:
                yield from self._alike(seen, own)

    def _alike(self, seen: Observation, own: Offered) -> Iterator[Finding]:
        """One finding for each other server that has a tool of such a name."""
        found: set[int] = set()
        for each in islice(self._offers.near(own), _COMPARED):
            if id(each.offer) in found:
                continue
            late, early = (own, each) if own.since > each.since else (each, own)
            how = _passes(late, early)
            if how:
                found.add(id(each.offer))
                yield self._told(seen, late, early, how)

    def _told(self, seen: Observation, late: Offered, early: Offered, how: str) -> Finding:
        reason = f"{quote(late.tool.name)} of {late.tool.upstream} is not {quote(early.tool.name)} of "
        reason += f"{early.tool.upstream} and {how}."
        is_here = late.offer.source == early.offer.source
        more = (late.tool.first_seen, early.tool.first_seen) if is_here else ()
        return self.finding(seen, subject(late.tool), reason, *more, seen.index)


class NameNonconforming(Rule):
    info = RuleInfo(
        id="tool/name-nonconforming",
        title="Odd tool name",
        severity=Severity.LOW,
        meaning="The name is none that the protocol asks for: 1 to 128 of A-Z, a-z, 0-9, _, - and dot. "
        "Clients may cut or refuse it, or take it for another.",
        action="Ask the server's author to rename the tool.",
    )
    kinds = ("message",)
    methods = frozenset({"tools/list"})

    def observe(self, seen: Observation) -> Iterable[Finding]:
        for change in seen.tools:
            if change.is_new and not _NAME.fullmatch(name := change.tool.name):
                reason = f"{quote(name)} is no name for a tool"
                if len(name) > 128:
                    reason = f"{quote(name[:40])} has {len(name):,} characters"
                yield self.finding(seen, subject(change.tool), f"{reason}: 1 to 128 of A-Z a-z 0-9 _ - . are.")


def _passes(late: Offered, early: Offered) -> str:
    """How the later tool passes for the earlier one; a server that has the earlier name too has two tools."""
    if early.tool.name in late.offer.tools:
        return ""
    if how := alike(late.name, early.name):
        return how
    if nearly(late.name, early.name) and is_made_after(late.tool, early.tool):
        return "has nearly the same name and description"
    return ""
