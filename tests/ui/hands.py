"""A person at the dashboard: presses keys, reads the screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from scene import Scene
from textual import events
from textual.pilot import Pilot

from mcpwatch.ui.app import WatchApp

_NAMES = {" ": "space", "/": "slash", ":": "colon", "?": "question_mark", "=": "equals_sign", ">": "greater_than_sign"}


class Hands:
    """Keys go in, text comes out; between two keys a second passes on the monotonic clock."""

    def __init__(self, scene: Scene, app: WatchApp, pilot: Pilot[None]) -> None:
        self.scene = scene
        self.app = app
        self.pilot = pilot

    async def press(self, *keys: str) -> str:
        """Press keys by name, then read the screen."""
        for key in keys:
            self.scene.monotonic += 1
            await self.pilot.press(key)
        return await self.read()

    async def type(self, text: str) -> str:
        """Type text in one go, then read the screen."""
        return await self.send(*text)

    async def send(self, *keys: str) -> str:
        """Press keys, by name or character, faster than any of them is answered, then read the screen."""
        self.scene.monotonic += 1
        for key in keys:
            self.app.post_message(events.Key(_NAMES.get(key, key), key if len(key) == 1 else None))
        await self.pilot.pause()
        while self.app.keys_waiting:
            await self.pilot.pause()
        return await self.read()

    async def command(self, text: str) -> str:
        """Type a command after `:` and enter it."""
        await self.press("colon")
        await self.type(text)
        return await self.press("enter")

    async def read(self) -> str:
        """All lines of the screen, as they stand after the next look at the state."""
        await self.pilot.pause()
        self.app.tick()
        await self.pilot.pause()
        return screen_text(self.app)

    async def line(self, number: int) -> str:
        """One line of the screen; negative from the bottom."""
        return (await self.read()).splitlines()[number]


def screen_text(app: WatchApp) -> str:
    """What the current screen draws, line by line."""
    return "\n".join(strip.text.rstrip() for strip in app.screen._compositor.render_strips())


@asynccontextmanager
async def hands(scene: Scene, size: tuple[int, int] = (80, 24), *, notifications: bool = False) -> AsyncIterator[Hands]:
    """Sit down at the dashboard of a scene."""
    app = scene.app()
    async with app.run_test(size=size, notifications=notifications, tooltips=True) as pilot:
        at = Hands(scene, app, pilot)
        await at.read()
        yield at
