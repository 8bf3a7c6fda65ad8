"""Silences: which alerts somebody wants to hear nothing of, and until when."""

from fnmatch import fnmatchcase

from mcpwatch.model.alerts import Act, Alert, AlertEvent, Silence

MAX_SILENCES = 1_000
NEVER_SILENT = "feed/"
"""The family that no silence covers."""
WHY_NEVER = "It says that what you see may not be all that happened; nothing else could tell you."


class Silences:
    """The silences in force, by id, each with the act that it began with."""

    def __init__(self) -> None:
        self.all: dict[str, Silence] = {}
        self._acts: dict[str, AlertEvent] = {}

    def begin(self, act: Act) -> bool:
        """Put a silence in force, or another end to one that is; False when there are too many."""
        silence = act.silence
        if silence is None or (silence.id not in self.all and len(self.all) >= MAX_SILENCES):
            return False
        self.all[silence.id] = silence
        self._acts[silence.id] = act.event
        return True

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
        and fnmatchcase(rule, silence.rule)
        and fnmatchcase(subject, silence.subject)
    )
