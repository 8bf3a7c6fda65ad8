"""The backstop: whatever a widget lets by, nothing that acts leaves as text."""

import pytest
from hostile import CORPUS
from hypothesis import given
from hypothesis import strategies as st
from recorder import faults
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from mcpwatch.text import is_hidden
from mcpwatch.ui.terminal.guard import Guard

GROUND = Color.parse("black")


def guarded(text: str, style: Style | None = None) -> Segment:
    """One segment through the guard."""
    return Guard().apply([Segment(text, style)], GROUND)[0]


@pytest.mark.parametrize("text", CORPUS)
def test_no_hostile_text_passes(text: str) -> None:
    assert not any(is_hidden(char) for char in guarded(text).text)


@given(st.text())
def test_text_keeps_its_width_and_loses_what_is_hidden(text: str) -> None:
    out = guarded(text).text
    assert not any(is_hidden(char) for char in out)
    if not any(is_hidden(char) for char in text):
        assert out == text
    assert cell_len(out) == sum(cell_len(char) for char in text)


# A colour is the one attack that looks like Textual's own; the guard's test above catches it.
NOTICED = [text for text in CORPUS if any(map(is_hidden, text)) and "\x1b[31m" not in text]


@pytest.mark.parametrize("text", NOTICED)
def test_the_reader_of_terminals_would_notice(text: str) -> None:
    assert list(faults(text)) or set(filter(is_hidden, text)) <= set("\n\r\x07")


def test_hyperlinks_are_dropped() -> None:
    segment = guarded("click", Style(link="https://evil.example", bold=True))
    assert segment.style is not None and segment.style.link is None and segment.style.bold


def test_clean_segments_stay_the_same_object() -> None:
    segment = Segment("clean", Style(bold=True))
    assert Guard().apply([segment], GROUND)[0] is segment
