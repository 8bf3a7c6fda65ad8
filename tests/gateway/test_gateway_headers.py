"""Header fields: what goes on, what is logged, what is only named."""

import pytest

from mcpwatch.gateway.headers import content_encoding, covered, end_to_end, first, logged


def test_what_connection_names_stays_on_the_hop() -> None:
    headers = [(b"Connection", b"x-a, close"), (b"X-A", b"1"), (b"connection", b"X-B"), (b"x-b", b"2"), (b"X-C", b"3")]
    assert end_to_end(headers) == [(b"X-C", b"3")]
    assert end_to_end(headers, frozenset({b"x-c"})) == []


def test_order_and_repetition_are_kept() -> None:
    headers = [(b"Set-Cookie", b"a"), (b"X", b"1"), (b"set-cookie", b"b"), (b"Transfer-Encoding", b"chunked")]
    assert end_to_end(headers) == headers[:3]


def test_the_first_field_of_a_name() -> None:
    headers = [(b"Accept", b"one"), (b"accept", b"two")]
    assert first(headers, b"accept") == b"one"
    assert first(headers, b"x") is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (
            b'sig1=("@method" "content-digest" "mcp-session-id");created=1;keyid="mcp-name"',
            "@method content-digest mcp-session-id",
        ),
        (b'a=("x"), b=("y";sf "@query-param";name="z")', "x y @query-param z"),
        (b'a=("x";key="(y)")', "x (y)"),
        (b"a=()", ""),
        (b'a=("x', ""),
        (b"\xff(", ""),
    ],
)
def test_what_a_signature_covers(value: bytes, names: str) -> None:
    assert covered([(b"Signature-Input", value)]) == set(names.split())


def test_only_listed_and_covered_fields_are_logged() -> None:
    headers = [
        (b"Content-Type", b"application/json"),
        (b"X-Tenant", b"acme"),
        (b"X-Other", b"unlisted"),
        (b"Mcp-Session-Id", b"s3cret"),
        (b"Mcp-Param-City", b"Oslo"),
        (b"Authorization", b"Bearer s3cret"),
        (b"Cookie", b"s3cret"),
        (b"cookie", b"s3cret"),
        (b"Mcp-Name", b"caf\xc3\xa9"),
        (b"Signature-Input", b'sig=("x-tenant" "authorization" "cookie" "mcp-param-city")'),
    ]
    kept, withheld = logged(headers)
    assert [name for name, _ in kept] == ["content-type", "x-tenant", "mcp-name", "signature-input"]
    assert dict(kept)["mcp-name"] == "caf\u00c3\u00a9"
    assert withheld == ("mcp-param-city", "authorization", "cookie")


def test_a_session_id_is_logged_only_where_a_signature_covers_it() -> None:
    session = (b"Mcp-Session-Id", b"abc")
    assert logged([session]) == ((), ())
    kept, _ = logged([session, (b"Signature-Input", b'sig=("mcp-session-id")')])
    assert ("mcp-session-id", "abc") in kept


def test_no_signature_makes_a_secret_field_be_logged() -> None:
    headers = [
        (b"X-Goog-Api-Key", b"s3cret"),
        (b"Private-Token", b"s3cret"),
        (b"Signature-Input", b'sig=("x-goog-api-key" "private-token")'),
    ]
    kept, withheld = logged(headers)
    assert [name for name, _ in kept] == ["signature-input"]
    assert withheld == ("x-goog-api-key", "private-token")


def test_a_name_field_with_a_secret_is_masked_and_named() -> None:
    headers = [(b"Mcp-Name", b"https://x.example/?token=s3cret")]
    assert logged(headers) == ((("mcp-name", "https://x.example/?token=s3cret"),), ())
    assert logged(headers, masked=True) == ((("mcp-name", "https://x.example/?token=***"),), ("mcp-name",))


@pytest.mark.parametrize(
    ("values", "encoding"),
    [
        ((), ""),
        ((b"",), ""),
        ((b"identity",), ""),
        ((b" GZip ",), "gzip"),
        ((b"identity, gzip",), "gzip"),
        ((b"gzip", b"br"), "gzip, br"),
    ],
)
def test_identity_is_no_encoding(values: tuple[bytes, ...], encoding: str) -> None:
    assert content_encoding([(b"Content-Encoding", value) for value in values]) == encoding
