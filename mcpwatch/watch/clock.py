"""What time it is at a gateway, seen from here."""


class GatewayClock:
    """The newest time a gateway stated, carried on by the watcher's own clock.

    A log that is read from its past keeps its own present: a call that began in it does not run for a week
    because the log is a week old, until a checkpoint says that it is.
    """

    def __init__(self) -> None:
        self._stated = float("-inf")
        self._received = 0.0

    def note(self, stated: float, received: float) -> None:
        """The gateway said `stated` when the watcher's clock said `received`."""
        passed = received - self._received
        if stated >= (self._stated + passed if passed > 0 else self._stated):
            self._stated, self._received = stated, received

    def at(self, now: float) -> float:
        """The gateway's time when the watcher's clock says `now`; `-inf` before anything was stated."""
        passed = now - self._received
        return self._stated + passed if passed > 0.0 else self._stated
