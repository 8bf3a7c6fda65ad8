"""Trends: every event is in one stretch, in bounded memory, and what is taken back is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.watch.trend import STRETCHES, WIDTHS, Trend

NOW = 1_700_000_000.0
AGES = st.lists(st.floats(0.0, 7_200.0), max_size=200)


@given(AGES)
def test_what_is_kept_is_bounded_and_nothing_of_the_last_half_hour_is_lost(ages: list[float]) -> None:
    times = sorted(NOW - age for age in ages)
    trend = Trend(times)
    assert len(trend._counts) <= STRETCHES
    _, counts = trend.series(NOW, STRETCHES)
    assert len(counts) <= STRETCHES
    span = (STRETCHES - 1) * WIDTHS[-1]
    recent = sum(time > max(times) - span for time in times)
    if times and max(times) - min(times) < span and NOW - min(times) < span:
        assert sum(counts) == len(times)
    else:
        assert sum(counts) <= len(times) and sum(trend._counts.values()) >= recent


@given(AGES)
def test_all_that_is_taken_back_leaves_nothing(ages: list[float]) -> None:
    trend = Trend(NOW - age for age in sorted(ages, reverse=True))
    for age in ages:
        trend.take_back(NOW - age)
    assert trend.series(NOW, STRETCHES)[1] == []


@pytest.mark.parametrize(("age", "width"), [(0.0, 1), (20.0, 1), (100.0, 5), (400.0, 15), (1_700.0, 60), (9_000.0, 60)])
def test_stretches_are_as_fine_as_the_time_that_they_have_to_cover_lets_them_be(age: float, width: int) -> None:
    trend = Trend([NOW - age, NOW])
    told, counts = trend.series(NOW, STRETCHES)
    assert told == width and counts[-1] >= 1 and sum(counts) == (2 if age < 1_740 else 1)


def test_time_goes_on_without_events() -> None:
    trend = Trend([NOW, NOW])
    assert trend.series(NOW + 3, 10) == (1, [2, 0, 0, 0])
    assert trend.series(NOW + 40, 10)[1][0] == 2
    assert sum(trend.series(NOW + 90_000, 10)[1]) == 0


def test_an_event_that_the_clock_has_not_come_to_is_shown_all_the_same() -> None:
    assert Trend([NOW + 2]).series(NOW, 10) == (1, [1])
