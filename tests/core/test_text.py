"""The text door: nothing invisible or active comes through, and what comes through is stable."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.text import ELLIPSIS, count, cut, cut_head, escape, is_hidden, show, show_bytes, show_lines, width

HOSTILE = {
    "osc 52 clipboard": "\x1b]52;c;cHduZWQ=\x07",
    "c1 csi": "\x9b2J",
    "bidi override": "abc\u202edef",
    "zero width": "pay\u200bpal",
    "tag characters": "\U000e0041\U000e007f",
    "line separator": "a\u2028b",
    "carriage return": "good\rbad",
    "lone surrogate": "\ud800",
    "private use": "\ue000",
    "variation selector": "a\ufe0f",
    "hangul filler": "a\u3164b",
    "wide space": "a\u3000b",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_shown_and_not_swallowed(text: str) -> None:
    shown = show(text)
    assert shown.isprintable()
    hidden = [char for char in text if is_hidden(char)]
    assert hidden
    assert all(escape(char) in shown for char in hidden)


def test_every_hidden_code_point_of_unicode_is_escaped() -> None:
    categories = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}
    for code in range(0x110000):
        char = chr(code)
        if unicodedata.category(char) in categories and char != " ":
            assert show(char) == escape(char)


def test_plain_text_is_left_alone() -> None:
    assert show("search_notes {'q': 'Malmö 漢字'}") == "search_notes {'q': 'Malmö 漢字'}"


@given(st.text())
def test_shown_text_is_printable_and_showing_it_again_changes_nothing(text: str) -> None:
    shown = show(text)
    assert all(not is_hidden(char) for char in shown)
    assert show(shown) == shown


@given(st.text(), st.integers(min_value=0, max_value=40))
def test_cut_text_fits_its_cells(text: str, cells: int) -> None:
    assert width(show(text, cells)) <= cells


@given(st.text(alphabet=st.characters(categories=["Mn"]), min_size=4, max_size=400))
def test_marks_do_not_pile_up(marks: str) -> None:
    run = 0
    for char in show("e" + marks):
        run = run + 1 if unicodedata.category(char) == "Mn" else 0
        assert run <= 3


def test_a_cut_says_that_it_was_cut() -> None:
    assert cut("abcdef", 4) == "abc" + ELLIPSIS
    assert cut("漢字漢字", 5) == "漢字" + ELLIPSIS
    assert show("x" * 1_000_000, 10) == "x" * 9 + ELLIPSIS


def test_a_cut_head_leaves_the_end() -> None:
    assert cut_head("/a/b/c.txt", 6) == ELLIPSIS + "c.txt"
    assert cut_head("漢字漢字", 6) == ELLIPSIS + "漢字"
    assert cut_head("c.txt", 5) == "c.txt" and cut_head("c.txt", 0) == ""


@given(st.text(), st.integers(min_value=0, max_value=40))
def test_a_cut_head_fits_its_cells(text: str, cells: int) -> None:
    assert width(cut_head(show(text), cells)) <= cells


def test_lines_break_at_line_feeds_only_and_are_bounded() -> None:
    assert show_lines("a\r\nb\rc\u2028d\ne") == ["a", "b\\rc\\u2028d", "e"]
    lines = show_lines("\n".join("x" * 20), limit=5)
    assert len(lines) == 5
    assert lines[-1].endswith("16 more lines")


def test_octets_that_are_not_utf8_are_shown_as_escapes() -> None:
    assert show_bytes(b"ok\xff\x00") == "ok\\xff\\x00"


@pytest.mark.parametrize(
    ("number", "what", "said"),
    [
        (0, "session", "0 sessions"),
        (1, "entry", "1 entry"),
        (2_000, "entry", "2,000 entries"),
        (2, "further subject", "2 further subjects"),
    ],
)
def test_counted_things_are_one_or_many(number: int, what: str, said: str) -> None:
    assert count(number, what) == said
