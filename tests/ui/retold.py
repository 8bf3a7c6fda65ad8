"""The played story as a recording, and a player on it whose clock the test moves."""

import asyncio
from pathlib import Path

from hands import Hands
from scene import SOURCE, Scene
from taped import Tape
from tiny_log import TinyLog

from mcpwatch.detect.rules import CATALOGUE
from mcpwatch.feed.recording_source import RecordingSource
from mcpwatch.ui.replay import ReplayApp
from mcpwatch.watch.build import open_watcher
from mcpwatch.watch.paced import PacedSource
from mcpwatch.watch.player import Player
from mcpwatch.watch.transport import Goal, Transport
from mcpwatch.watch.watcher import Watcher

EVERY = 20
"""Entries between two checkpoints."""


def retell(scene: Scene, path: Path) -> Path:
    """Write what happened in a scene as a recording."""
    log = TinyLog(scene.log.origin)
    taping = Tape(log, path)
    taping.join()
    for entry in scene.log.entries:
        taping.take(log.add(leaf=entry.leaf))
        if log.size % EVERY == 0:
            taping.take(log.checkpoint(time=int(entry.received)))
    taping.take(log.checkpoint(time=int(scene.log.entries[-1].received)))
    return taping.close()


class Stage:
    """A player on a recording; its clock stands until `pass_by` moves it."""

    def __init__(self, path: Path, state: Path, *, playing: bool = False, goal: Goal | None = None) -> None:
        self.path = path
        self.state = state
        self.clock = 0.0
        self.moved = asyncio.Condition()
        self.player = Player(self.open, self.transport(goal, 1.0, playing=playing), self.transport)

    def transport(self, goal: Goal | None, speed: float, *, playing: bool = False) -> Transport:
        return Transport(speed=speed, playing=playing, goal=goal, clock=lambda: self.clock, sleep=self.sleep)

    def open(self, transport: Transport) -> Watcher:
        source = RecordingSource(self.path, name=SOURCE, state=self.state)
        return open_watcher([PacedSource(source, transport)], self.state, present=transport.now)

    async def sleep(self, seconds: float) -> None:
        """Until the clock has come so far."""
        until = self.clock + seconds
        async with self.moved:
            await self.moved.wait_for(lambda: self.clock >= until)

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, and all that is due with it happen."""
        async with self.moved:
            self.clock += seconds
            self.moved.notify_all()
        await self.settle()

    async def settle(self) -> None:
        """Until nothing moves any more without the clock."""
        player, before = self.player, None
        while True:
            for _ in range(20):
                await asyncio.sleep(0)
            if player.has_arrived:
                await player.take()
            transports = [player.transport, *([player.coming[0]] if player.coming else [])]
            now = [(each.index, each.goal, each.is_over) for each in transports]
            if now == before and not any(each.goal for each in transports):
                return
            before = now


class StagedScene(Scene):
    """The hands' scene whose app is a player on a recording."""

    def __init__(self, folder: Path, stage: Stage) -> None:
        super().__init__(folder)
        self.stage = stage

    def app(self, keymap: object = None) -> ReplayApp:
        """The dashboard on the recording."""
        return ReplayApp(self.stage.player, rules=CATALOGUE, monotonic=lambda: self.monotonic)


async def until_there(at: Hands, stage: Stage) -> str:
    """The screen once the player has come to rest."""
    while True:
        await at.read()
        player = stage.player
        if player.coming is None and player.transport.goal is None:
            return await at.read()
