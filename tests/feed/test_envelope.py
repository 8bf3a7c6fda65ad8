"""Leaves: one canonical form, and nothing but Malformed for all else."""

import base64
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors

from mcpwatch.feed.envelope import ENVELOPES, MAX_LEAF, Malformed, decode, encode, seal
from mcpwatch.model.entries import Data, Record, Request, Response

TIME = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)
LEAF = encode(seal(17, "gateway.example/feed/1", TIME, Response(exchange=16, status=200, headers=(("a", "b"),))))


def bounded(value: Any) -> Any:
    """The same struct with its numbers, at any depth, inside the bounds that hypothesis does not read."""
    if type(value) is int:
        return abs(value) % 2**53
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.asdict(value)
        return msgspec.structs.replace(value, **{name: bounded(each) for name, each in fields.items()})
    return value


moments = st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30), timezones=st.just(UTC))
records = st.builds(
    seal,
    st.integers(0, 2**53),
    st.text(max_size=20),
    moments,
    st.one_of([st.from_type(each) for each in get_args(Data)]).map(bounded),
)


def test_every_kind_of_data_has_its_envelope() -> None:
    assert set(ENVELOPES) == set(get_args(Data))
    assert set(ENVELOPES.values()) == set(get_args(Record))


def test_the_form_of_a_leaf() -> None:
    assert LEAF == (
        b'{"type":"mcpwatch.exchange.response","specversion":"1.0","id":"17","source":"gateway.example/feed/1",'
        b'"time":"2026-11-22T12:00:00.250000Z","data":{"exchange":16,"status":200,"headers":[["a","b"]]}}'
    )


@given(records)
def test_what_is_sealed_and_encoded_decodes_to_the_same(record: Record) -> None:
    leaf = encode(record)
    assert b"\n" not in leaf
    assert b"\r" not in leaf
    assert decode(leaf) == record


def test_a_time_of_another_zone_is_sealed_as_utc() -> None:
    east = TIME.astimezone(timezone(timedelta(hours=5)))
    assert encode(seal(17, "gateway.example/feed/1", east, decode(LEAF).data)) == LEAF


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":"17"', b'"id": "17"'),
        (b'"id":"17"', b'"id":"17","id":"17"'),
        (b'"id":"17"', b'"id":"17","\\u0069d":"18"'),
        (b'"id":"17"', b'"id":17'),
        (b'"id":"17"', b'"id":"\\u0031\\u0037"'),
        (b'"id":"17","source":"gateway.example/feed/1"', b'"source":"gateway.example/feed/1","id":"17"'),
        (b'{"type"', b'{"type":"mcpwatch.exchange.response","type"'),
        (b'"type":"mcpwatch.exchange.response",', b""),
        (b"exchange.response", b"exchange.unheard"),
        (b'"1.0"', b'"1.1"'),
        (b'"1.0"', b"1.0"),
        (b'["a","b"]', b'["a","b","c"]'),
        (b'["a","b"]', b'["a"]'),
        (b'["a","b"]', b'["a","\xff"]'),
        (b'["a","b"]', b'["a","\\ud800"]'),
        (b'["a","b"]', b'["a","\xed\xa0\x80"]'),
        (b'["a","b"]', b'["a","\\/"]'),
        (b'"status":200', b'"status":200,"session":""'),
        (b'"status":200', b'"status":200,"extra":1'),
        (b'"status":200', b'"status":200,"extra":' + b"[" * 100_000),
        (b'"status":200', b'"status":2e2'),
        (b'"status":200', b'"status":200.0'),
        (b'"status":200', b'"status":"200"'),
        (b'"status":200', b'"status":true'),
        (b'"status":200', b'"status":-1'),
        (b'"status":200', b'"status":9007199254740992'),
        (b'"status":200', b'"status":' + b"9" * 5000),
        (b"250000Z", b"25Z"),
        (b"250000Z", b"250000+00:00"),
        (b"250000Z", b"250000"),
        (b"250000Z", b"250000+01:00"),
        (b"T12", b"t12"),
        (b"2026-11", b"2026-13"),
        (b"2026", b"9999"),
        (b"2026", b"0001"),
        (b"]}}", b"]}} "),
        (b"]}}", b"]}}}"),
        (b"]}}", b"]}"),
    ],
)
def test_another_spelling_is_malformed(old: bytes, new: bytes) -> None:
    changed = LEAF.replace(old, new, 1)
    assert changed != LEAF
    with pytest.raises(Malformed):
        decode(changed)


@pytest.mark.parametrize("prefix", [b"", b'{"a":', b'{"type":', LEAF[:35] + b',"type":', LEAF[:-2] + b',"a":'])
@pytest.mark.parametrize("nest", [b"[", b'{"a":'])
def test_deep_nesting_is_malformed(prefix: bytes, nest: bytes) -> None:
    for depth in (33, 1_000, 80_000):
        with pytest.raises(Malformed):
            decode(prefix + nest * depth)


def test_the_reason_is_short_whatever_the_leaf_says() -> None:
    with pytest.raises(Malformed) as caught:
        decode(LEAF.replace(b'"status"', b'"' + b"x" * 10_000 + b'"'))
    assert 0 < len(caught.value.reason) <= 200


def test_a_leaf_has_a_largest_size() -> None:
    room = MAX_LEAF - len(LEAF)
    full = decode(LEAF.replace(b'"b"', b'"b' + b"x" * room + b'"'))
    assert len(encode(full)) == MAX_LEAF
    with pytest.raises(Malformed, match="larger"):
        decode(LEAF.replace(b'"b"', b'"b' + b"x" * (room + 1) + b'"'))


@given(st.binary(max_size=200))
def test_any_octets_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        decode(data)


@given(st.data())
def test_a_spoiled_leaf_is_malformed_or_canonical(data: st.DataObject) -> None:
    spoiled = bytearray(LEAF)
    spoiled[data.draw(st.integers(0, len(LEAF) - 1))] = data.draw(st.integers(0, 255))
    leaf = bytes(spoiled)
    try:
        record = decode(leaf)
    except Malformed:
        return
    assert encode(record) == leaf


def test_the_json_test_suite() -> None:
    """As leaves, and in the place of a value: nothing but Malformed, nothing accepted in a second spelling."""
    suite = json.loads(vectors("vectors/json/json_test_suite.json").read_bytes())
    assert len(suite) > 300
    for name, text in suite.items():
        body = base64.b64decode(text)
        with pytest.raises(Malformed):
            decode(body)
        for target in (b'"b"', b'"17"', b"200", b"[[", b'{"exchange"', b'"type"'):
            leaf = LEAF.replace(target, body, 1)
            try:
                record = decode(leaf)
            except Malformed:
                continue
            assert encode(record) == leaf, name


def test_a_body_with_any_text_survives() -> None:
    text = '\u2028\x00\x7f\x9b"\\/\U0001f600' + "{" * 5_000
    request = msgspec.convert(
        {
            "upstream": "u",
            "method": "POST",
            "scheme": "http",
            "authority": "a",
            "target": "/\t",
            "peer": "p",
            "headers": [["x", text]],
            "body": {"size": 1, "sha256": "0" * 64, "text": text},
        },
        Request,
    )
    record = decode(encode(seal(0, "o", TIME, request)))
    assert record.data == request
