"""The structured-field reader against http_sf, which reads everything and takes its time."""

from typing import Any

import http_sf
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mcpwatch.identity import structured

_PIECES = st.sampled_from(
    [
        *'abz*_-.0123456789"\\ ();=,:?@/+\t~é',
        "sig1",
        '"@method"',
        '"x";sf',
        ";created=1",
        '=("a")',
        ";n=1.5",
        ", ",
        ":YQ==:",
        "?1",
        "-0",
    ]
)
_TEXTS = st.lists(_PIECES, max_size=20).map("".join)


def reference(text: str) -> dict[str, tuple[str, str]] | None:
    """What http_sf makes of a dictionary of inner lists of strings, serialised."""
    twice: list[str] = []
    try:
        parsed: Any = http_sf.parse(
            text.encode("ascii"), tltype="dictionary", on_duplicate_key=lambda key, _: twice.append(key)
        )
    except ValueError:
        return None
    if twice or not parsed or not isinstance(parsed, dict):
        return None
    lists = {}
    for label, (members, parameters) in parsed.items():
        if not isinstance(members, list) or any(type(value) is not str for value, _ in members):
            return None
        whole = http_sf.ser({label: (members, parameters)}).removeprefix(f"{label}=")
        bare = http_sf.ser({label: (members, {})}).removeprefix(f"{label}=")
        lists[label] = (bare, whole.removeprefix(bare))
    return lists


@given(_TEXTS)
@example('sig1=("@method" "x";key="a");created=1;nonce="n"')
@example('a=( "x"  "y" ); created=1')
@example('a=("x"), b=()')
@example('a=("x");a=-0')
@example('a=("x");a=1.50')
@example('a=("x");a=:YQ:')
@example('a=("x");a=?1')
@example('a=("x"),')
@example('a=("x"), a=("y")')
@example('a=("x\\\\\\"");b')
def test_reads_as_http_sf_does(text: str) -> None:
    assert structured.inner_lists(text) == reference(text)


@given(st.dictionaries(st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,5}", fullmatch=True), st.binary(max_size=20), min_size=1))
def test_byte_sequences_read_what_http_sf_writes(values: dict[str, bytes]) -> None:
    text = http_sf.ser({name: (value, {}) for name, value in values.items()})
    assert structured.byte_sequences(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a=1",
        "a=:YQ:",
        "a=:YR==:",
        "a=:YQ==",
        "a=:YQ==:,",
        "a=:YQ==:, a=:YQ==:",
        "A=:YQ==:",
        "a=:YQ==:\n",
        'a="x"',
    ],
)
def test_other_byte_sequences_are_malformed(text: str) -> None:
    assert structured.byte_sequences(text) is None


@pytest.mark.parametrize("text", ["a=:YQ==:,b=:Yg==:", "a=:YQ==: \t,\t b=:Yg==:", "a=:YQ==:;x=1, b=:Yg==:"])
def test_byte_sequences_with_other_spacing(text: str) -> None:
    assert structured.byte_sequences(text) == {"a": b"a", "b": b"b"}


def test_a_very_long_field_is_malformed() -> None:
    assert structured.inner_lists('a=("x")' + ";b" * structured.MAX_FIELD) is None
    assert structured.byte_sequences("a=::, b=:" + "YWFh" * structured.MAX_FIELD + ":") is None


def test_parameters_are_decoded() -> None:
    values = structured.parameters(r';created=-5;keyid="a\"b\\";flag;when=@5;half=0.5;none=?0;word=tok')
    assert values == {
        "created": -5,
        "keyid": 'a"b\\',
        "flag": True,
        "when": structured.Other("@5"),
        "half": structured.Other("0.5"),
        "none": structured.Other("?0"),
        "word": structured.Other("tok"),
    }
    assert type(values["word"]) is structured.Other
    assert structured.parameters(";a=1;a=2") is None
