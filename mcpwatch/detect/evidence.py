"""What counts as evidence of another kind: somebody else behind it, or another reason."""

import re

from mcpwatch.detect.phrases import short
from mcpwatch.model.alerts import Finding

CALLERS = 64
"""Told apart in one alert."""
REASONS = 8
"""Told apart in one alert."""

_ANYBODY = ("tool/",)
"""Families about what a server offers, for which it says nothing who was the first to be shown it."""
_QUOTED = re.compile(r'"[^"]*"')
_WORD = re.compile(r"[a-z]{2,20}\Z")


class Kinds:
    """The kinds of evidence of each alert, each with the entry that brought it first.

    Two findings are of one kind when the same caller is behind them and their reasons say the same why, whatever they
    name, count and quote. Beyond the limits kinds are not told apart any more.
    """

    def __init__(self) -> None:
        self._callers: dict[str, dict[str, int]] = {}
        self._reasons: dict[str, dict[str, int]] = {}

    def add(self, alert: str, finding: Finding) -> list[str]:
        """Take a finding in; which of its kinds are new to the alert, in words. The first finding has nothing new."""
        newest = max(finding.evidence, default=-1)
        new: list[str] = []
        who = "" if finding.rule.startswith(_ANYBODY) else finding.who
        if who and _is_new(self._callers.setdefault(alert, {}), who, newest, CALLERS):
            new.append(_of_caller(who))
        if _is_new(self._reasons.setdefault(alert, {}), reason_class(finding.reason), newest, REASONS):
            new.append("another reason")
        return new

    def since(self, alert: str, index: int) -> list[str]:
        """The kinds that came with entries after `index`, in words."""
        callers = [_of_caller(who) for who, first in self._callers.get(alert, {}).items() if first > index]
        reasons = ["another reason" for first in self._reasons.get(alert, {}).values() if first > index]
        return callers + reasons[:1]


def reason_class(reason: str) -> str:
    """The plain words of a reason's why, which stands behind a colon; what it quotes, counts and names left out."""
    words = _QUOTED.sub(" ", reason[:1_000].partition(": ")[2]).lower().split()
    return " ".join(word for word in (word.strip(".,:;()") for word in words) if _WORD.match(word))


def _is_new(known: dict[str, int], kind: str, index: int, limit: int) -> bool:
    if kind in known:
        return False
    is_first = not known
    if len(known) >= limit:
        return False
    known[kind] = index
    return not is_first


def _of_caller(who: str) -> str:
    return f"another caller: {short(who)}"
