"""Outlines: JSON of any shape and size as lines that fold, from its own characters, a slice at a time."""

import json

import pytest
from hostile import CORPUS
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.model.entries import Json
from mcpwatch.text import is_hidden
from mcpwatch.ui.widgets.json_outline import LONG as FIRST
from mcpwatch.ui.widgets.json_outline import MOST_CHARACTERS, Cover, JsonOutline
from mcpwatch.ui.widgets.json_pieces import MOST_LINES, PIECE
from mcpwatch.ui.widgets.json_scan import Event, scan
from mcpwatch.ui.widgets.lines import cells, plain

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=90),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=40,
)
SLICE = 500


def laid(text: str, **options: object) -> JsonOutline:
    """All of a text that is ever laid out, slice by slice."""
    outline = JsonOutline(text, **options)  # type: ignore[arg-type]
    while outline.read(SLICE):
        assert outline.left_out
    return outline


def drawn(outline: JsonOutline) -> list[str]:
    """The lines as they stand on a page."""
    return [plain(outline.line(at)) for at in outline.visible()]


@given(values, st.data())
def test_what_was_folded_and_opened_again_reads_as_before(value: Json, data: st.DataObject) -> None:
    outline = laid(json.dumps(value))
    before = drawn(outline)
    folds = [at for at in outline.visible() if outline.folds(at)]
    chosen = data.draw(st.lists(st.sampled_from(folds), unique=True)) if folds else []
    for at in chosen:
        outline.toggle(at)
    assert (drawn(outline) == before) is not bool(chosen)
    for at in reversed(chosen):
        outline.toggle(at)
    assert drawn(outline) == before
    outline.open_all()
    everything = drawn(outline)
    outline.fold_all()
    outline.open_all()
    assert drawn(outline) == everything and outline.visible() == list(range(len(outline.items)))


@given(values, st.text(min_size=1, max_size=4))
def test_search_finds_what_is_in_a_line_wherever_it_is_folded_away(value: Json, needle: str) -> None:
    outline = laid(json.dumps(value))
    outline.open_all()
    expected = [at for at in outline.visible() if needle.lower() in outline.text(at).lower()]
    outline.fold_all()
    assert outline.find(needle) == expected
    for at in expected:
        outline.reveal(at)
        assert at in outline.visible()


@given(values)
def test_every_name_and_scalar_stands_on_a_line_as_it_was_sent(value: Json) -> None:
    outline = laid(json.dumps(value))
    outline.open_all()
    text = "\n".join(drawn(outline))
    for token in scan(json.dumps(value)):
        if token.event is Event.OTHER:
            assert token.text in text
    assert not any(is_hidden(char) for char in text.replace("\n", ""))


@given(st.text(max_size=60) | values.map(json.dumps), st.integers(0, 60))
def test_the_scanner_takes_what_a_decoder_takes(text: str, cut: int) -> None:
    for each in (text, text[:cut]):
        try:
            json.loads(each, parse_constant=lambda name: json.loads("?"))
            fails = False
        except ValueError:
            fails = True
        assert (list(scan(each))[-1].event is Event.FAULT) is fails


@given(values)
def test_a_line_is_never_wider_than_it_says(value: Json) -> None:
    outline = laid(json.dumps(value, ensure_ascii=False), cover=Cover.ALL)
    for at in outline.visible():
        assert cells(outline.line(at)) <= outline.cells(at)


def test_names_that_come_twice_and_numbers_stay_as_they_were_sent() -> None:
    lines = drawn(laid('{"tool": "read", "tool": "delete", "n": 1.50, "big": 12345678901234567890, "e": 1e400}'))
    assert [line.strip() for line in lines[1:3]] == ['"tool": "read",', '"tool": "delete",']
    assert "1.50" in lines[3] and "12345678901234567890" in lines[4] and "1e400" in lines[5]


def test_json_in_a_string_is_laid_out_and_said_to_be_that() -> None:
    inner = json.dumps({"order": "A-1090", "lines": [{"sku": "x" * 40, "count": 2}, {"sku": "y" * 40, "count": 1}]})
    outline = laid(json.dumps({"content": [{"type": "text", "text": inner}], "isError": False}))
    text = outline.whole
    assert '"text": JSON in a string' in text and '"order": "A-1090",' in text and '"isError": false' in text
    outline.toggle(next(at for at in outline.visible() if "JSON in" in outline.text(at)))
    assert "A-1090" not in outline.whole and "isError" in outline.whole


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": [1, 2,, 3], "b": 2}', "not JSON from character 12 on, where a value may stand"),
        ('{"a": "x', "not JSON from character 5 on, where a value may stand"),
        ('{"a" 1}', "not JSON from character 5 on, where a colon may stand"),
        ("[1] 2", "not JSON from character 4 on, where nothing more may stand"),
    ],
)
def test_what_stops_being_json_is_told_and_the_rest_is_text(text: str, says: str) -> None:
    outline = laid(text)
    assert says in outline.whole
    assert text[-2:] in outline.whole


def test_what_never_was_json_is_its_own_lines() -> None:
    assert [line.strip() for line in drawn(laid("hello\r\nworld"))] == ["hello", "world"]


