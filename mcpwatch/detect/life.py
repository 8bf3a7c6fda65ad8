"""The states of an alert, and what leads from one to the next."""

from bisect import insort
from collections.abc import Sequence

from msgspec.structs import replace

from mcpwatch.detect.order import is_before, is_same
from mcpwatch.model.alerts import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertState,
    EventKind,
    Severity,
)

ACKNOWLEDGED_FOR = 8 * 3600.0
"""Seconds."""
MAX_HISTORY = 1_000


class Life:
    """Which alerts are acknowledged and resolved; keeps each one's state and history."""

    def __init__(self) -> None:
        self._acknowledged: dict[str, Alert] = {}
        self._resolved: dict[str, int] = {}
        """Alert id -> the newest entry that whoever resolved it knew of; -1 where it resolved by itself."""

    def act(self, alert: Alert, event: AlertEvent, late: Sequence[str]) -> None:
        """Let a person's act count; `late` are the kinds of evidence that came after what they had been shown.

        It stands in the history alone when somebody acted since, or when it has a fault.
        """
        last = alert.last_act
        if not self.note(alert, event) or event.fault or (last is not None and is_before(event, last)):
            return
        alert.last_act = event
        match event.kind:
            case EventKind.ACKNOWLEDGED:
                self._rest(alert, event)
                if event.severity is not None and alert.severity > event.severity:
                    self.fire(alert, EventKind.FIRED_AGAIN, risen(event.severity, alert.severity), event.time)
                elif late:
                    self.fire(alert, EventKind.FIRED_AGAIN, "; ".join(late), event.time)
            case EventKind.RESOLVED:
                self.resolve(alert, event.last_index)
                if alert.last_index > event.last_index:
                    note = f"entry {alert.last_index} is newer than what its author had been shown"
                    self.fire(alert, EventKind.FIRED_AGAIN, note, event.time)
            case _:
                self._wake(alert)

    def found(self, alert: Alert, severity: Severity, newest: int | None, new: Sequence[str], time: float) -> None:
        """Let it fire again where a finding is more than what was acknowledged or resolved.

        `newest` is the newest entry that shows it, None where it is news in any case; `new` are its new kinds.
        """
        rests, seen = alert.acknowledgement, self._resolved.get(alert.id)
        if seen is not None and (newest is None or newest > seen):
            self.fire(alert, EventKind.FIRED_AGAIN, "it was found again", time)
        elif rests is not None and severity > rests.severity:
            self.fire(alert, EventKind.FIRED_AGAIN, risen(rests.severity, severity), time)
        elif rests is not None and new and (newest is None or newest > rests.last_index):
            self.fire(alert, EventKind.FIRED_AGAIN, "; ".join(new), time)

    def resolve(self, alert: Alert, known: int) -> None:
        """The cause is gone, and any entry after `known` that shows it is news; the event is in the history already."""
        self._wake(alert)
        self._resolved[alert.id] = known
        self.settle(alert)

    def fire(self, alert: Alert, kind: EventKind, note: str, time: float) -> None:
        """Let it fire again, because traffic or time say so."""
        self.write(alert, AlertEvent(kind, "", note, time, alert.last_index, alert.severity))
        self._wake(alert)

    def expire(self, now: float) -> list[Alert]:
        """The alerts whose acknowledgement has run out by `now`; they fire again."""
        over: list[Alert] = []
        for alert in list(self._acknowledged.values()):
            rest = alert.acknowledgement
            if rest is not None and rest.expires <= now:
                self.fire(alert, EventKind.EXPIRED, "the acknowledgement ran out", rest.expires)
                over.append(alert)
            elif rest is not None and rest.expires > now + ACKNOWLEDGED_FOR:
                # Its author's clock is ahead; nothing rests for longer than it may by the clock here.
                alert.acknowledgement = replace(rest, expires=now + ACKNOWLEDGED_FOR)
        return over

    def note(self, alert: Alert, event: AlertEvent) -> bool:
        """Put an act into the history; False where it is there already."""
        if any(is_same(event, known) for known in alert.history):
            return False
        self.write(alert, event)
        return True

    def write(self, alert: Alert, event: AlertEvent) -> None:
        """Put an event into the history, where it belongs in time."""
        insort(alert.history, event, key=lambda known: known.time)
        if len(alert.history) > MAX_HISTORY:
            # Whose acts do not count cannot push out those that do.
            del alert.history[next((at for at, known in enumerate(alert.history) if known.fault), 0)]

    def settle(self, alert: Alert) -> None:
        """Give it the state that follows from what is in force: what is resolved is not silenced, and so on down."""
        if alert.id in self._resolved:
            alert.state = AlertState.RESOLVED
        elif alert.silence is not None:
            alert.state = AlertState.SILENCED
        else:
            alert.state = AlertState.FIRING if alert.acknowledgement is None else AlertState.ACKNOWLEDGED

    def _rest(self, alert: Alert, event: AlertEvent) -> None:
        severity = alert.severity if event.severity is None else event.severity
        until = event.time + ACKNOWLEDGED_FOR
        self._wake(alert)
        alert.acknowledgement = Acknowledgement(event.author, event.note, event.time, event.last_index, severity, until)
        self._acknowledged[alert.id] = alert
        self.settle(alert)

    def _wake(self, alert: Alert) -> None:
        alert.acknowledgement = None
        self._acknowledged.pop(alert.id, None)
        self._resolved.pop(alert.id, None)
        self.settle(alert)


def risen(before: Severity, after: Severity) -> str:
    """That the severity rose, in words."""
    return f"severity rose from {before.name.lower()} to {after.name.lower()}"
