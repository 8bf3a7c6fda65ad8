"""Which entries an alert still rests on, for the rules that say nothing of an entry but its verdict."""

from collections.abc import Iterable

from mcpwatch.detect.rule import Rule
from mcpwatch.detect.rules import RULES
from mcpwatch.model.alerts import Finding

MAX_ENTRIES = 4_096
"""Of one alert; with more it does not resolve by itself any more."""


class Outstanding:
    """The entries of each alert that may yet be judged again and turn out well."""

    def __init__(self, rules: Iterable[type[Rule]] = RULES) -> None:
        self._settling = frozenset(rule.info.id for rule in rules if rule.settles)
        self._entries: dict[str, set[int]] = {}

    def add(self, alert: str, finding: Finding) -> bool:
        """Take in an entry that shows the alert, the newest of the finding's evidence; whether it did not before."""
        if finding.rule not in self._settling:
            return False
        entries, index = self._entries.setdefault(alert, set()), finding.newest
        if index in entries or len(entries) > MAX_ENTRIES:
            return False
        entries.add(index)
        return True

    def settle(self, alert: str, index: int) -> bool:
        """Take an entry away that shows it no more; whether it was the last one."""
        entries = self._entries.get(alert)
        if entries is None or index not in entries or len(entries) > MAX_ENTRIES:
            return False
        entries.discard(index)
        return not entries
