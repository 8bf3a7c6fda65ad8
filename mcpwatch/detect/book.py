"""The alerts: findings gathered by what they are about, and what people said about them."""

import hashlib
from bisect import insort
from collections.abc import Iterable, Mapping

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.errors import McpwatchError
from mcpwatch.model.alerts import (
    Acknowledgement,
    Alert,
    AlertEvent,
    AlertState,
    EventKind,
    Finding,
    RuleInfo,
)
from mcpwatch.text import count

MAX_ALERTS = 10_000
MAX_NOTE = 2_000
"""Characters."""
ACKNOWLEDGED_FOR = 8 * 3600.0
"""Seconds."""

_FIRST, _NEWEST = 8, 24
_NAMED = 16
_MAX_CROWD = 10_000


class AcknowledgeError(McpwatchError):
    """The alert cannot be acknowledged or un-acknowledged like this."""


class StaleAcknowledgement(AcknowledgeError):
    """The alert has grown since its author was shown it."""


class AlertBook:
    """All alerts, each for one rule and one subject of one feed; none is ever removed.

    An acknowledged alert counts on in silence. It fires again when the acknowledgement runs out, or at a higher
    severity than was acknowledged. Subjects beyond `limit` go into one alert for each rule and feed.
    """

    def __init__(self, catalogue: Mapping[str, RuleInfo] = CATALOGUE, limit: int = MAX_ALERTS) -> None:
        self.alerts: dict[str, Alert] = {}
        """Alert id -> alert, oldest first."""
        self._catalogue = catalogue
        self._limit = limit
        self._acknowledged: set[str] = set()
        self._restored: dict[str, list[AlertEvent]] = {}
        self._crowds: dict[str, set[str]] = {}
        """Id of an alert that stands for many -> the ids those would have."""

    def add(self, finding: Finding, time: float) -> Alert:
        """Put a finding where it belongs; `time` is the entry's, seconds since the epoch."""
        id = fingerprint(finding.rule, finding.source, finding.subject)
        alert = self.alerts.get(id)
        if alert is None:
            if len(self.alerts) - len(self._crowds) >= self._limit:
                return self._add_to_crowd(id, finding, time)
            alert = self._open(id, finding, time)
        self._grow(alert, finding, time)
        return alert

    def acknowledge(self, id: str, author: str, note: str, last_index: int, now: float) -> Alert:
        """Let an alert rest for eight hours; `last_index` is the newest of its entries that the author was shown.

        Acknowledging again renews. Raises StaleAcknowledgement when the alert has newer entries, and
        AcknowledgeError when there is no such alert or the note is empty or too long.
        """
        alert, note = self._find(id), _checked(note)
        if last_index < alert.last_index:
            raise StaleAcknowledgement(
                f"The alert has grown: entry {alert.last_index} is newer than what you were shown",
                "Look at the new entries, then acknowledge again.",
            )
        event = AlertEvent(EventKind.ACKNOWLEDGED, author, note, now, last_index, alert.severity)
        alert.history.append(event)
        self._rest(alert, event)
        return alert

    def unacknowledge(self, id: str, author: str, note: str, now: float) -> Alert:
        """Let an acknowledged alert fire again.

        Raises AcknowledgeError when there is no such alert, when it is not acknowledged, or for the note.
        """
        alert, note = self._find(id), _checked(note)
        if alert.acknowledgement is None:
            raise AcknowledgeError("The alert is not acknowledged")
        self._fire(alert, EventKind.UNACKNOWLEDGED, author, note, now)
        return alert

    def restore(self, events: Iterable[tuple[str, AlertEvent]]) -> None:
        """Take in what was said before a restart: alert id and event, oldest first.

        Each alert takes its events up when it forms again, with entries that its authors were already shown.
        """
        restored: dict[str, list[AlertEvent]] = {}
        for id, event in events:
            restored.setdefault(id, []).append(event)
        self._restored.update(restored)
        for id in restored.keys() & self.alerts.keys():
            self._take_up(self.alerts[id])

    def hear(self, events: Iterable[tuple[str, AlertEvent]]) -> None:
        """Take in what was said in another program meanwhile: alert id and event, oldest first.

        It counts unless somebody has said something since, or the alert has risen above what was acknowledged.
        """
        for id, event in events:
            alert = self.alerts.get(id)
            if alert is None:
                self._restored.setdefault(id, []).append(event)
                continue
            said_since = any(said.author and said.time > event.time for said in alert.history)
            insort(alert.history, event, key=lambda said: said.time)
            if said_since:
                continue
            if event.kind is not EventKind.ACKNOWLEDGED:
                self._wake(alert)
            elif event.severity is None or alert.severity <= event.severity:
                self._rest(alert, event)

    def tick(self, now: float) -> list[Alert]:
        """The alerts whose acknowledgement has run out by `now`, seconds since the epoch; they fire again."""
        over = [
            alert
            for alert in (self.alerts[id] for id in self._acknowledged)
            if alert.acknowledgement and alert.acknowledgement.expires <= now
        ]
        for alert in over:
            self._fire(alert, EventKind.EXPIRED, "", "the acknowledgement ran out", now)
        return over

    def _open(self, id: str, finding: Finding, time: float) -> Alert:
        info = self._catalogue.get(finding.rule)
        alert = self.alerts[id] = Alert(
            id=id,
            rule=finding.rule,
            title=info.title if info else finding.rule,
            severity=finding.severity,
            subject=finding.subject,
            reason=finding.reason,
            count=0,
            first_index=min(finding.evidence, default=-1),
            last_index=-1,
            first_time=time,
            last_time=time,
            source=finding.source,
        )
        self._take_up(alert)
        return alert

    def _grow(self, alert: Alert, finding: Finding, time: float) -> None:
        alert.count += 1
        alert.reason = finding.reason
        alert.severity = max(alert.severity, finding.severity)
        alert.first_time = min(alert.first_time, time)
        alert.last_time = max(alert.last_time, time)
        for index in finding.evidence:
            alert.first_index = index if alert.first_index < 0 else min(alert.first_index, index)
            alert.last_index = max(alert.last_index, index)
            if index not in alert.evidence:
                insort(alert.evidence, index)
                if len(alert.evidence) > _FIRST + _NEWEST:
                    del alert.evidence[_FIRST]
        for names, name in ((alert.sessions, finding.session), (alert.calls, finding.call)):
            if name and name not in names and len(names) < _NAMED:
                names.append(name)
        rests = alert.acknowledgement
        if rests is not None and finding.severity > rests.severity:
            note = f"severity rose from {rests.severity.name.lower()} to {finding.severity.name.lower()}"
            self._fire(alert, EventKind.FIRED_AGAIN, "", note, time)

    def _add_to_crowd(self, member: str, finding: Finding, time: float) -> Alert:
        id = fingerprint(finding.rule, finding.source)
        crowd = self._crowds.setdefault(id, set())
        alert = self.alerts.get(id) or self._open(id, finding, time)
        self._grow(alert, finding, time)
        if member in crowd:
            return alert
        if len(crowd) < _MAX_CROWD:
            crowd.add(member)
            alert.subject = count(len(crowd), "further subject")
        else:
            alert.subject = f"more than {len(crowd):,} further subjects"
        rests = alert.acknowledgement
        if rests is not None and max(finding.evidence, default=-1) > rests.last_index:
            self._fire(alert, EventKind.FIRED_AGAIN, "", "it stands for one subject more", time)
        return alert

    def _take_up(self, alert: Alert) -> None:
        events = self._restored.pop(alert.id, [])
        said_since = bool(alert.history)
        alert.history[:0] = events
        if events and events[-1].kind is EventKind.ACKNOWLEDGED and not said_since:
            self._rest(alert, events[-1])

    def _rest(self, alert: Alert, event: AlertEvent) -> None:
        severity = alert.severity if event.severity is None else event.severity
        until = event.time + ACKNOWLEDGED_FOR
        alert.acknowledgement = Acknowledgement(event.author, event.note, event.time, event.last_index, severity, until)
        alert.state = AlertState.ACKNOWLEDGED
        self._acknowledged.add(alert.id)

    def _fire(self, alert: Alert, kind: EventKind, author: str, note: str, time: float) -> None:
        alert.history.append(AlertEvent(kind, author, note, time, alert.last_index, alert.severity))
        self._wake(alert)

    def _wake(self, alert: Alert) -> None:
        alert.acknowledgement = None
        alert.state = AlertState.FIRING
        self._acknowledged.discard(alert.id)

    def _find(self, id: str) -> Alert:
        alert = self.alerts.get(id)
        if alert is None:
            raise AcknowledgeError(f"There is no alert {id}")
        return alert


def fingerprint(*parts: str) -> str:
    """An alert's id: 12 hex digits of SHA-256 over rule, source and subject, joined by `|`."""
    return hashlib.sha256("|".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _checked(note: str) -> str:
    note = note.strip()
    if not note:
        raise AcknowledgeError("A note is needed", "Say in a few words why.")
    if len(note) > MAX_NOTE:
        raise AcknowledgeError(f"The note is too long: {len(note):,} characters", f"Keep it to {MAX_NOTE:,}.")
    return note
