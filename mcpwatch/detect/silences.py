"""Silences: which alerts somebody wants to hear nothing of, and until when."""

import re
from collections import OrderedDict
from collections.abc import Callable
from fnmatch import translate
from functools import lru_cache

from mcpwatch.bounded import keep
from mcpwatch.model.alerts import Act, Alert, AlertEvent, Silence

MAX_SILENCES = 1_000
_MAX_LAST = 20_000
"""Silences, ended ones too, of which the newest act is known."""
_MAX_GLOBS = 4_096
"""Compiled."""
NEVER_SILENT = "feed/"
"""The family that no silence covers."""
WHY_NEVER = "It says that what you see may not be all that happened; nothing else could tell you."


class Silences:
    """The silences in force, by id, each with the act that it began with."""

    def __init__(self) -> None:
        self.all: dict[str, Silence] = {}
        self._acts: dict[str, AlertEvent] = {}
        self._last: OrderedDict[str, AlertEvent] = OrderedDict()

    def last(self, id: str) -> AlertEvent | None:
        """The newest act on a silence, whether it is in force or not."""
        return self._last.get(id)

    def acted(self, id: str, event: AlertEvent) -> None:
        """Take note of the newest act on a silence."""
        keep(self._last, id, event, _MAX_LAST)

    def begin(self, act: Act) -> bool:
        """Put a silence in force, or another end to one that is; False when there are too many."""
        silence = act.silence
        if silence is None or not self.takes(silence.id):
            return False
        self.all[silence.id] = silence
        self._acts[silence.id] = act.event
        return True

    def takes(self, id: str) -> bool:
        """Whether this silence can be put in force: it is, or there is room."""
        return id in self.all or len(self.all) < MAX_SILENCES

    def end(self, id: str) -> Silence | None:
        """Take a silence out of force; None when it was in none."""
        self._acts.pop(id, None)
        return self.all.pop(id, None)

    def act(self, id: str) -> AlertEvent | None:
        """The act that a silence began with."""
        return self._acts.get(id)

    def over(self, now: float) -> list[Silence]:
        """Those that have run out by `now`."""
        return [silence for silence in self.all.values() if silence.until <= now]

    def covering(self, alert: Alert, origin: str) -> Silence | None:
        """Of those that cover an alert of the log `origin`, the one that ends last."""
        found = [silence for silence in self.all.values() if covers(silence, alert.rule, alert.subject, origin)]
        return max(found, key=lambda silence: silence.until, default=None)


def covers(silence: Silence, rule: str, subject: str, origin: str) -> bool:
    """Whether a silence is about an alert of this rule, subject and log."""
    return (
        silence.origin == origin
        and not rule.startswith(NEVER_SILENT)
        and _matcher(silence.rule)(rule) is not None
        and _matcher(silence.subject)(subject) is not None
    )


@lru_cache(maxsize=_MAX_GLOBS)
def _matcher(glob: str) -> Callable[[str], re.Match[str] | None]:
    return re.compile(translate(glob)).match
