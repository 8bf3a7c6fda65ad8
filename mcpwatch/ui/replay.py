"""The dashboard on a recording: a player's bar and keys on every screen."""

import math
import time
from collections.abc import Callable, Mapping
from typing import ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from mcpwatch.errors import McpwatchError
from mcpwatch.model.alerts import RuleInfo
from mcpwatch.ui.app import MODES, WatchApp
from mcpwatch.ui.base import WatchScreen
from mcpwatch.ui.commands import Scope, bindings
from mcpwatch.ui.player_bar import player_line
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch import seeking
from mcpwatch.watch.player import SKIP_S, Player
from mcpwatch.watch.query import ALL, Query
from mcpwatch.watch.transport import Goal, Stop

_BETWEEN = "between"


class ReplayApp(WatchApp, inherit_bindings=False):
    """Shows what a player has played so far; a way back ends with all main screens made anew, on what it led to."""

    everywhere = (Scope.REPLAY, Scope.APP)
    has_past = False
    BINDINGS: ClassVar[list[BindingType]] = [*bindings(*everywhere)]

    def __init__(
        self,
        player: Player,
        *,
        rules: Mapping[str, RuleInfo] | None = None,
        query: Query = ALL,
        keymap: Mapping[str, str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(player.watcher, rules=rules, query=query, keymap=keymap, monotonic=monotonic)
        self.player = player
        self._shown = query, False
        """What Live was filtered by when it was last seen, and whether it showed plumbing."""
        self._drawn: Line | None = None
        self._is_taking = False
        self._is_hushed = player.transport.goal is not None
        """Nothing is told of what lies on the way to a place."""

    async def _run(self) -> None:
        await self.player.run()

    def player_line(self, cells: int) -> Line | None:
        """The bar of the player."""
        return player_line(self.player, cells)

    def play_or_pause(self) -> bool:
        """Play or pause: to hold a replay still is to pause it."""
        self.action_play()
        return True

    def tick(self) -> None:
        """Look; draw the bar where it changed; go over to what came back."""
        if self._is_taking:
            return
        if self._is_hushed:
            self.hush()
            self._is_hushed = self.player.transport.goal is not None
        super().tick()
        screen = self.current
        if screen is None:
            return
        if self.player.has_arrived and screen.is_mounted and not screen.prompt.is_open:
            self._is_taking = True
            self.run_worker(self._take(), group="take", exit_on_error=False)
        drawn = self.player_line(self.size.width)
        if drawn != self._drawn:
            self._drawn = drawn
            screen.look_at_bars()

    async def _take(self) -> None:
        try:
            marks = self.watcher.state.marks
            self.watcher = await self.player.take()
            self.watcher.state.marks.keep(marks)
            with self.batch_update():
                await self._renew()
        finally:
            self._is_taking = False

    async def _renew(self) -> None:
        """Make the main screens anew; Live keeps what it shows."""
        mode, live = self.current_mode, self._screen_stacks["live"][0] if "live" in self._screen_stacks else None
        if isinstance(live, LiveScreen):
            self._shown = live.view.query, live.view.plumbing
        self._is_hushed = True
        self.add_mode(_BETWEEN, Screen)
        await self.switch_mode(_BETWEEN)
        for name in MODES:
            await self.remove_mode(name)
        self.add_main_modes(self._shown[0], plumbing=self._shown[1])
        await self.switch_mode(mode)
        await self.remove_mode(_BETWEEN)
        if isinstance(self.screen, WatchScreen):
            self.screen.look()

    # -- controls

    def action_play(self) -> None:
        """Play, or pause."""
        player = self.player
        if player.transport.is_over and player.coming is None:
            self.tell("The recording is at its end; seek to an earlier place to see it again")
            return
        player.toggle()
        self.tick()

    async def action_step_forward(self) -> None:
        """The next entry."""
        self._step(Stop.ENTRY)

    async def action_step_call(self) -> None:
        """The next call."""
        self._step(Stop.CALL)

    async def action_seek_alert(self) -> None:
        """The next alert."""
        self._step(Stop.ALERT)

    async def action_step_back(self) -> None:
        """The entry before."""
        await self._back_to(self.player.index - 1)

    async def action_step_call_back(self) -> None:
        """The call before."""
        here = self.player.index
        rows = (row.index for row in reversed(self.watcher.state.rows) if row.index < here and row.seen.opened)
        await self._back_to(next(rows, -1))

    async def action_seek_alert_back(self) -> None:
        """The alert before."""
        here = self.player.index
        await self._back_to(max((mark for mark in self.player.marks if mark < here), default=-1))

    async def action_skip_forward(self) -> None:
        """Some seconds on."""
        await self._seek(Goal(time=self.player.time + SKIP_S))

    async def action_skip_back(self) -> None:
        """Some seconds back."""
        await self._seek(Goal(time=self.player.time - SKIP_S))

    async def action_faster(self) -> None:
        """The next speed of the table."""
        self._changed_speed(1)

    async def action_slower(self) -> None:
        """The speed before it in the table."""
        self._changed_speed(-1)

    async def action_seek(self, argument: str = "") -> None:
        """To a place that is named."""
        if not argument:
            self.tell(f"seek needs a place: {seeking.WAYS}")
            return
        try:
            goal = seeking.goal(argument, self.player.time)
        except McpwatchError as error:
            self.tell(error.whole)
            return
        if goal.stop is not None:
            self._step(goal.stop)
        else:
            await self._seek(goal)

    async def action_speed(self, argument: str = "") -> None:
        """As fast as is named."""
        try:
            self.player.set_speed(seeking.speed(argument))
        except McpwatchError as error:
            self.tell(error.whole)
            return
        self._changed_speed(0)

    def _changed_speed(self, step: int) -> None:
        if step:
            self.player.change_speed(step)
        self.tell(f"Speed {seeking.speed_text(self.player.speed)}")

    def _step(self, stop: Stop) -> None:
        if self.player.transport.is_over:
            self.tell("The recording is at its end")
            return
        self.player.step(stop)

    async def _back_to(self, index: int) -> None:
        """To an entry before this one, and pause there."""
        if self.player.index < 0 or index < self.player.transport.first:
            self.tell("There is nothing of the kind before this place")
            return
        if self.player.plays:
            self.player.toggle()
        await self._seek(Goal(index=index))

    async def _seek(self, goal: Goal) -> None:
        """Go there; what cannot be read again is told, and all stays as it is."""
        if self.player.transport.now() <= 0 and goal.time > -math.inf:
            self.tell("No entry has been played yet")
            return
        try:
            await self.player.seek(goal)
            self._is_hushed = True
        except McpwatchError as error:
            self.tell(error.title, serious=True)
        self.tick()
