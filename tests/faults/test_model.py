"""Row 35: whatever fails, in whatever order, the watcher shows the log, all of it, once, and proves it."""

import asyncio
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from world import LITTLE, World

from mcpwatch.gateway.keep import EVERYTHING


class Faults(RuleBasedStateMachine):
    """A gateway, a network and a watcher, and what may befall them."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()

    @initialize()
    def begin(self) -> None:
        self._runner.run(self._begin())

    async def _begin(self) -> None:
        self.world = World(Path(self._folder.name))
        await self.world.start_gateway()
        await self.world.start_watcher()

    @property
    def is_up(self) -> bool:
        return self.world.gateway is not None

    @precondition(lambda self: self.is_up)
    @rule(entries=st.sampled_from((1, 7, 300)), turns=st.integers(0, 50))
    def entries_come(self, entries: int, turns: int) -> None:
        self._runner.run(self._append(entries, turns))

    async def _append(self, entries: int, turns: int) -> None:
        self.world.append(entries)
        await self.world.turns(turns)

    @precondition(lambda self: self.is_up)
    @rule()
    def all_is_signed(self) -> None:
        assert self.world.gateway is not None
        self._runner.run(self.world.gateway.log.sign_now())

    @rule(octets=st.integers(0, 20_000), piece=st.sampled_from((1, 17, 65_536)), turns=st.integers(0, 100))
    def the_wire_is_cut(self, octets: int, piece: int, turns: int) -> None:
        self.world.wire.left, self.world.wire.piece = octets, piece
        self._runner.run(self.world.turns(turns))

    @rule()
    def the_wire_stands_still(self) -> None:
        self.world.wire.open.clear()

    @precondition(lambda self: self.is_up)
    @rule()
    def the_gateway_is_killed(self) -> None:
        self._runner.run(self.world.kill_gateway())

    @precondition(lambda self: self.is_up)
    @rule()
    def the_gateway_is_stopped(self) -> None:
        self._runner.run(self.world.stop_gateway())

    @precondition(lambda self: not self.is_up)
    @rule(keep=st.sampled_from((EVERYTHING, LITTLE)))
    def the_gateway_is_started(self, keep: object) -> None:
        self._runner.run(self.world.start_gateway(LITTLE if keep is LITTLE else EVERYTHING))

    @precondition(lambda self: self.is_up)
    @rule()
    def the_watcher_is_restarted(self) -> None:
        self._runner.run(self.world.restart_watcher())

    @rule(seconds=st.sampled_from((-3_600, -1, 1, 3_600)))
    def the_clock_jumps(self, seconds: int) -> None:
        self.world.jump(seconds)

    @precondition(lambda self: self.is_up)
    @rule()
    def all_is_caught_up_with(self) -> None:
        self._runner.run(self.world.settle())

    @invariant()
    def nothing_is_wrong(self) -> None:
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self._runner.run(self._end())
        self._runner.close()
        self._folder.cleanup()

    async def _end(self) -> None:
        if self.world.gateway is None:
            await self.world.start_gateway()
        await self.world.settle()
        self.world.check()
        await self.world.end()


def run(runs: int, steps: int) -> None:
    calm = (HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large)
    run_state_machine_as_test(
        Faults,
        settings=settings(max_examples=runs, stateful_step_count=steps, deadline=None, suppress_health_check=calm),
    )


def test_random_faults_lose_and_double_nothing() -> None:
    """Row 35, scaled to 50 runs of 8 steps."""
    run(50, 8)


@pytest.mark.faults
def test_many_random_faults_lose_and_double_nothing() -> None:
    """Row 35, 1,000 runs of 50 steps instead of 10,000 of 100."""
    run(1_000, 50)
