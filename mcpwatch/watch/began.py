"""Which alerts begin to fire, from one look at the state to the next."""

from mcpwatch.model.alerts import Alert, AlertState, Severity
from mcpwatch.watch.state import State


class Began:
    """Alerts from `severity` on that fire and did not, or fire at a higher severity than they did."""

    def __init__(self, severity: Severity) -> None:
        self._severity = severity
        self._known: dict[str, Severity] = {}
        self._version = -1

    def has_news(self, state: State) -> bool:
        """Whether anything changed since the last look."""
        return state.version != self._version

    def look(self, state: State) -> list[Alert]:
        """Those since the last look, oldest first."""
        if not self.has_news(state):
            return []
        self._version = state.version
        began: list[Alert] = []
        for id, alert in state.alerts.items():
            severity, known = alert.severity, self._known.get(id)
            if severity < self._severity or alert.state is not AlertState.FIRING:
                if known is not None:
                    del self._known[id]
            elif known is None or severity > known:
                self._known[id] = severity
                began.append(alert)
        return began
