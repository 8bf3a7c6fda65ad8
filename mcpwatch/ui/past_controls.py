"""The past of Live: the controls of a player on what is held in memory, while everything goes on behind."""

from collections.abc import Callable
from typing import Literal

from mcpwatch.errors import UsageError
from mcpwatch.ui.desk import Desk
from mcpwatch.ui.past_bar import past_line, present_line
from mcpwatch.ui.screens.live import LiveScreen
from mcpwatch.ui.widgets.lines import Line
from mcpwatch.watch import seeking
from mcpwatch.watch.past import Past
from mcpwatch.watch.player import SKIP_S
from mcpwatch.watch.transport import Goal, Stop


class PastControls(Desk, inherit_bindings=False):
    """The app's controls of Live's past."""

    _past: Past | None = None

    @property
    def past(self) -> Past | None:
        """The past that Live shows; None in the present."""
        return self._past if self._past is not None and self._past.view.is_past else None

    def player_line(self, cells: int) -> Line | None:
        """Where Live is in the past; None in the present."""
        past = self.past
        if past is None:
            return None
        return past_line(past, cells) if isinstance(self.current, LiveScreen) else present_line(past, cells)

    def play_or_pause(self) -> bool:
        """Play the past, or pause it; the present cannot be held."""
        past = self.past
        if past is None:
            return False
        past.toggle()
        self._look_at_past()
        return True

    def tick_past(self) -> None:
        """Play on, where Live is seen."""
        past = self.past
        if past is None:
            return
        if not isinstance(self.current, LiveScreen):
            past.rest()
        elif past.tick():
            self._look_at_past()

    async def action_step_forward(self) -> None:
        """The next entry."""
        await self._step_past(1, Stop.ENTRY)

    async def action_step_back(self) -> None:
        """The entry before."""
        await self._step_past(-1, Stop.ENTRY)

    async def action_step_call(self) -> None:
        """The next call."""
        await self._step_past(1, Stop.CALL)

    async def action_step_call_back(self) -> None:
        """The call before."""
        await self._step_past(-1, Stop.CALL)

    async def action_seek_alert(self) -> None:
        """The next alert."""
        await self._step_past(1, Stop.ALERT)

    async def action_seek_alert_back(self) -> None:
        """The alert before."""
        await self._step_past(-1, Stop.ALERT)

    async def action_skip_forward(self) -> None:
        """Some seconds on."""
        await self._seek_past(lambda past: Goal(time=past.here + SKIP_S))

    async def action_skip_back(self) -> None:
        """Some seconds back."""
        await self._seek_past(lambda past: Goal(time=past.here - SKIP_S))

    async def action_faster(self) -> None:
        """The next speed of the table."""
        self._change_speed(1)

    async def action_slower(self) -> None:
        """The speed before it in the table."""
        self._change_speed(-1)

    async def action_speed(self, argument: str = "") -> None:
        """As fast as is named."""
        if (past := self._open_past()) is not None:
            try:
                past.speed = seeking.speed(argument)
            except UsageError as error:
                self.tell(error.whole)
                return
            self._tell_speed(past)

    async def action_seek(self, argument: str = "") -> None:
        """To a place that is named."""
        try:
            await self._seek_past(lambda past: seeking.goal(argument, past.here))
        except UsageError as error:
            self.tell(error.whole)

    async def _seek_past(self, goal_from: Callable[[Past], Goal]) -> None:
        past = await self._live_past()
        if past is None:
            return
        row, goal = past.view.selected or next(reversed(past.view.state.rows), None), goal_from(past)
        if goal.stop is not None:
            await self._step_past(1, goal.stop)
        elif not past.seek(goal, row.source if row else ""):
            self.tell("That is not held in memory; a recording has all of it")
        self._look_at_past()

    async def _step_past(self, direction: Literal[1, -1], stop: Stop) -> None:
        past = await self._live_past()
        if past is not None and not past.step(direction, stop):
            self.tell(f"There is nothing of the kind {'after' if direction > 0 else 'before'} this place")
        self._look_at_past()

    def _change_speed(self, step: Literal[1, -1]) -> None:
        if (past := self._open_past()) is not None:
            past.change_speed(step)
            self._tell_speed(past)

    def _tell_speed(self, past: Past) -> None:
        self.tell(f"Speed {seeking.speed_text(past.speed)}")
        self._look_at_past()

    def _open_past(self) -> Past | None:
        """The past that is shown; in the present it is told how to get there."""
        if self.past is None:
            self.tell("This is the present; , steps back and :seek -30s goes further")
        return self.past

    async def _live_past(self) -> Past | None:
        """The past that is shown, or one to begin with; all that it can show is known by then."""
        if isinstance(self.current, LiveScreen):
            await self.current.have_all()
        if self.past is None and isinstance(self.current, LiveScreen):
            self._past = Past(self.current.view, self.monotonic)
        return self._past

    def _look_at_past(self) -> None:
        if isinstance(self.current, LiveScreen):
            self.current.look()
            self.current.grid.reveal()
            self.current.look_at_bars()
