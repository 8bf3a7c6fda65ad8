"""The path of an alert: the calls that led to the one it is about, over all sessions, and what each did."""

from collections.abc import Iterator
from typing import NamedTuple

from mcpwatch.model.alerts import Alert, Severity
from mcpwatch.model.tools import ToolClass
from mcpwatch.model.traffic import Call, Edge
from mcpwatch.watch.edges import firm
from mcpwatch.watch.state import State

RULES = frozenset({"chain/across-backends", "chain/command-execution", "chain/exfiltration", "chain/lethal-trifecta"})
"""Rules whose evidence is a path; what others show again and again may be tied too, and leads nowhere."""
_MAX_STEPS = 64
"""Calls looked at behind one."""
_PRIVATE = "private read"
_DOES = {
    ToolClass.FETCH: "untrusted read",
    ToolClass.SECRETS: _PRIVATE,
    ToolClass.FILE: _PRIVATE,
    ToolClass.SQL: _PRIVATE,
    ToolClass.PEOPLE: _PRIVATE,
    ToolClass.EXEC: "run",
    ToolClass.SEND: "send",
    ToolClass.TEMPLATE: "render",
    ToolClass.XML: "parse",
    ToolClass.WRITE: "write",
}
"""What a call of each class does on a path; of several, the first counts."""
_ENDS = {ToolClass.SEND: "send", ToolClass.EXEC: "run", ToolClass.FETCH: "fetch"}
_LAST_DOES = {**_ENDS, **{kind: word for kind, word in _DOES.items() if kind not in _ENDS}}
"""What the last call of a path does: a way out counts first."""


class Step(NamedTuple):
    """A call on a path."""

    call: Call
    does: str
    """Untrusted read, private read, send and the like, by what its tool reaches; empty where that is not known."""
    edge: Edge | None
    """What ties it most firmly to a step before; None for the first, and where calls between them do."""


class Place(NamedTuple):
    """Where a call stands on the path of an alert."""

    alert: Alert
    number: int
    """From 1."""
    steps: int


def path(alert: Alert, state: State) -> list[Step]:
    """The calls among an alert's evidence that led to the newest it is about, and that one; none where nothing led.

    What it is about itself is no step on the way to another.
    """
    if alert.rule not in RULES or len(alert.evidence) < 2:
        return []
    rows = state.rows_of_alert(alert)
    named = [call for id in alert.calls if (call := state.calls.get(id)) is not None]
    newest = [call for row in rows[-1:] if (call := row.call) is not None]
    end = max((*named, *newest), key=lambda call: call.index, default=None)
    if end is None:
        return []
    shown = {call.id for row in rows for call in (*row.seen.opened, row.call) if call is not None}
    shown -= set(alert.calls)
    led = sorted((call for call in _behind(end, state) if call.id in shown), key=lambda call: call.index)
    calls = [*led, end] if led else []
    known = {call.id: call for call in calls}
    return [Step(call, does(call, is_last=call is end), next(iter(firm(call, known)), None)) for call in calls]


def does(call: Call, *, is_last: bool = False) -> str:
    """What a call does on a path."""
    words = _LAST_DOES if is_last else _DOES
    return next((word for kind, word in words.items() if kind in call.classes), "")


class Paths:
    """The paths of alerts, each followed once until the state changes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._version = -1
        self._paths: dict[str, list[Step]] = {}

    def of(self, alert: Alert) -> list[Step]:
        """The path of an alert."""
        if self._state.version != self._version:
            self._version = self._state.version
            self._paths = {}
        if alert.id not in self._paths:
            self._paths[alert.id] = path(alert, self._state)
        return self._paths[alert.id]

    def places(self, call: Call) -> list[Place]:
        """Where a call stands on the paths of alerts: the worst first, of those the longest."""
        found = []
        for alert in alerts_of(call, self._state):
            calls = [step.call.id for step in self.of(alert)]
            if call.id in calls:
                found.append(Place(alert, calls.index(call.id) + 1, len(calls)))
        return sorted(found, key=lambda place: (-place.alert.severity, -place.steps))


def alerts_of(call: Call, state: State) -> Iterator[Alert]:
    """The alerts that its request or its newest entry is evidence for."""
    ids = (id for index in {call.index, call.last_index} if (row := state.row(index, call.source)) for id in row.alerts)
    return (alert for id in dict.fromkeys(ids) if (alert := state.alerts.get(id)) is not None)


def severity_of(call: Call, state: State) -> Severity | None:
    """The highest of the alerts that were raised at its request or at its newest entry."""
    rows = (state.row(index, call.source) for index in {call.index, call.last_index})
    return max((row.severity for row in rows if row is not None and row.severity is not None), default=None)


def _behind(call: Call, state: State) -> list[Call]:
    """The calls that are known to have led to it, near ones first."""
    found = {call.id}
    behind = [call]
    for each in behind:
        for edge in firm(each, state.calls):
            if edge.parent not in found and len(found) <= _MAX_STEPS:
                found.add(edge.parent)
                behind.append(state.calls[edge.parent])
    return behind[1:]
