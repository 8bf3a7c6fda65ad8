"""Where each key of a TOML file stands, and a document as text."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.toml_places import place_of
from mcpwatch.toml_text import Malformed, Path, document_text, dotted, read

TEXT = '''a = 1
"b c".d = [1, "x]", # not the end ]
  2,]
[upstream.n.tool."del*"]
roles = ["a"]
[[allow]]
rule = "x"
[[allow]]
until = 2026-01-01 00:00:00Z
x = {y = {z=1}, w=[{q=1}]}
s = """a
] [x]
y = 1\\""" # """
t = \'\'\'
[no]\'\'\'
[allow.sub]
"\\u006b" = 1
'''


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (("a",), (1, 1)),
        (("b c", "d"), (2, 1)),
        (("b c", "d", 1), (2, 15)),
        (("b c", "d", 2), (3, 3)),
        (("upstream",), (4, 2)),
        (("upstream", "n", "tool", "del*"), (4, 2)),
        (("upstream", "n", "tool", "del*", "roles", 0), (5, 10)),
        (("allow", 0, "rule"), (7, 1)),
        (("allow", 1), (8, 3)),
        (("allow", 1, "x", "y", "z"), (10, 11)),
        (("allow", 1, "x", "w", 0, "q"), (10, 21)),
        (("allow", 1, "s"), (11, 1)),
        (("allow", 1, "t"), (14, 1)),
        (("allow", 1, "sub", "k"), (17, 1)),
        (("allow", 1, "sub", "missing"), (16, 2)),
        (("no",), None),
        ((), None),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_key_is_where_it_begins(path: Path, place: tuple[int, int] | None, end: str) -> None:
    text = TEXT.replace("\n", end)
    read(text)
    assert place_of(text, path) == place


def test_nothing_is_found_in_what_is_no_toml() -> None:
    for text in ("= = =", "[", "a = [", "a = " + "[" * 3_000):
        with pytest.raises(Malformed):
            read(text)
        assert place_of(text, ("b",)) is None


def test_a_path_is_written_as_a_person_does() -> None:
    assert dotted(("upstream", "files", "tool", "delete_*", "roles", 0)) == 'upstream.files.tool."delete_*".roles[1]'


KEYS = st.text(st.characters(codec="utf-8"), max_size=6)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8"), max_size=10)
    | st.datetimes(datetime(1, 1, 2), datetime(9999, 1, 1), timezones=st.just(UTC)),
    lambda inner: st.lists(inner.filter(lambda value: not isinstance(value, datetime)), max_size=3),
    max_leaves=5,
)
DOCUMENTS = st.recursive(
    st.dictionaries(KEYS, VALUES, max_size=3),
    lambda inner: st.dictionaries(KEYS, VALUES | inner | st.lists(inner, min_size=1, max_size=2), max_size=3),
    max_leaves=6,
)


@given(DOCUMENTS)
def test_a_document_reads_back_and_every_key_is_found(document: dict[str, object]) -> None:
    text = document_text(document)
    assert read(text) == document
    lines = text.split("\n")
    for path in paths(document):
        place = place_of(text, path)
        assert place is not None
        assert lines[place.line - 1][place.column - 1 :]


def paths(value: object, at: Path = ()) -> Iterator[Path]:
    if isinstance(value, dict):
        for name, each in value.items():
            yield (*at, name)
            yield from paths(each, (*at, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            yield from paths(each, (*at, index))
