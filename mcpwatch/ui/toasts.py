"""Telling about new serious alerts without drowning the screen."""

from collections import Counter
from typing import NamedTuple

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.watch.state import State

_SUBJECT = 60
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
        self._known: set[str] = set()
        self._new: list[Alert] = []
        self._last = float("-inf")
        self._version = -1

    def notice(self, state: State, now: float) -> Notice | None:
        """What is to be told now, if anything; `now` is monotonic, in seconds."""
        if state.version != self._version:
            self._version = state.version
            self._gather(state)
        if not self._new or now - self._last < EVERY:
            return None
        self._last = now
        new = [alert for alert in self._new if alert.state is AlertState.FIRING]
        self._new = []
        return _worded(new) if new else None

    def _gather(self, state: State) -> None:
        for id, alert in state.alerts.items():
            serious = alert.severity >= Severity.HIGH and alert.state is AlertState.FIRING
            if serious and id not in self._known:
                self._known.add(id)
                self._new.append(alert)
            elif not serious:
                self._known.discard(id)


def _worded(alerts: list[Alert]) -> Notice:
    worst = max(alerts, key=lambda alert: alert.severity)
    critical = worst.severity is Severity.CRITICAL
    if len(alerts) == 1:
        about = f"{worst.title}: {worst.subject[:_SUBJECT]}"
        return Notice(f"New {worst.severity.name.lower()} alert", about, critical)
    counts = Counter(alert.severity for alert in alerts)
    said = ", ".join(f"{counts[severity]} {severity.name.lower()}" for severity in sorted(counts, reverse=True))
    return Notice(f"{len(alerts)} new alerts", f"{said}; worst: {worst.title}", critical)
