"""A call's bar: inside its cells whatever it says, its end always seen, what is cut out told."""

from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.ui.looks import CALLS, Look
from mcpwatch.ui.rows.track import draw_axis, draw_track
from mcpwatch.ui.widgets.lines import Line, Tone, plain
from mcpwatch.watch.time_axis import Axis, Stretch, axis

END = Look("✓", Tone.PLAIN)
times = st.floats(-1e9, 1e9)
stretches = st.lists(st.builds(Stretch, times, times, st.lists(times, max_size=3).map(tuple)), min_size=1, max_size=8)
labels = st.sampled_from(["", "ok", "running 3.2s 60%", "input required"])


def drawn(line: Axis, stretch: Stretch, label: str = "") -> str:
    """The cells of a call."""
    return plain(draw_track(line, line.bar(stretch), Tone.GOOD, END, label))


@given(stretches, st.integers(1, 120), labels, st.sampled_from(list(CALLS.values())))
def test_a_track_has_its_width_and_shows_its_end(told: list[Stretch], cells: int, label: str, end: Look) -> None:
    line = axis(told, cells)
    for stretch in told:
        bar = line.bar(stretch)
        text = plain(draw_track(line, bar, Tone.GOOD, end, label))
        assert len(text) == cells and text[bar.stop - 1] == end.glyph


@given(stretches, st.integers(1, 120))
def test_the_axis_has_its_width(told: list[Stretch], cells: int) -> None:
    head: Line = draw_axis(axis(told, cells))
    assert len(plain(head)) == cells


def test_a_bar_shows_when_something_came_of_it() -> None:
    assert drawn(axis([Stretch(0, 10)], 10), Stretch(0, 10, (2.5, 5.5))) == "━━┿━━┿━━━✓"


def test_words_stand_after_the_bar_or_before_it_or_in_it_where_there_is_room() -> None:
    line = axis([Stretch(0, 20)], 20)
    assert drawn(line, Stretch(0, 4), "denied") == "━━━━✓ denied".ljust(20)
    assert drawn(line, Stretch(15, 19), "denied") == "        denied ━━━━✓"
    assert drawn(line, Stretch(0, 20), "denied") == "━━━━━━━━━━━━━denied✓"
    assert drawn(line, Stretch(3, 18), "input required 12") == "   ━━━━━━━━━━━━━━━✓ "


def test_a_call_through_time_that_is_cut_out_is_dashed() -> None:
    line = axis([Stretch(0, 3_600), Stretch(1, 2), Stretch(3, 4)], 30)
    assert drawn(line, Stretch(0, 3_600)).count("╌") == len("╱1h╱")
    assert "╱  ╱" in drawn(line, Stretch(1, 2))
