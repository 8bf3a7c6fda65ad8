"""A time axis: whatever the clocks say, bars stand inside it, in order, and its labels can be read."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.watch.time_axis import Axis, Stretch, axis, short

times = st.one_of(
    st.floats(-1e12, 1e12),
    st.floats(1.7e9, 1.7e9 + 5),
    st.sampled_from([0.0, 1e-9, 1.7e9, 1.7e9 + 3_600, 1.7e9 + 86_400 * 400]),
)
stretches = st.lists(st.builds(Stretch, times, times, st.lists(times, max_size=3).map(tuple)), max_size=12)
widths = st.integers(1, 200)


def labels(told: Axis) -> list[str]:
    """What the axis says, but for its beginning."""
    return [tick.label for tick in told.ticks()[1:]]


@given(stretches, widths, st.booleans())
def test_every_bar_stands_inside_and_has_a_cell(told: list[Stretch], cells: int, grows: bool) -> None:
    line = axis(told, cells, grows=grows)
    for each in told:
        bar = line.bar(each)
        assert 0 <= bar.start < bar.stop <= cells
        assert all(bar.start <= mark < bar.stop - 1 for mark in bar.marks) and list(bar.marks) == sorted(set(bar.marks))


@given(stretches, widths, times, times)
def test_what_is_later_never_stands_further_left(told: list[Stretch], cells: int, one: float, other: float) -> None:
    line = axis(told, cells)
    assert line.cell(min(one, other)) <= line.cell(max(one, other))


@given(stretches, widths, st.booleans())
def test_parts_and_cuts_fill_the_axis_side_by_side(told: list[Stretch], cells: int, grows: bool) -> None:
    line = axis(told, cells, grows=grows)
    places = sorted([(part.at, part.cells) for part in line.parts] + [(cut.at, cut.cells) for cut in line.cuts])
    assert places[0][0] == 0 and sum(places[-1]) == cells
    assert all(at + wide == following for (at, wide), (following, _) in pairwise(places))
    assert len(line.parts) == len(line.cuts) + 1


@given(stretches, widths, st.booleans(), st.sampled_from(["0", "12:00:07"]))
def test_labels_touch_neither_each_other_nor_a_cut(told: list[Stretch], cells: int, grows: bool, first: str) -> None:
    line = axis(told, cells, grows=grows)
    taken = [(tick.at, len(tick.label)) for tick in line.ticks(first)]
    assert all(at + wide < following for (at, wide), (following, _) in pairwise(taken))
    assert all(at + wide <= cells for at, wide in taken)
    for cut in line.cuts:
        assert all(at >= cut.at + cut.cells or at + wide <= cut.at for at, wide in taken)


def test_a_second_is_told_in_tenths() -> None:
    assert labels(axis([Stretch(7.0, 8.0)], 50)) == ["200ms", "400ms", "600ms", "800ms"]


def test_hours_are_told_in_hours() -> None:
    assert labels(axis([Stretch(0, 3 * 3_600), Stretch(3_600, 3 * 3_600)], 40)) == ["1h", "2h"]


def test_idle_hours_are_cut_out_and_calls_of_a_second_stay_readable() -> None:
    line = axis([Stretch(0, 1), Stretch(2, 3), Stretch(7_203, 7_204), Stretch(7_205, 7_206)], 60)
    assert [cut.label for cut in line.cuts] == ["2h"]
    first, second, third, _ = [
        line.bar(each) for each in (Stretch(0, 1), Stretch(2, 3), Stretch(7_203, 7_204), Stretch(7_205, 7_206))
    ]
    assert min(bar.stop - bar.start for bar in (first, second, third)) >= 8
    assert second.stop <= line.cuts[0].at and third.start >= line.cuts[0].at + line.cuts[0].cells
    assert labels(line) == ["1s", "2s", "0", "1s", "2s"]


def test_two_pauses_of_one_length_are_both_cut_out() -> None:
    line = axis([Stretch(0, 1), Stretch(3_600, 3_601), Stretch(7_200, 7_201)], 60)
    assert [cut.label for cut in line.cuts] == ["1h", "1h"]


def test_where_pauses_are_many_and_alike_none_is_cut_out() -> None:
    assert axis([Stretch(hour * 3_600, hour * 3_600 + 1) for hour in range(20)], 40).cuts == ()


@pytest.mark.parametrize("pause", [0.5, 5.0, 9.9])
def test_a_pause_to_think_is_shown_as_it_is(pause: float) -> None:
    assert axis([Stretch(0, 0.01), Stretch(0.01 + pause, 0.02 + pause)], 60).cuts == ()


def test_a_long_call_keeps_its_length_until_it_hides_all_else() -> None:
    assert axis([Stretch(0, 30), Stretch(30, 31), Stretch(32, 40)], 60).cuts == ()
    assert [cut.label for cut in axis([Stretch(0, 3_600), Stretch(1, 2), Stretch(3, 4)], 60).cuts] == ["1h"]


def test_calls_of_one_moment_have_an_axis_all_the_same() -> None:
    line = axis([Stretch(5, 5), Stretch(5, 5)], 30)
    assert line.bar(Stretch(5, 5))[:2] == (0, 1) and line.cuts == ()


def test_nothing_has_an_axis_all_the_same() -> None:
    assert axis([], 30).cells == 30


def test_a_call_that_ends_before_it_begins_takes_one_cell() -> None:
    bar = axis([Stretch(5, 9), Stretch(8, 2)], 30).bar(Stretch(8, 2))
    assert bar.stop == bar.start + 1


def test_an_axis_with_room_to_grow_stands_still_for_a_while() -> None:
    ends = [axis([Stretch(100, 100 + length)], 40, grows=True).parts[0].seconds for length in (4.1, 4.2, 4.3)]
    assert len(set(ends)) == 1 and ends[0] > 4.3


@pytest.mark.parametrize(
    ("seconds", "said"), [(12.4, "12s"), (240.0, "4m"), (7_300.0, "2h"), (200_000.0, "2d"), (1e15, ">9999d")]
)
def test_a_cut_is_told_in_one_unit(seconds: float, said: str) -> None:
    assert short(seconds) == said
