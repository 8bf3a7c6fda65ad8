"""Telling about new serious alerts without drowning the screen, each time in one line."""

from collections import Counter
from typing import NamedTuple

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.text import show, width
from mcpwatch.watch.before import Before
from mcpwatch.watch.began import Began
from mcpwatch.watch.names import short_id
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import short_subject

CELLS = 58
"""Width of a toast's line, less the room for an ellipsis."""
_LEADING = frozenset({"at", "by", "for", "from", "in", "of", "on", "the", "to", "with", "session"})
"""Words that tell nothing without the next."""
_LOOK = 0.5
"""Seconds between two looks at all alerts, of which there may be thousands."""
EVERY = 5.0
"""At least this many seconds lie between two toasts."""


class Notice(NamedTuple):
    """What to tell; the text is raw."""

    text: str
    is_new: bool
    """Whether it began while somebody was watching."""


class Toasts:
    """Gathers alerts of high and critical severity that began to fire.

    With a past, what the log of a feed held when it was first joined is told as one number and not as new.
    """

    def __init__(self, *, has_past: bool = True) -> None:
        self._began = Began(Severity.HIGH)
        self._before = Before() if has_past else None
        self._past: dict[str, Alert] = {}
        self._has_read = False
        """Whether the past of a feed ended that is not told yet."""
        self._new: dict[str, Alert] = {}
        self._last = float("-inf")
        self._looked = float("-inf")

    def notice(self, state: State, now: float, key: str = "") -> Notice | None:
        """What is to be told now, if anything; `now` is monotonic, in seconds, and `key` leads to the alerts."""
        ended = self._before is not None and self._before.look(state, now)
        if self._began.has_news(state) and now - self._looked >= _LOOK:
            self._looked = now
            self._sort(self._began.look(state))
        self._has_read = bool(self._past) and (self._has_read or ended)
        if now - self._last < EVERY or not (self._new or self._has_read):
            return None
        self._last = now
        if self._has_read:
            past, self._past, self._has_read = _firing(self._past), {}, False
            if past:
                return _counted(state, key)
        new = _firing(self._new)
        self._new.clear()
        return _worded(new, state) if new else None

    def _sort(self, began: list[Alert]) -> None:
        for alert in began:
            known = self._past if self._before is not None and self._before.has(alert) else self._new
            known[alert.id] = alert


def _firing(alerts: dict[str, Alert]) -> list[Alert]:
    return [alert for alert in alerts.values() if alert.state is AlertState.FIRING]


def _counted(state: State, key: str) -> Notice:
    """All that is open, as the bars count it."""
    opened = state.open_alerts()
    worst, total = max(opened), opened.total()
    name, press = worst.name.lower(), f"; press {key}" if key else ""
    said = f"1 {name} alert is open" if total == 1 else f"{total:,} alerts are open, {opened[worst]:,} {name}"
    return Notice(f"{said}{press}", is_new=False)


def _worded(alerts: list[Alert], state: State) -> Notice:
    worst = max(alerts, key=lambda alert: alert.severity)
    if len(alerts) == 1:
        subject = short_subject(worst, state)
        return Notice(_shorten(f"New {worst.severity.name.lower()} alert: {worst.title}: {subject}"), is_new=True)
    counts = Counter(alert.severity for alert in alerts)
    said = ", ".join(f"{counts[severity]:,} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    return Notice(_shorten(f"New alerts: {said}, such as {worst.title}"), is_new=True)


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
