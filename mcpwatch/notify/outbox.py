"""What one channel still has to be told of."""

import asyncio
import random as random_module
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable

from mcpwatch.feed.backoff import Backoff
from mcpwatch.model.alerts import Alert, AlertState
from mcpwatch.notify.channel import Channel, Undelivered
from mcpwatch.notify.message import Message, compose, octets
from mcpwatch.notify.pace import Pace

Tell = Callable[[str, str], None]
"""Hears a channel's name and why it fails; empty where it works again."""


class Outbox:
    """Alerts wait here until their channel may and can be told.

    One message an alert, worst first, as long as the pace allows; the last that it allows sums up all that wait. What
    was acknowledged meanwhile is not told. A message that cannot be delivered is sent again after a while, one that is
    refused is not. `clock` is monotonic.
    """

    def __init__(
        self,
        channel: Channel,
        per_minute: int,
        tell: Tell,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self.channel = channel
        self._pace = Pace(per_minute)
        self._tell = tell
        self._clock = clock
        self._sleep = sleep
        self._backoff = Backoff(random)
        self._whole: deque[list[Alert]] = deque()
        self._waiting: dict[str, Alert] = {}
        self._news = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing = False

    @property
    def is_idle(self) -> bool:
        """Whether all is told."""
        return self._idle.is_set()

    def put(self, alerts: Iterable[Alert]) -> None:
        """Tell of these, of each as soon as the pace allows."""
        self._waiting.update((alert.id, alert) for alert in alerts)
        self._wake(bool(self._waiting))

    def put_together(self, alerts: list[Alert]) -> None:
        """Tell of these in one message, as open."""
        self._whole.append(alerts)
        self._wake(bool(alerts))

    async def run(self) -> None:
        """Send for ever."""
        try:
            while True:
                await self._news.wait()
                await self._sleep(self._pace.wait(self._clock()))
                message = self._next()
                if message is not None:
                    self._pace.take(self._clock())
                    await self._deliver(octets(message))
                if not self._waiting and not self._whole:
                    self._news.clear()
                    self._idle.set()
        except Exception as error:
            # What nobody foresaw ends this channel alone, and is said.
            self._failed(f"an error of mcpwatch's own: {type(error).__name__}")
        finally:
            await self.channel.close()

    async def emptied(self) -> None:
        """Return when all is told, or at once where the channel fails."""
        if not self._failing:
            await self._idle.wait()

    def give_up(self) -> None:
        """Say that not all was told, where that is so."""
        if not self.is_idle:
            self._tell(self.channel.name, "it was not told of everything before the end")

    def _wake(self, is_news: bool) -> None:
        if is_news:
            self._idle.clear()
            self._news.set()

    def _next(self) -> Message | None:
        if self._whole:
            together = _worst_first(self._whole.popleft())
            return compose("open", together) if together else None
        waiting = _worst_first(self._waiting.values())
        if self._pace.free(self._clock()) > 1:
            waiting, left = waiting[:1], waiting[1:]
        else:
            left = []
        self._waiting = {alert.id: alert for alert in left}
        return compose("fired", waiting) if waiting else None

    async def _deliver(self, message: bytes) -> None:
        while True:
            try:
                await self.channel.send(message)
            except Undelivered as failure:
                self._failed(str(failure))
                if failure.again_s is None:
                    return
                await self._sleep(self._backoff.next(failure.again_s))
            else:
                self._worked()
                return

    def _failed(self, reason: str) -> None:
        if not self._failing:
            self._failing = True
            self._tell(self.channel.name, reason)

    def _worked(self) -> None:
        self._backoff.reset()
        if self._failing:
            self._failing = False
            self._tell(self.channel.name, "")


def _worst_first(alerts: Iterable[Alert]) -> list[Alert]:
    """Those of the alerts that still fire."""
    firing = (alert for alert in alerts if alert.state is AlertState.FIRING)
    return sorted(firing, key=lambda alert: (-alert.severity, alert.last_time))
