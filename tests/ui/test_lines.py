"""Lines, wrapping, columns and cells: nothing is wider than its place, nothing is lost."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style

from mcpwatch.text import Shown, show, width
from mcpwatch.ui.widgets.cells import Column, fit
from mcpwatch.ui.widgets.draw import both_ends, draw_line, draw_span, mark
from mcpwatch.ui.widgets.lines import Line, Span, Tone, cells, field, join, line, pair, plain, span
from mcpwatch.ui.widgets.ribbon import cut_line, spread
from mcpwatch.ui.widgets.wrap import wrap

texts = st.text(max_size=80).map(show)
lines = st.builds(
    lambda parts, hang, exact: Line(tuple(Span(part) for part in parts), hang, exact),
    st.lists(texts, max_size=5),
    st.integers(0, 20),
    st.booleans(),
)
PLAIN = Style()


def style(tone: Tone) -> Style:
    """One style for all."""
    return PLAIN


@given(lines, st.integers(2, 60))
def test_wrapped_lines_fit(text: Line, room: int) -> None:
    assert all(cells(each) <= room for each in wrap([text], room))


@given(lines, st.integers(2, 60))
def test_wrapping_loses_nothing_but_spaces(text: Line, room: int) -> None:
    wrapped = "".join(plain(each) for each in wrap([text], room))
    assert wrapped.replace(" ", "") == plain(text).replace(" ", "")


@given(st.text(max_size=200).map(show), st.integers(2, 60))
def test_exact_lines_lose_nothing_at_all(text: Shown, room: int) -> None:
    assert "".join(plain(each) for each in wrap([Line((Span(text),), exact=True)], room)) == text


def test_each_line_stays_a_line() -> None:
    assert len(wrap([Line(), line(""), line("a")], 10)) == 3


def test_a_value_wraps_under_itself() -> None:
    wrapped = [plain(each).rstrip() for each in wrap([field("name", "one two three four five")], 26)]
    assert wrapped == ["name         one two three", " " * 13 + "four five"]


def test_pairs_stand_side_by_side() -> None:
    assert plain(pair(line("a"), line("b"), 5)) == "a    b"


def test_joining_leaves_out_what_is_empty() -> None:
    assert plain(join([line("a"), Line(), line("b")], " | ")) == "a | b"


def test_spread_keeps_the_right_edge_and_drops_what_comes_last() -> None:
    left = [line("first"), line("second"), line("third")]
    assert plain(spread(left, line("R"), 30)) == " first  second  third" + " " * 7 + "R "
    assert plain(spread(left, line("R"), 18)) == " first  second  R "
    assert plain(spread(left, line("R"), 7)) == " f…  R "


@given(lines, st.integers(0, 40))
def test_a_cut_line_fits(text: Line, room: int) -> None:
    assert cells(cut_line(text, room)) <= room


@given(st.text(max_size=50).map(show), st.integers(1, 30), st.booleans())
def test_a_drawn_cell_has_exactly_its_width(text: Shown, room: int, right: bool) -> None:
    assert cell_len(draw_span(Span(text), room, style, right).text) == room


@given(st.text(max_size=50).map(show), st.integers(1, 30))
def test_a_text_without_its_middle_fits_and_keeps_its_ends(text: Shown, room: int) -> None:
    cut = both_ends(Span(text), room).text
    assert width(cut) <= max(room, 1)
    assert both_ends(Span(Shown("notes/0123456789abcdef")), 15).text == "notes/012…bcdef"


@given(lines, st.integers(0, 40))
def test_a_drawn_line_has_exactly_its_width(text: Line, room: int) -> None:
    assert sum(cell_len(segment.text) for segment in draw_line(text, room, style)) == room


@given(st.text(max_size=30).map(show), st.text(max_size=3))
def test_marking_keeps_the_text(text: Shown, needle: str) -> None:
    assert "".join(each.text for each in mark(Segment(text, PLAIN), needle.lower(), PLAIN)) == text


def test_marking_finds_every_hit_in_any_case() -> None:
    parts = [each.text for each in mark(Segment("Read read", PLAIN), "read", PLAIN)]
    assert parts == ["Read", " ", "read"]


columns = st.lists(
    st.builds(
        Column,
        id=st.uuids().map(str),
        title=st.just(Shown("T")),
        cells=st.integers(0, 40),
        least=st.integers(1, 20),
        priority=st.integers(1, 4),
        grow=st.booleans(),
        whole=st.booleans(),
    ),
    min_size=1,
    max_size=12,
)


@given(columns, st.integers(1, 250))
def test_columns_fit_the_width(given_columns: list[Column], room: int) -> None:
    fitted = fit(given_columns, room)
    used = sum(fitted.widths) + fitted.gap * max(len(fitted.widths) - 1, 0)
    assert used <= room or len(fitted.columns) == 1
    assert all(wide >= column.least for column, wide in zip(fitted.columns, fitted.widths, strict=True))


def test_chosen_columns_are_shown_at_any_width_that_holds_them() -> None:
    table = [Column("a", Shown("A"), 5, 5), Column("b", Shown("B"), 5, 5, priority=4)]
    assert [column.id for column in fit(table, 40).columns] == ["a"]
    assert [column.id for column in fit(table, 40, {"b"}).columns] == ["b"]


def test_a_span_is_shown_text() -> None:
    assert span("a\x1b[0m").text == "a\\x1b[0m"
    assert width(span("日本").text) == 4


def test_a_mark_that_takes_no_cell_is_not_lost_at_the_end() -> None:
    assert [plain(each) for each in wrap([line("aaa \u0301")], 3)] == ["aaa", "\u0301"]