@pytest.mark.parametrize("text", CORPUS)
def test_hostile_names_and_values_are_shown_safely(text: str) -> None:
    for each in (text, json.dumps({text: text, "in": [text, {"more": text}]}), json.dumps(text)):
        outline = laid(each, masked=True, sources={"arguments": text})
        outline.open_all()
        assert not any(is_hidden(char) for char in outline.whole.replace("\n", ""))


LONG = {
    "ten megabytes": json.dumps(
        [{"name": f"n{at}", "text": "x" * 90, "in": {"a": ["b" * 80]}} for at in range(45_000)]
    ),
    "ten thousand deep": "[" * 10_000 + "]" * 10_000,
    "a million elements": json.dumps([0] * 1_000_000),
    "one string": json.dumps("x" * 10_000_000),
    "one string of lines": json.dumps("é\n" * 2_000_000),
    "one name": json.dumps({"n" * 1_000_000: 1}),
    "a title": json.dumps({"title": "t" * 100_000}),
    "no JSON": "\x1b]" * 1_000_000,
}


@pytest.mark.parametrize("what", LONG)
def test_a_huge_text_is_bounded_and_says_what_was_not_looked_at(what: str) -> None:
    text = LONG[what]
    outline = laid(text)
    outline.open_all()
    assert len(outline.items) <= MOST_LINES + 1_100
    assert max(len(outline.text(at)) for at in outline.visible()) < 10_000
    shown = sum(len(outline.text(at)) for at in outline.visible())
    assert shown <= 6 * MOST_CHARACTERS
    if what in ("ten thousand deep", "a title"):
        assert not outline.left_out
    else:
        assert "characters" in outline.left_out
        assert (" not laid out" in outline.whole) is (what != "one name")


@pytest.mark.parametrize("what", LONG)
def test_a_slice_takes_no_more_of_a_huge_text_than_its_share(what: str) -> None:
    outline = JsonOutline(LONG[what])
    outline.read(SLICE)
    assert len(outline.items) <= 2 * SLICE


def test_lines_that_are_signed_differ_from_those_that_are_not() -> None:
    call = {"jsonrpc": "2.0", "params": {"name": "pay", "arguments": {"to": "x"}, "_meta": {"a": 1}}}
    lines = drawn(laid(json.dumps(call), cover=Cover.ARGUMENTS))
    signed = [line for line in lines if line.startswith("┃")]
    assert len(signed) == 2 and '"name"' in signed[0] and '"arguments"' in signed[1]
    assert all(line.startswith("┊") for line in lines if line not in signed)
    assert all(line.startswith("┃") for line in drawn(laid(json.dumps(call), cover=Cover.ALL)))


def test_a_value_says_that_it_was_masked_and_where_it_came_from() -> None:
    call = {"params": {"arguments": {"paths": ["/etc/hosts"], "key": "***", "other": "/etc/hosts"}}}
    lines = drawn(laid(json.dumps(call), masked=True, sources={"arguments.paths[0]": "call 4, content[0].text"}))
    noted = [line.strip() for line in lines if "←" in line or "masked" in line]
    assert noted == ['"/etc/hosts"  ← call 4, content[0].text', '"key": "***",  masked']


def test_too_many_lines_of_json_in_a_string_fold_with_what_they_stand_in() -> None:
    inner = json.dumps({"deep": [["x" * 9] * MOST_LINES]})
    before = ["y" * 90] * 3
    outline = laid(json.dumps([*before, inner, "after"]))
    opened = [at for at, item in enumerate(outline.items) if item.text in ("{", "[")]
    assert len(opened) == 4 and all(outline.items[at].end == len(outline.items) for at in opened)
    first = len(json.dumps(before))
    assert f"after the first {first + 1:,} of" in outline.left_out


@pytest.mark.parametrize("before", [FIRST - 3, FIRST + PIECE - 3, FIRST + 40 * PIECE - 1])
def test_a_text_is_found_across_the_places_where_a_long_string_is_cut(before: int) -> None:
    outline = laid(json.dumps({"a": "x" * before + "Needle" + "y" * 90, "b": 1}))
    (at,) = outline.find("nEEDLE")
    assert outline.text(at).startswith(("│ dley", "│ eedley"))
    assert not outline.find("xy") and len(outline.find("xn")) == len(outline.find("ley")) == 1


@pytest.mark.parametrize("around", ["{}", "no JSON {}", '["{}", ', '{{"a": "one\\n{}"}}'])
def test_a_text_is_found_across_the_places_where_a_long_line_is_cut(around: str) -> None:
    outline = laid(around.format("x" * (PIECE - 3) + "x" * 7 + "needle" + "y" * (9 * PIECE)))
    assert len(outline.find("needle")) == 1 and len(outline.find("xneed")) == 1
    for at in range(PIECE - 20, PIECE):
        outline = laid("x" * at + "needle" + "y" * PIECE)
        assert len(outline.find("needle")) == 1


def test_what_only_looks_as_if_it_went_on_is_not_found() -> None:
    outline = laid(json.dumps("x" * 90 + "nee\ndle" + "\n" * 90 + "nee\ndle"))
    assert not outline.find("needle") and len(outline.find("nee")) == 2


def test_a_search_that_misses_part_of_a_long_name_says_so() -> None:
    assert laid(json.dumps({"n" * 300 + "needle": 1})).left_out == "106 characters of a long name"
