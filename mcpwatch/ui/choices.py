"""What may follow a command on the `:` line, by the name that the command gives its argument."""

from collections.abc import Callable, Iterable, Mapping

from mcpwatch.ui.places import Places
from mcpwatch.watch.names import short_session
from mcpwatch.watch.seeking import MAX
from mcpwatch.watch.times import clock_time
from mcpwatch.watch.transport import SPEEDS, Stop

_STEPS = ("-30s", "+30s", "-5m", "+5m")


def _themes(app: Places) -> Iterable[str]:
    return sorted(app.available_themes)


def _sessions(app: Places) -> Iterable[str]:
    sessions = app.watcher.state.sessions.values()
    return [*map(short_session, sessions), *(session.key for session in sessions)]


def _speeds(app: Places) -> Iterable[str]:
    return [*(f"{speed:g}" for speed in SPEEDS[:-1]), MAX]


def _places(app: Places) -> Iterable[str]:
    """The next alert, steps of time, and the ends of what is held."""
    rows = app.watcher.state.rows
    ends = (rows.get(rows.first), rows.get(rows.end - 1))
    return [Stop.ALERT.value, *_STEPS, *dict.fromkeys(clock_time(row.time)[:8] for row in ends if row is not None)]


CHOICES: Mapping[str, Callable[[Places], Iterable[str]]] = {
    "NAME": _themes,
    "KEY": _sessions,
    "SPEED": _speeds,
    "PLACE": _places,
}
"""The argument of a command -> the values that make sense for it."""
