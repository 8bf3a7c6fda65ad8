"""Masking: no secret under a listed name comes through, and nothing but secrets changes."""

import json
import string
from base64 import b64encode
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.gateway.mask import MAX_NESTING, mask_body, mask_json
from mcpwatch.gateway.mask_text import mask_authority, mask_name, mask_target
from mcpwatch.gateway.secret_names import secrecy
from mcpwatch.gateway.tables import PUBLIC_NAMES, SECRET_ENDINGS, SECRET_NAMES
from mcpwatch.model.entries import MASK

SEED = "s33d-5ecr3t"

names = st.sampled_from(sorted(SECRET_NAMES)) | st.builds(
    str.__add__, st.text(string.ascii_lowercase, max_size=5), st.sampled_from(sorted(SECRET_ENDINGS))
).filter(lambda name: name not in PUBLIC_NAMES)


@st.composite
def spelt(draw: st.DrawFn) -> str:
    """A secret's name with other capitals and with separators strewn in."""
    return "".join(
        draw(st.sampled_from(("", "_", "-", " ", ".", "__"))) + draw(st.sampled_from((letter, letter.upper())))
        for letter in draw(names)
    )


plain_keys = st.text(max_size=8).filter(lambda key: not secrecy(key))
plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**12), 10**12)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(plain_keys, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def seeded(draw: st.DrawFn, levels: int = 4) -> Any:
    """JSON with a secret under a listed name somewhere in it, perhaps inside strings that are JSON themselves."""
    value: Any = draw(st.sampled_from((SEED, [SEED], [[1, SEED], {"a": 1}], f"Bearer {SEED}", f'"{SEED}\\')))
    value = {draw(spelt()): value}
    for _ in range(draw(st.integers(0, levels))):
        wrap = draw(st.integers(0, 2))
        value = (
            {**draw(st.dictionaries(plain_keys, plain, max_size=2)), draw(plain_keys): value}
            if wrap == 0
            else [draw(plain), value, draw(plain)]
            if wrap == 1
            else {"text": json.dumps(value)}
        )
    return value


@given(seeded(), st.booleans(), st.sampled_from((None, 2)))
def test_no_secret_comes_through(value: Any, ascii_only: bool, indent: int | None) -> None:
    masked, count = mask_body(json.dumps(value, ensure_ascii=ascii_only, indent=indent))
    assert SEED not in masked
    assert count >= 1
    json.loads(masked)


@given(plain, st.booleans(), st.sampled_from((None, 2)))
def test_a_body_without_secrets_keeps_its_text(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert mask_body(text) == (text, 0)


@given(spelt(), plain, plain)
def test_nothing_else_changes(name: str, before: Any, after: Any) -> None:
    value = {"before": before, name: SEED, "inside": json.dumps({name: SEED, "after": after}), "after": after}
    masked, count = mask_body(json.dumps(value))
    inside = json.dumps({name: MASK, "after": after})
    assert masked == json.dumps({"before": before, name: MASK, "inside": inside, "after": after})
    assert count == 2


@pytest.mark.parametrize(
    "text",
    [
        '{"_meta": {"progressToken": "tok-1"}, "requestState": "abc", "nextCursor": "xyz"}',
        '{"usage": {"tokens": 120, "maxTokens": 5, "inputTokens": 7, "costPerToken": 0.1}}',
        '{"type": "object", "properties": {"password": {"type": "string", "title": "x"}}, "required": ["password"]}',
        '{"dependentRequired": {"credit_card": ["billing"], "token": ["secret"]}}',
        '{"password": true, "secret": null, "token": {}}',
        '{"name": "password", "secretary": "Ann", "passing": 1, "tokenizer": "bpe", "key": "k"}',
        '{"text": "the password: swordfish is in {braces} and \\"quotes\\""}',
        "[1e400, -0, 1.0E+2]",
    ],
)
def test_what_only_looks_like_a_secret_stays(text: str) -> None:
    assert mask_body(text) == (text, 0)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ('{"api_key" :\t12 , "a":1}', '{"api_key" :\t"***" , "a":1}'),
        ('{"p\\u0061ssword":"x"}', '{"p\\u0061ssword":"***"}'),
        ('{"token":"a","token":"b"}', '{"token":"***","token":"***"}'),
        ('{"ｐａｓｓｗｏｒｄ":"x"}', '{"ｐａｓｓｗｏｒｄ":"***"}'),
        ('{"secrets":["a",{"b":"c"},["d"]]}', '{"secrets":["***",{"b":"c"},["***"]]}'),
        ('{"password":""}', '{"password":""}'),
    ],
)
def test_json_is_cut_open_at_the_value_only(text: str, masked: str) -> None:
    assert mask_body(text)[0] == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("grant_type=x&client_secret=abc&scope=a b", "grant_type=x&client_secret=***&scope=a b"),
        ("a: b\nAuthorization: Bearer abc.def\nx: y", "a: b\nAuthorization: ***\nx: y"),
        ("/messages/?session_id=abc", "/messages/?session_id=***"),
        ('{"password": "hunter two', '{"password": ***'),
        ('{"password": "a\\"b", }', '{"password": ***, }'),
        ('{"a": {"token": \'x y\'}', '{"a": {"token": ***}'),
        ("note: password=a=b;c", "note: password=***;c"),
        ('{"password":"a"}\n{"password":"b"}\n', '{"password":***}\n{"password":***}\n'),
    ],
)
def test_text_that_is_not_json(text: str, masked: str) -> None:
    assert mask_body(text)[0] == masked


