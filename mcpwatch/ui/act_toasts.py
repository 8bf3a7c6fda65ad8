"""Telling what others did to alerts: who, what and why, a few at a time."""

from mcpwatch.model.alerts import AlertEvent, EventKind, Silence
from mcpwatch.text import count
from mcpwatch.watch.state import State
from mcpwatch.watch.subjects import short_subject
from mcpwatch.watch.watcher import Watcher

EVERY = 2.0
"""At least this many seconds lie between two of them."""
FRESH = 60.0
"""Seconds after which an act is history and not told."""

DID: dict[EventKind, str] = {
    EventKind.ACKNOWLEDGED: "acknowledged",
    EventKind.UNACKNOWLEDGED: "reopened",
    EventKind.RESOLVED: "resolved",
    EventKind.SILENCED: "silenced",
}


class ActToasts:
    """Gathers what others did since the last look."""

    def __init__(self) -> None:
        self._known: dict[str, AlertEvent | None] = {}
        self._silences: frozenset[str] = frozenset()
        self._new: list[str] = []
        self._changes = -1
        self._last = float("-inf")

    def look(self, watcher: Watcher, now: float) -> str:
        """What is to be told now, as raw text; empty for nothing. `now` is monotonic, in seconds."""
        state = watcher.state
        if state.alert_changes != self._changes:
            self._changes = state.alert_changes
            self._gather(watcher, state)
        if not self._new or now - self._last < EVERY:
            return ""
        self._last = now
        new, self._new = self._new, []
        if len(new) == 1:
            return new[0]
        return f"{count(len(new), 'act')} of others: {new[-1]}"

    def _gather(self, watcher: Watcher, state: State) -> None:
        for id, alert in state.alerts.items():
            act = alert.last_act
            if act is None or self._known.get(id) == act:
                continue
            self._known[id] = act
            if act.key != watcher.key and state.now - act.time < FRESH:
                self._new.append(_said(f"{act.author} {DID[act.kind]} {alert.title}", act.note))
        silences = frozenset(silence.id for silence in watcher.silences)
        for silence in watcher.silences:
            is_new = silence.id not in self._silences
            if is_new and silence.key != watcher.key and state.now - silence.time < FRESH:
                self._new.append(_said(f"{silence.author} silenced {_covered(silence, state)}", silence.reason))
        self._silences = silences


def _covered(silence: Silence, state: State) -> str:
    """What a silence covers as lists show it; its globs where it covers nothing yet."""
    alerts = [each for each in state.alerts.values() if each.silence is not None and each.silence.id == silence.id]
    if not alerts:
        return f"{silence.rule} about {silence.subject}"
    first = f"{alerts[0].title}: {short_subject(alerts[0], state)}"
    return first if len(alerts) == 1 else f"{count(len(alerts), 'alert')} such as {first}"


def _said(did: str, why: str) -> str:
    return f"{did}: {why}" if why else did
