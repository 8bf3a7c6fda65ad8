"""The traffic that fires each rule and the traffic that nearly does, by rule id."""

from collections import defaultdict
from collections.abc import Callable

from rule_scene import Scene

Play = Callable[[Scene], None]

FIRES: defaultdict[str, list[Play]] = defaultdict(list)
SPARES: defaultdict[str, list[Play]] = defaultdict(list)


def fires(rule: str) -> Callable[[Play], Play]:
    """What the function plays must fire the rule."""
    return _into(FIRES, (rule,))


def spares(*rules: str) -> Callable[[Play], Play]:
    """What the function plays comes near and must fire none of the rules."""
    return _into(SPARES, rules)


def _into(table: defaultdict[str, list[Play]], rules: tuple[str, ...]) -> Callable[[Play], Play]:
    def keep(play: Play) -> Play:
        for rule in rules:
            table[rule].append(play)
        return play

    return keep
