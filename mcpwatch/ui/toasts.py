"""Telling about new serious alerts without drowning the screen."""

from collections import Counter
from typing import NamedTuple

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.text import show, width
from mcpwatch.watch.began import Began
from mcpwatch.watch.names import short_id
from mcpwatch.watch.state import State

CELLS = 42
"""Width of a toast's line, less the room for an ellipsis."""
_LEADING = frozenset({"at", "by", "for", "from", "in", "of", "on", "the", "to", "with", "session"})
"""Words that tell nothing without the next."""
_LOOK = 0.5
"""Seconds between two looks at all alerts, of which there may be thousands."""
EVERY = 5.0
"""At least this many seconds lie between two toasts."""


class Notice(NamedTuple):
    """What to tell; both texts are raw."""

    heading: str
    text: str
    critical: bool


class Toasts:
    """Gathers alerts of high and critical severity that began to fire."""

    def __init__(self) -> None:
        self._began = Began(Severity.HIGH)
        self._new: dict[str, Alert] = {}
        self._last = float("-inf")
        self._looked = float("-inf")

    def notice(self, state: State, now: float) -> Notice | None:
        """What is to be told now, if anything; `now` is monotonic, in seconds."""
        if self._began.has_news(state) and now - self._looked >= _LOOK:
            self._looked = now
            self._new.update((alert.id, alert) for alert in self._began.look(state))
        if not self._new or now - self._last < EVERY:
            return None
        self._last = now
        new = [alert for alert in self._new.values() if alert.state is AlertState.FIRING]
        self._new.clear()
        return _worded(new) if new else None


def _worded(alerts: list[Alert]) -> Notice:
    worst = max(alerts, key=lambda alert: alert.severity)
    critical = worst.severity is Severity.CRITICAL
    if len(alerts) == 1:
        about = _shorten(f"{worst.title}: {worst.subject}")
        return Notice(f"New {worst.severity.name.lower()} alert", about, critical)
    counts = Counter(alert.severity for alert in alerts)
    said = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    return Notice(_shorten(f"New alerts: {said}"), _shorten(f"Worst: {worst.title}"), critical)


def _shorten(text: str) -> str:
    """The text's first words, as far as they fill one line; long names lose their middle, none its end."""
    words: list[str] = []
    for word in map(short_id, text.split()):
        if width(show(" ".join([*words, word]))) > CELLS:
            while words and words[-1].strip(":,").lower() in _LEADING:
                words.pop()
            return f"{' '.join(words).rstrip(':,')} …"
        words.append(word)
    return " ".join(words)
