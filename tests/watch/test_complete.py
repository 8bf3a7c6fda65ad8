"""Completion offers the words and the values of the traffic at hand, and each candidate is a filter."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from watched import Stage

from mcpwatch.watch.complete import complete
from mcpwatch.watch.query import parse


def _stage() -> Stage:
    stage = Stage()
    stage.request("read_file", session=stage.session("5e551047", upstream="files"))
    stage.alert(0)
    return stage


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("to", "tool:"),
        ("a | !to", "a | !tool:"),
        ("(du", "(dur>"),
        ("sig:ver", "sig:verified"),
        ("sev>=h", "sev>=high"),
        ("server:", "server:files"),
        ("sess:5e", "sess:5e551047"),
        ("method:", "method:tools/call"),
        ("rule:", "rule:identity/bad-signature"),
        ('sess:"5e', "sess:5e551047"),
    ],
)
def test_it_goes_on_from_what_was_typed(typed: str, first: str) -> None:
    stage = _stage()
    assert next(candidate.apply(typed) for candidate in complete(typed, stage.state)) == first


@pytest.mark.parametrize("typed", ["zzz", "tol:x", "dur>5", "tool:nothing"])
def test_where_there_is_nothing_it_offers_nothing(typed: str) -> None:
    assert complete(typed, _stage().state) == []


def test_a_value_with_spaces_is_offered_in_quotes() -> None:
    stage = Stage()
    stage.request(session=stage.session('a "b"'))
    assert [candidate.text for candidate in complete("sess:", stage.state)] == ['sess:"a \\"b\\""']
    assert parse('sess:"a \\"b\\""').matches(next(iter(stage.state.rows)), stage.state)


@given(st.text(alphabet='()|!":=<>re/ tolsevdu\\', max_size=30))
def test_any_text_can_be_completed(typed: str) -> None:
    for candidate in complete(typed, _stage().state):
        assert candidate.apply(typed).startswith(typed[: candidate.start])


def test_saved_filters_are_offered_with_what_they_stand_for() -> None:
    found = complete("a @b", _stage().state, {"bad": "sig:bad", "other": "x"})
    assert [(each.apply("a @b"), each.help) for each in found] == [("a @bad", "sig:bad")]
