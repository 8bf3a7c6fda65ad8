"""What counts as evidence of another kind: somebody else behind it, another tool misused, or another reason."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

from mcpwatch.detect.phrases import short
from mcpwatch.model.alerts import Finding, Severity

CALLERS = 256
"""Told apart in one alert."""
TOOLS = 256
"""Told apart in one alert."""
REASONS = 16
"""Told apart in one alert."""

REMEMBERED = 1_024
"""Reasons of which it is known what class they are: most findings say what one before them said."""

_ANYBODY = ("tool/",)
"""Families about what a server offers, for which it says nothing who was the first to be shown it."""
_BY_TOOL = ("session/", "discovery/", "chain/", "policy/")
"""Families about what a caller does, for which it matters to what; the grave ones alone, lest each use fires again."""
_QUOTED = re.compile(r'"[^"]*"')
_WORD = re.compile(r"[a-z]{2,20}\Z")


class Sort(NamedTuple):
    """One way in which evidence may differ from what was there before."""

    of: Callable[[Finding], str | None]
    """The kind of a finding; None where it has none of this sort."""
    limit: int
    name: Callable[[str], str]
    """A kind that is new, in words."""


class Kinds:
    """The kinds of evidence of each alert, each with the entry that brought it first.

    Two findings are of one kind when the same caller is behind them, with the same tool where that matters, and their
    reasons say the same why, whatever they name, count and quote. Beyond the limits a kind counts as new each time:
    nobody can tell that it is not.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[_Known, ...]] = {}

    def add(self, alert: str, finding: Finding) -> list[str]:
        """Take a finding in; which of its kinds are new to the alert, in words. The first finding has nothing new."""
        newest = finding.newest
        known = self._known.get(alert)
        if known is None:
            known = self._known[alert] = tuple(_Known(sort) for sort in SORTS)
        return [new for each in known if (new := each.add(finding, newest))]

    def since(self, alert: str, index: int) -> list[str]:
        """The kinds that came with entries after `index`, in words."""
        return [new for each in self._known.get(alert, ()) for new in each.since(index)]


class _Known:
    """The kinds of one sort in one alert."""

    __slots__ = ("_first", "_more", "_sort")

    def __init__(self, sort: Sort) -> None:
        self._sort = sort
        self._first: dict[str, int] = {}
        self._more = -1
        """The newest entry that brought a kind beyond the limit."""

    def add(self, finding: Finding, index: int) -> str:
        kind = self._sort.of(finding)
        if kind is None or kind in self._first:
            return ""
        is_first = not self._first
        if len(self._first) < self._sort.limit:
            self._first[kind] = index
        else:
            self._more = max(self._more, index)
        return "" if is_first else self._sort.name(kind)

    def since(self, index: int) -> list[str]:
        late = [self._sort.name(kind) for kind, first in self._first.items() if first > index]
        more = [f"more than {self._sort.limit} of a kind"] if self._more > index else []
        return list(dict.fromkeys(late + more))


@lru_cache(REMEMBERED)
def reason_class(reason: str) -> str:
    """The plain words of a reason's why, which stands behind a colon; what it quotes, counts and names left out."""
    words = _QUOTED.sub(" ", reason[:1_000].partition(": ")[2]).lower().split()
    return " ".join(word for word in (word.strip(".,:;()") for word in words) if _WORD.match(word))


def _caller(finding: Finding) -> str | None:
    return None if finding.rule.startswith(_ANYBODY) else finding.who or None


def _tool(finding: Finding) -> str | None:
    matters = finding.rule.startswith(_BY_TOOL) and finding.severity >= Severity.HIGH
    return finding.tool or None if matters else None


SORTS = (
    Sort(_caller, CALLERS, lambda kind: f"another caller: {short(kind)}"),
    Sort(_tool, TOOLS, lambda kind: f"another tool: {short(kind)}"),
    Sort(lambda finding: reason_class(finding.reason), REASONS, lambda kind: "another reason"),
)
