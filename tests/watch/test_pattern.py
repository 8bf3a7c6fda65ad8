"""Regular expressions that could run for ever are refused."""

import pytest

from mcpwatch.watch.pattern import MAX_PATTERN, BadPattern, compile_pattern, found


@pytest.mark.parametrize(
    "pattern",
    [
        r"(a+)+b",
        r"(a*)*",
        r"(?:a|a)*b",
        r"((ab+)c)*",
        r"(a?a?)*b",
        r"([^/]+/)+x",
        r"(?P<n>a+){2,}",
        r"(a{1,5})+",
        r"(x(y|z))*",
        r"(a)\1",
        r"(?P<n>a)(?P=n)",
        r".*a.*b.*c",
        r"(a+){20}",
        "a?" * 60 + "a" * 60,
        "(a|aa)" * 25 + "b",
        r"(?x)(a+) +b",
        r"(?ix: (a+) + b)",
        r"(a+)(?#)+b",
        r"(?:\b){30000000}b",
        r"(?:(?:(?=a)){9999}){9999}b",
        r"(?:\b){30000000,}b",
        ".*(a|b)(a|b)(a|b)(a|b).*c",
        "a" * (MAX_PATTERN + 1),
        "(",
        "a{99999999999999}",
    ],
)
def test_a_pattern_that_is_none_or_could_take_for_ever_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        compile_pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"read.*file", "please READ a File"),
        (r"\d{4}-\d{2}-\d{2}", "on 2026-11-22"),
        (r"(?:foo|bar)baz", "barbaz"),
        (r"a.*b.*c", "a b c"),
        (r"[)(+*]+x", "+*x"),
        (r"(ab)+", "abab"),
        (r"\(\w+\)", "f(x)"),
        (r"(a+)?b", "aab"),
        (r"[[a]b", "[b"),
        (r"https?://.*(get|put|post)", "HTTP://x/post"),
        (r"(?i:foo)|(?P<x>bar)|ba?z", "bz"),
        (r"^(?:[0-9a-f]{2}:){5}", "00:11:22:33:44:55"),
        (r"^.*?(?:read|write)_[a-z]+?$", "fs.write_file"),
    ],
)
def test_a_pattern_is_found_where_it_stands(pattern: str, text: str) -> None:
    assert found(pattern, text)


def test_only_the_beginning_is_searched_and_less_with_more_repeats() -> None:
    assert found("needle", "x" * 1_990 + "needle")
    assert not found("needle", "x" * 2_000 + "needle")
    assert found("ne+d.*", "x" * 490 + "need")
    assert not found("ne+d.*", "x" * 500 + "need")


def test_less_is_searched_where_there_are_choices_beside_two_repeats() -> None:
    assert found("ne+d.*[ab]?", "x" * 380 + "need")
    assert not found("ne+d.*[ab]?", "x" * 480 + "need")
