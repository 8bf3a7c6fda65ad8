"""JWKS: which keys count, and why the others do not."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, KeySet, OKPKey
from p256 import CAROL
from signed import ALICE, BOB

from mcpwatch.identity.ed25519 import fingerprint
from mcpwatch.identity.keyset import MAX_SET, BadSet, read_jwks
from mcpwatch.identity.resolution import ResolvedKey
from mcpwatch.identity.verifier import jwk, key_of_jwk

A, B, C = jwk(ALICE.public), jwk(BOB.public), jwk(CAROL.public)


def read(*keys: object, name: str = "keys") -> tuple[tuple[ResolvedKey, ...], dict[str, str]]:
    found = read_jwks(json.dumps({name: keys}).encode())
    return found.keys, dict(found.refused)


def test_keys_go_by_kid_or_else_by_thumbprint() -> None:
    keys, refused = read(
        {**A, "kid": "one", "use": "sig", "alg": "EdDSA", "key_ops": ["verify"]}, B, {**C, "alg": "ES256"}
    )
    names = [(key.name, key.key) for key in keys]
    assert names == [("one", ALICE.public), (fingerprint(BOB.public), BOB.public), (keys[2].thumbprint, CAROL.public)]
    assert refused == {}


def test_what_another_library_publishes() -> None:
    published = KeySet([OKPKey.generate_key("Ed25519"), ECKey.generate_key("P-256")])
    keys, refused = read(*published.as_dict(private=False)["keys"])
    assert (len(keys), refused) == (2, {})
    assert [key.thumbprint for key in keys] == [key.thumbprint() for key in published.keys]


def test_a_ucp_profile_lists_its_signing_keys() -> None:
    keys, _ = read({**C, "kid": "ucp-1"}, name="signing_keys")
    assert [key.name for key in keys] == ["ucp-1"]


def test_keys_have_their_times() -> None:
    keys, _ = read({**A, "nbf": 1_700_000_000, "exp": 1_800_000_000})
    assert (keys[0].valid_from, keys[0].valid_until) == (1_700_000_000, 1_800_000_000)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ({"kty": "OKP", "crv": "Ed25519", "x": "AQ" + "A" * 41}, "small order"),
        ({**C, "y": C["x"]}, "no point of its curve"),
        ({**A, "d": A["x"]}, "private or secret"),
        ({"kty": "oct", "k": "c2VjcmV0"}, "private or secret"),
        ({**A, "x": A["x"][:-1] + "d"}, "canonical base64url"),
        ({**A, "x": A["x"] + "="}, "canonical base64url"),
        ({**A, "x": 7}, "canonical base64url"),
        ({**C, "y": None}, "its y is not in canonical base64url"),
        ({**C, "y": "AQ"}, "its y has 1 octet, not 32"),
        ({**A, "x": A["x"] + "AAAA"}, "its x has 35 octets, not 32"),
        ({"kty": "RSA", "n": "AQAB", "e": "AQAB"}, "not checked here"),
        ({**A, "crv": "X25519"}, "not checked here"),
        ({**A, "kty": ["OKP"]}, "not checked here"),
        ({**A, "alg": "ES256"}, "alg"),
        ({**A, "key_ops": ["sign"]}, "key_ops"),
        ({**A, "key_ops": "verify"}, "key_ops"),
    ],
)
def test_a_key_that_does_not_count_leaves_the_others(key: dict[str, object], reason: str) -> None:
    keys, refused = read({**key, "kid": "bad"}, B)
    assert [key.key for key in keys] == [BOB.public]
    assert reason in refused["bad"]


@pytest.mark.parametrize(
    ("kid", "reason"),
    [
        ("did:web:bob.example", "form of a DID"),
        (f"DID:key:{A['x']}", "form of a DID"),
        (f"key:{fingerprint(BOB.public)}", "form of a DID"),
        (f"key:{fingerprint(ALICE.public)}", "form of a DID"),
    ],
)
def test_a_kid_that_would_pass_for_another_name_rules_its_key_out(kid: str, reason: str) -> None:
    keys, refused = read({**A, "kid": kid}, C)
    assert [key.key for key in keys] == [CAROL.public]
    assert list(refused) == [kid]
    assert reason in refused[kid]


@pytest.mark.parametrize("own", [{}, {"kid": fingerprint(BOB.public)}, {"kid": "b"}])
@pytest.mark.parametrize("is_first", [True, False])
def test_a_kid_that_is_the_thumbprint_of_another_key_rules_its_own_out(own: dict[str, str], is_first: bool) -> None:
    misnamed = {**A, "kid": fingerprint(BOB.public)}
    keys, refused = read(*([misnamed, {**B, **own}] if is_first else [{**B, **own}, misnamed]), C)
    assert {key.key for key in keys} == {BOB.public, CAROL.public}
    assert refused == {misnamed["kid"]: "its kid is the thumbprint (RFC 7638) of another key, and not its own"}


def test_keys_that_have_each_others_thumbprint_for_kid_both_do_not_count() -> None:
    keys, refused = read({**A, "kid": fingerprint(BOB.public)}, {**B, "kid": fingerprint(ALICE.public)})
    assert (keys, len(refused)) == ((), 2)


def test_of_two_keys_under_one_random_kid_neither_counts() -> None:
    keys, refused = read({**A, "kid": "k" * 43}, {**B, "kid": "k" * 43})
    assert (keys, list(refused)) == ((), ["k" * 43])


@pytest.mark.parametrize(
    "kid",
    [
        *(fingerprint(key.public) for key in (ALICE, BOB)),
        *("k" * length for length in (42, 43, 44)),
        "k" * 42 + ".",
        "key",
        "urn:did:x",
    ],
)
def test_a_kid_of_its_own_names_its_key(kid: str) -> None:
    keys, refused = read({**A, "kid": kid})
    assert ([key.name for key in keys], refused) == ([kid], {})


@pytest.mark.parametrize("key", [7, None, "key", [], {**A, "kid": 7}, {**A, "kid": "k" * 600}])
def test_what_is_no_key_at_all(key: object) -> None:
    keys, refused = read(key, B)
    assert [key.key for key in keys] == [BOB.public]
    assert len(refused) == 1


def test_keys_without_a_name_are_told_by_their_place() -> None:
    keys, refused = read(B, {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, 7, {**A, "x": "AQID"}, {"kty": "a\x1b"})
    assert [key.key for key in keys] == [BOB.public]
    assert refused == {
        "key number 2, of type RSA": "it is of a kind that is not checked here",
        "key number 3": "it is no JSON object",
        "key number 4, of type OKP": "its x has 3 octets, not 32",
        "key number 5": "it is of a kind that is not checked here",
    }


def test_keys_for_encryption_are_passed_over() -> None:
    assert read({**A, "use": "enc"}) == ((), {})


def test_two_keys_under_one_kid_count_neither() -> None:
    keys, refused = read({**A, "kid": "one"}, {**B, "kid": "one"}, {**A, "kid": "one"}, C)
    assert [key.key for key in keys] == [CAROL.public]
    assert refused == {"one": "two different keys are published under this name"}
    assert len(read({**A, "kid": "one"}, {**A, "kid": "one"})[0]) == 1


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no JSON object"),
        (b"[]", "no JSON object"),
        (b'{"keys": [], "keys": []}', "a member twice"),
        (b"{}", "no list of keys"),
        (b'{"keys": {}}', "no list of keys"),
        (b"[" * 100_000, "no JSON object"),
        (b"\xff\xfe", "no JSON object"),
        (json.dumps({"keys": [0] * (MAX_SET + 1)}).encode(), "more than 1000"),
        (b" " * 300_000, "no JSON object"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_no_jwks(data: bytes, reason: str) -> None:
    with pytest.raises(BadSet, match=reason):
        read_jwks(data)


_values = st.none() | st.booleans() | st.integers() | st.text(max_size=50) | st.sampled_from([*A.values(), *C.values()])


@given(st.lists(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "d", "kid", "use", "alg", "nbf"]), _values)))
def test_only_keys_that_the_verifier_takes_come_out(keys: list[dict[str, Any]]) -> None:
    good = {key_of_jwk(key) for key in keys}
    assert {key.key for key in read(*keys)[0]} <= good
