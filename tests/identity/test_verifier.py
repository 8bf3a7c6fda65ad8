"""The one verifier over both kinds of key, against published vectors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors
from signed import ALICE

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import verifier


def test_every_wycheproof_p256_vector_gets_its_verdict() -> None:
    groups = json.loads(vectors("vectors/ed25519/wycheproof_ecdsa_p256_p1363_test.json").read_text())["testGroups"]
    wrong, count = [], 0
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["uncompressed"])
        for case in group["tests"]:
            count += 1
            holds = verifier.verify(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            if holds is not (case["result"] == "valid"):
                wrong.append(case["tcId"])
    assert count > 200
    assert wrong == []


def test_the_thumbprint_of_an_ec_key_is_that_of_dpops_own_example() -> None:
    """RFC 9449, section 6.1: the key of its example proof, and the `jkt` it binds."""
    key = verifier.key_of_jwk(
        {
            "kty": "EC",
            "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
            "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
            "crv": "P-256",
        }
    )
    assert key is not None
    assert verifier.fingerprint(key) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "RSA"},
        {"crv": "X25519"},
        {"x": "YR"},
        {"x": encode_base64url(bytes(32))},
        {"x": 7},
        {"d": encode_base64url(bytes(32))},
    ],
)
def test_a_jwk_without_a_key_that_may_be_enrolled_is_none(change: dict[str, object]) -> None:
    good: dict[str, object] = dict(verifier.jwk(ALICE.public))
    assert verifier.key_of_jwk(good) == ALICE.public
    assert verifier.key_of_jwk(good | change) is None


@given(st.one_of(st.binary(max_size=80), st.binary(min_size=64, max_size=64).map(lambda rest: b"\x04" + rest)))
def test_no_octets_make_it_raise(key: bytes) -> None:
    assert not verifier.verify(key, b"message", bytes(64))
    assert verifier.good_key(key) in (True, False)
