"""Alerts to be told of, and somebody to be told who needs no network."""

import asyncio
import json

from mcpwatch.model.alerts import Alert, Severity
from mcpwatch.model.entries import Json
from mcpwatch.notify.channel import Undelivered
from mcpwatch.notify.outbox import Outbox


def alert(name: str, severity: Severity = Severity.HIGH, **more: object) -> Alert:
    """An alert that fires."""
    made = Alert(name, "identity/wrong-key", "Wrong key", severity, f"subject {name}", "why", 1, 7, 7, 0.0, 0.0)
    for field, value in more.items():
        setattr(made, field, value)
    return made


def flood(count: int) -> list[Alert]:
    """So many alerts, every hundredth of them critical."""
    return [alert(f"{at:04}", Severity.HIGH if at % 100 else Severity.CRITICAL) for at in range(count)]


class FakeTime:
    """A clock that only `sleep` moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


class Somebody:
    """A channel that keeps what it is sent, and fails as often as `failures` say."""

    name = "somebody"

    def __init__(self, time: FakeTime, *failures: Undelivered | Exception) -> None:
        self.told: list[tuple[float, dict[str, Json]]] = []
        """When, and what."""
        self.tries: list[float] = []
        self.closed = False
        self._time = time
        self._failures = list(failures)

    async def send(self, message: bytes) -> None:
        self.tries.append(self._time.now)
        if self._failures:
            raise self._failures.pop(0)
        self.told.append((self._time.now, json.loads(message)))

    async def close(self) -> None:
        self.closed = True


class Post:
    """An outbox with a channel, a clock, and what it said of failures."""

    def __init__(self, *failures: Undelivered | Exception, per_minute: int = 10) -> None:
        self.time = FakeTime()
        self.somebody = Somebody(self.time, *failures)
        self.said: list[str] = []
        self.outbox = Outbox(
            self.somebody,
            per_minute,
            lambda name, why: self.said.append(f"{name}: {why}"),
            clock=self.time.clock,
            sleep=self.time.sleep,
            random=lambda: 1.0,
        )

    async def sent(self) -> list[tuple[float, dict[str, Json]]]:
        """All that is told once nothing is left."""
        running = asyncio.create_task(self.outbox.run())
        try:
            async with asyncio.timeout(30):
                while not self.outbox.is_idle and not running.done():
                    await asyncio.sleep(0)
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        return self.somebody.told
