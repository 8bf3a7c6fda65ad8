"""What changed between two definitions, field by field and word by word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rpc import tool

from mcpwatch.model.entries import Json
from mcpwatch.watch.definition_changes import MAX_TEXT, MAX_WORDS, Changed, Piece, changed, pieces


def test_each_field_that_differs_is_named_by_its_path() -> None:
    old = tool("x", "Reads", inputSchema={"properties": {"a": {"type": "string"}, "b": {"enum": ["1", "2"]}}})
    new = tool("x", "Writes", inputSchema={"properties": {"a": {"type": "string"}, "b": {"enum": ["1", "3", "4"]}}})
    assert changed(old, {**new, "annotations": {"readOnlyHint": True}}) == [
        Changed("description", "Reads", "Writes"),
        Changed("inputSchema.properties.b.enum[1]", "2", "3"),
        Changed("inputSchema.properties.b.enum[2]", None, "4"),
        Changed("annotations.readOnlyHint", None, "true"),
    ]
    assert changed(new, new) == []


@pytest.mark.parametrize(
    ("before", "after"), [({"a": {}}, {"a": []}), ({"a": 1}, {"a": {"b": 1}}), ({"a": None}, {}), ("x", {"a": "x"})]
)
def test_another_kind_of_value_is_a_change(before: Json, after: Json) -> None:
    assert changed(before, after)


def test_words_that_stayed_stand_between_those_that_went_and_came() -> None:
    assert pieces("Reads a file.", "Reads the file. Twice") == [
        Piece(" ", "Reads "),
        Piece("-", "a"),
        Piece("+", "the"),
        Piece(" ", " file."),
        Piece("+", " Twice"),
    ]
    assert pieces("", "new") == [Piece("+", "new")]
    assert pieces("same", "same") == [Piece(" ", "same")]


def test_too_much_to_compare_went_and_came_as_a_whole() -> None:
    old, new = ("".join(f"{sign}{number} " for number in range(MAX_WORDS)) for sign in "ab")
    assert [piece.sign for piece in pieces(f"Begin {old}end", f"Begin {new}end")] == [" ", "-", "+", " "]


@pytest.mark.parametrize("filler", ["word ", "漢字"])
def test_a_change_far_inside_a_long_text_is_found_with_its_word(filler: str) -> None:
    long = filler * MAX_TEXT
    assert [piece for piece in pieces(f"{long} good {long}", f"{long} bad {long}") if piece.sign != " "] == [
        Piece("-", "good"),
        Piece("+", "bad"),
    ]
    assert pieces(long, f"{long} bad")[1:] == [Piece("+", " bad")]


texts = st.text(alphabet="ab \n", max_size=40)


@given(texts, texts)
def test_each_side_can_be_put_together_again(before: str, after: str) -> None:
    found = pieces(before, after)
    assert "".join(piece.text for piece in found if piece.sign in " -") == before
    assert "".join(piece.text for piece in found if piece.sign in " +") == after


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json)
def test_nothing_changed_in_what_is_the_same(value: Json) -> None:
    assert changed(value, value) == []


def test_a_deep_definition_ends() -> None:
    deep: Json = "x"
    for _ in range(500):
        deep = {"a": deep}
    (only,) = changed({"a": 1}, deep)[:1]
    assert only.path.count(".") < 30
