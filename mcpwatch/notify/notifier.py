"""Looks for alerts that begin to fire, and hands them to each channel."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from mcpwatch.notify.channel import Channel
from mcpwatch.notify.command import CommandChannel
from mcpwatch.notify.options import NotifyOptions
from mcpwatch.notify.outbox import Outbox, Tell
from mcpwatch.watch.began import Began
from mcpwatch.watch.catchup import is_caught_up
from mcpwatch.watch.state import State

LOOK_S = 0.5
GRACE_S = 5.0
"""What channels that work have at the end to be told what they were not."""


class Notifier:
    """Tells of alerts from a severity on; what was open before the watcher began is told as one message."""

    def __init__(self, state: State, options: NotifyOptions, outboxes: Sequence[Outbox]) -> None:
        self._state = state
        self._began = Began(options.severity)
        self._outboxes = outboxes
        self._is_first = True

    def look(self) -> None:
        """Hand on what began to fire; nothing while the past of a feed is still being read."""
        feeds = self._state.feeds.values()
        if self._is_first and not (feeds and all(map(is_caught_up, feeds))):
            return
        began = self._began.look(self._state)
        for outbox in self._outboxes:
            outbox.put_together(began) if self._is_first else outbox.put(began)
        self._is_first = False

    async def run(self) -> None:
        """Look and send for ever."""
        async with asyncio.TaskGroup() as group:
            for outbox in self._outboxes:
                group.create_task(outbox.run())
            while True:
                self.look()
                await asyncio.sleep(LOOK_S)

    async def finish(self) -> None:
        """Have told what there is to tell, as far as `GRACE_S` is enough for it."""
        self.look()
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                await asyncio.gather(*(outbox.emptied() for outbox in self._outboxes))
        for outbox in self._outboxes:
            outbox.give_up()


def channels(options: NotifyOptions) -> list[Channel]:
    """The channels that the operator wants."""
    wanted: list[Channel] = []
    if options.command:
        wanted.append(CommandChannel(options.command))
    if options.webhook:
        from mcpwatch.notify.webhook import WebhookChannel

        wanted.append(WebhookChannel(options.webhook, options.token))
    return wanted


@asynccontextmanager
async def notify(
    state: State, options: NotifyOptions, tell: Tell, clock: Callable[[], float] = time.monotonic
) -> AsyncIterator[None]:
    """Notify for as long as the block runs, and of what is left when it ends well."""
    outboxes = [Outbox(channel, options.per_minute, tell, clock=clock) for channel in channels(options)]
    if not outboxes:
        yield
        return
    notifier = Notifier(state, options, outboxes)
    running = asyncio.create_task(notifier.run(), name="notifier")
    try:
        yield
        await notifier.finish()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