@given(st.text(max_size=300))
def test_any_text_can_be_masked(text: str) -> None:
    masked, count = mask_body(text)
    assert (masked == text) or count


@given(spelt().map(quote), st.text(string.ascii_letters + string.digits + "%+=/", min_size=1))
def test_secrets_in_a_query_are_masked(name: str, secret: str) -> None:
    assert mask_target(f"/a/{name}?x=1&{name}={secret}&y") == (f"/a/{name}?x=1&{name}={MASK}&y", 1)


@pytest.mark.parametrize("target", ["/mcp", "/mcp?", "/mcp?a=1&token", "/mcp?progressToken=1", "*", ""])
def test_targets_without_secrets_stay(target: str) -> None:
    assert mask_target(target) == (target, 0)


def test_deep_nesting_of_strings_is_masked_whole() -> None:
    value: Any = {"a": SEED}
    for _ in range(3):
        value = {"text": json.dumps(value)}
    masked, _ = mask_json(json.dumps(value), MAX_NESTING - 1)
    assert SEED not in masked


@pytest.mark.parametrize(
    ("target", "masked"),
    [
        ("/mcp?a=1;token=s33d", "/mcp?a=1;token=***"),
        ("/mcp?token=s33d;x&b=2", "/mcp?token=***&b=2"),
        ("/mcp#access_token=s33d", "/mcp#access_token=***"),
        ("http://user:s33d@127.0.0.1/mcp?a", "http://user:***@127.0.0.1/mcp?a"),
    ],
)
def test_every_part_of_a_target_that_holds_a_secret(target: str, masked: str) -> None:
    assert mask_target(target) == (masked, 1)


def test_a_user_before_a_host() -> None:
    assert mask_authority("user:s33d@127.0.0.1:80") == "***@127.0.0.1:80"
    assert mask_authority("127.0.0.1:80") == "127.0.0.1:80"


@pytest.mark.parametrize(
    "text",
    [
        r'{"uri":"https://x.example/?api_key=s33d"}',
        r'{"uri":"https:\/\/x.example\/?a=1\u0026api_key=s33d\u0026b"}',
        r'{"uri":"db:orders?token=s33d"}',
        r'{"text":"see https://user:s33d@x.example/ and https://y.example/#access_token=s33d."}',
        r'{"text":"{\"uri\":\"https://x.example/?api_key=s33d\"}"}',
        r'{"text":"{\"password\":\"s33d\",\"cut"}',
        r'{"text":"{\"password\":\"s33d\",\"half\":\"\ud800\"}"}',
    ],
)
def test_secrets_in_addresses_and_in_broken_json_in_strings(text: str) -> None:
    masked, count = mask_body(text)
    assert count >= 1
    assert "s33d" not in masked
    masked.encode()


def test_a_member_of_json_behind_prose_is_masked_whatever_it_is() -> None:
    assert mask_body(r'{"text":"echo {\"password\": \"hunter\"}"}')[0] == r'{"text":"echo {\"password\": ***}"}'
    assert mask_body('{"text":"the password: hunter"}')[0] == '{"text":"the password: hunter"}'


def test_a_name_field_is_masked_as_a_target_is() -> None:
    assert mask_name("get_weather") == ("get_weather", 0)
    assert mask_name("https://x.example/?a=1&api_key=s33d") == ("https://x.example/?a=1&api_key=***", 1)
    inside = b64encode("https://x.example/\u00e4?api_key=s33d".encode()).decode()
    masked, count = mask_name(f"=?base64?{inside}?=")
    assert (count, "s33d" in masked, masked.isascii()) == (1, False, True)
    assert mask_name("=?base64?TWFsbcO2?=") == ("=?base64?TWFsbcO2?=", 0)


def test_a_name_without_end_is_not_remembered_whole() -> None:
    assert secrecy("x" * 1_000_000 + "_password") == "strings"
