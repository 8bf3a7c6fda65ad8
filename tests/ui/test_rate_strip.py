"""The strip of the last minutes on Live."""

import pytest
from hands import hands
from msgspec.structs import replace
from rpc import ask, result, tool
from scene import Scene

from mcpwatch.ui.screens.rate_strip import rate_strip
from mcpwatch.ui.widgets.lines import Tone, cells
from mcpwatch.watch.state import State

pytest_plugins = ["played"]


async def test_it_stands_over_the_foot_where_there_is_room(scene: Scene) -> None:
    async with hands(scene, (80, 30)) as at:
        strip = (await at.read()).splitlines()[-3]
        await at.pilot.resize_terminal(80, 29)
        low = await at.read()
    assert "█" in strip and "/s in 3m" in strip and "findings" in strip
    assert "█" not in low


def test_the_highest_bar_is_where_most_came_and_red_where_something_was_found() -> None:
    state = State()
    state.now = 1_000.0
    for second, came in ((985, 10), (990, 40), (996, 1)):
        state.entry_rate.add(second, came)
    state.alert_rate.add(990.0)
    drawn = rate_strip(state, 80)
    assert cells(drawn) == 80
    bars = "".join(part.text for part in drawn.spans)
    assert "▂█▁ " in bars and "most 8.0/s in 3m  1 finding" in bars
    assert [part.text for part in drawn.spans if part.tone is Tone.BAD] == ["█", "  1 finding"]


def test_what_was_wrong_in_what_a_log_kept_is_no_finding_of_the_moment(blank: Scene) -> None:
    for entry in blank.log.exchange(ask(1, "tools/list"), result(1, {"tools": [tool("clear", "\x1b[2J")]})):
        blank.take(replace(entry, received=entry.received + 3_600))
    assert blank.state.counts.findings
    assert "finding" not in "".join(part.text for part in rate_strip(blank.state, 80).spans)


@pytest.mark.parametrize("wide", [40, 80, 140, 400])
def test_it_fits_any_width_and_tells_nothing_of_nothing(wide: int) -> None:
    drawn = rate_strip(State(), wide)
    assert cells(drawn) == wide
    assert "most 0.0/s" in "".join(part.text for part in drawn.spans)
