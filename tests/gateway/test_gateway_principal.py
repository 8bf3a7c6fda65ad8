"""Principals: what a token says, and nothing by which it could be used."""

import base64
import hashlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcpwatch.gateway.principal import KeyedHash, read_principal
from mcpwatch.model.entries import Principal

HASHED = KeyedHash(b"k" * 32)


def jwt(claims: object, head: object = {"alg": "ES256"}, signature: str = "c2ln") -> bytes:
    parts = (base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in (head, claims))
    return ".".join((*parts, signature)).encode()


def read(value: bytes) -> Principal:
    principal = read_principal([(b"authorization", value)], HASHED)
    assert principal is not None
    return principal


def test_the_claims_of_a_jwt() -> None:
    token = jwt({"iss": "https://as", "sub": "alice", "aud": ["a", "b"], "exp": 1.5e9, "cnf": {"jkt": "thumb"}})
    assert read(b"DPoP  " + token) == Principal(
        scheme="dpop",
        token_hash=HASHED(token),
        issuer="https://as",
        subject="alice",
        audience=("a", "b"),
        expires=1_500_000_000,
        algorithm="ES256",
        key_thumbprint="thumb",
        access_token_sha256=base64.urlsafe_b64encode(hashlib.sha256(token).digest()).rstrip(b"=").decode(),
    )


def test_only_a_dpop_token_is_hashed_for_its_proof() -> None:
    assert read(b"DPoP Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU").access_token_sha256 == (
        "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"
    )
    assert read(b"Bearer Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU").access_token_sha256 == ""


def test_two_authorization_fields_are_a_token_of_their_own() -> None:
    token = jwt({"sub": "alice"})
    fields = [(b"Authorization", b"Bearer " + token), (b"authorization", b"DPoP x")]
    assert read_principal(fields, HASHED) == Principal("several", HASHED(b"Bearer " + token + b", DPoP x"))


def test_an_unsigned_token_says_so() -> None:
    principal = read(b"Bearer " + jwt({"sub": "alice"}, {"alg": "none"}, ""))
    assert (principal.algorithm, principal.subject) == ("none", "alice")


@pytest.mark.parametrize("head", [{}, {"alg": ""}, {"alg": " "}, {"alg": 5}])
def test_a_token_that_says_no_algorithm_is_an_opaque_one(head: object) -> None:
    principal = read(b"Bearer " + jwt({"sub": "alice"}, head))
    assert (principal.algorithm, principal.subject) == ("", "")


@pytest.mark.parametrize(
    "token",
    [
        b"opaque",
        b"a.b.c",
        b"..",
        b"",
        b"\xff.\xff.\xff",
        jwt([1]).replace(b".", b"!"),
        jwt({"sub": "x"}, "no head"),
        b"x" * 20_000,
        jwt({"sub": "x" * 20_000}),
    ],
)
def test_an_opaque_token_is_only_hashed(token: bytes) -> None:
    assert read(b"Bearer " + token) == Principal(scheme="bearer", token_hash=HASHED(token))


@pytest.mark.parametrize(
    "claims", [{"iss": 1, "sub": [], "aud": {}, "exp": "soon", "cnf": "x"}, {"exp": 1e300, "aud": [1]}]
)
def test_claims_of_the_wrong_kind_are_left_out(claims: object) -> None:
    token = jwt(claims)
    assert read(b"Bearer " + token) == Principal(scheme="bearer", token_hash=HASHED(token), algorithm="ES256")


@pytest.mark.parametrize("value", [b"s3cret", b"s3cret-word s3cret", b" s3cret", b"Bearer\ts3cret"])
def test_a_word_that_is_no_scheme_may_be_the_secret(value: bytes) -> None:
    assert read(value) == Principal(scheme="", token_hash=HASHED(value))


def test_no_token_no_principal() -> None:
    assert read_principal([(b"cookie", b"x")], HASHED) is None


def test_hashes_differ_by_key_and_by_secret() -> None:
    assert HASHED(b"a") == KeyedHash(b"k" * 32)(b"a")
    assert len({HASHED(b"a"), HASHED(b"b"), KeyedHash(b"j" * 32)(b"a")}) == 3
    assert len(HASHED(b"a")) == 32


@given(st.binary(max_size=200))
def test_anything_may_come_as_a_token(value: bytes) -> None:
    read(value)
