"""Rows of bars, and the pages that have them."""

from msgspec.structs import replace

from mcpwatch.model.feed import FeedState, FeedStatus
from mcpwatch.model.tools import Tool
from mcpwatch.ui.pages.feed import feed_page
from mcpwatch.ui.pages.tool import tool_page
from mcpwatch.ui.times import clock, full
from mcpwatch.ui.widgets.lines import Line, plain
from mcpwatch.ui.widgets.sparks import sparks
from mcpwatch.watch.state import State

NOW = 2_000_000.0


def lines(page: list[Line]) -> list[str]:
    return [plain(each) for each in page]


def test_the_highest_number_has_the_highest_bar_and_nothing_has_none() -> None:
    assert sparks([]) == ""
    assert sparks([0, 0]) == "  "
    assert sparks([1, 2, 3, 4, 5, 6, 7, 8]) == "▁▂▃▄▅▆▇█"
    assert sparks([0, 1, 4_000, 8_000]) == " ▁▄█"
    assert sparks([0.001]) == "█"


def test_no_number_is_too_wild_for_a_bar() -> None:
    assert sparks([1e308, 1e-320, float("inf")]) == "  █"
    assert sparks([-5.0, float("nan"), 2.0])[-1] == "█"


def test_a_tool_tells_how_long_its_newest_calls_took_and_how_many_failed() -> None:
    took = [number / 1000 for number in range(1, 201)]
    tool = Tool("files", "read", {}, "", 0, 0, calls=400, errors=10, durations=took)
    said = lines(tool_page(tool))
    assert "calls        400  10 failed, 2.5%" in said
    at = said.index("took         p50 100ms   p95 190ms   p99 198ms   of the newest 200 answered calls")
    assert said[at + 1].endswith("█  newest last, at most 200ms")
    assert said[at + 1].strip().partition("  ")[0] == sparks(took[-40:])


def test_a_tool_that_nobody_called_has_no_bars() -> None:
    assert "took         –" in lines(tool_page(Tool("files", "read", {}, "", 0, 0)))


def test_the_feed_tells_the_traffic_of_the_last_minutes() -> None:
    state = State()
    state.advance(NOW)
    assert "traffic      most 0.0/s in 3m" in lines(feed_page(state, ()))
    for second, came in ((NOW - 170, 50), (NOW - 7, 25), (NOW - 400, 900)):
        state.entry_rate.add(second, came)
    told = next(each for each in lines(feed_page(state, ())) if each.startswith("traffic"))
    assert told.endswith("most 10.0/s in 3m") and "█" in told and "▄" in told
    assert len(told) == len("traffic      " + "  most 10.0/s in 3m") + 36


def test_the_feed_tells_since_when_how_long_and_why_each_state_was() -> None:
    state = State()
    state.advance(NOW)
    then = NOW - 200_000
    history = (
        (then, FeedState.LIVE, "first checkpoint verified"),
        (NOW - 150, FeedState.DISCONNECTED, "the gateway closed the stream"),
        (NOW - 60, FeedState.LIVE, ""),
    )
    status = FeedStatus("gw", "http://gw", FeedState.LIVE, history=history)
    state.set_feed(status)
    said = [" ".join(each.split()) for each in lines(feed_page(state, ()))]
    at = said.index("States, newest first")
    assert said[at + 1 : at + 4] == [
        f"{clock(NOW - 60)} ● LIVE for 1m00s so far",
        f"{clock(NOW - 150)} ◌ DISCONNECTED for 1m30s the gateway closed the stream",
        f"{full(then)} ● LIVE for 2d07h first checkpoint verified",
    ]
    state.set_feed(replace(status, history=history * 10))
    assert "… 10 older" in lines(feed_page(state, ()))
