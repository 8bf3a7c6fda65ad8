"""The past of a view never shows what came after its place, and playing to the end shows the present."""

import math

from hypothesis import given
from hypothesis import strategies as st
from watched import Stage

from mcpwatch.watch.past import Past
from mcpwatch.watch.past_view import PastView
from mcpwatch.watch.query import parse
from mcpwatch.watch.transport import Goal, Stop
from mcpwatch.watch.view import View

PLACES = st.lists(st.integers(0, 40), min_size=1, max_size=12)
STEPS = st.lists(st.tuples(st.sampled_from([1, -1]), st.sampled_from(Stop)), max_size=8)


class Clock:
    """Seconds that pass by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def fill(stage: Stage, count: int) -> None:
    """Requests a second apart, every seventh with an alert."""
    for number in range(count):
        row = stage.request("write" if number % 3 else "read")
        stage.wait(1.0)
        if number % 7 == 0:
            stage.alert(row.index)


def shown(view: View) -> list[int]:
    """What the view shows, by place in the order of arrival."""
    return [row.seq for row in view.rows(0, len(view))]


@given(PLACES, st.sampled_from(["", "tool:read"]), st.integers(1, 10))
def test_the_bound_shows_what_a_naive_bound_shows_while_more_comes(places: list[int], text: str, helping: int) -> None:
    stage = Stage(max_rows=30)
    fill(stage, 30)
    query = parse(text)
    view = PastView(stage.state, query, helping=helping)
    for place in places:
        fill(stage, 1)
        view.sync()
        view.stop_at(place)
        while view.is_filling:
            view.sync()
        held = stage.state.rows
        stop = min(max(place, held.first), held.end)
        assert shown(view) == [row.seq for row in held.since(held.first, stop) if query.matches(row, stage.state)]
        assert view.since == stage.state.rows.end - stop
        assert view.pending == sum(query.matches(row, stage.state) for row in held.since(stop))


@given(st.floats(0.0, 29.0), STEPS, st.sampled_from([0.5, 10.0, math.inf]))
def test_nothing_later_than_the_place_is_shown_and_playing_ends_in_the_present(
    back: float, steps: list[tuple[int, Stop]], speed: float
) -> None:
    stage, clock = Stage(), Clock()
    fill(stage, 30)
    view = PastView(stage.state, parse(""))
    past = Past(view, clock)
    past.seek(Goal(time=stage.now - back))
    for direction, stop in steps:
        past.step(1 if direction > 0 else -1, stop)
    if not view.is_past:
        past.step(-1, Stop.ENTRY)
    past.speed = speed
    past.toggle()
    while view.is_past:
        assert all(row.time <= past.time for row in view.rows(0, len(view)))
        clock.now += 1.5
        past.tick()
        view.sync()
    assert view.follow and not view.frozen
    assert shown(view) == shown(View(stage.state, parse("")))


def test_steps_lead_to_entries_calls_and_alerts_that_pass_the_filter() -> None:
    stage = Stage()
    fill(stage, 30)
    view = PastView(stage.state, parse("tool:read"))
    past = Past(view, Clock())
    assert past.step(-1, Stop.ENTRY) and shown(view)[-1] == 24
    assert past.step(-1, Stop.ALERT) and shown(view)[-1] == 21
    assert past.step(-1, Stop.ALERT) and shown(view)[-1] == 0
    assert not past.step(-1, Stop.ALERT)
    assert past.step(1, Stop.CALL) and shown(view)[-1] == 3
    assert view.since == 26 and not past.playing


def test_what_is_no_more_held_is_not_gone_to() -> None:
    stage = Stage(max_rows=10)
    fill(stage, 30)
    past = Past(PastView(stage.state, parse("")), Clock())
    assert not past.seek(Goal(index=3))
    assert not past.seek(Goal(time=stage.now - 1_000.0))
    assert not past.view.is_past
    assert past.seek(Goal(index=25)) and shown(past.view)[-1] == 25


def test_a_place_that_memory_has_left_behind_plays_on_from_the_oldest_held() -> None:
    stage, clock = Stage(max_rows=10), Clock()
    fill(stage, 10)
    view = PastView(stage.state, parse(""))
    past = Past(view, clock)
    past.step(-1, Stop.ENTRY)
    fill(stage, 20)
    view.sync()
    assert view.since == 21
    assert past.step(1, Stop.ENTRY)
    assert shown(view) == [20]
