"""The one verifier against published vectors, and the names of a key."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared import vectors
from signed import ALICE, BOB

from mcpwatch.encoding import decode_base64
from mcpwatch.identity import base58, ed25519

RFC9421_KEY = bytes.fromhex("26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb")
SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
]


def test_every_wycheproof_vector_gets_its_verdict() -> None:
    groups = json.loads(vectors("vectors/ed25519/wycheproof_ed25519_test.json").read_text())["testGroups"]
    wrong, count = [], 0
    for group in groups:
        key = bytes.fromhex(group["publicKey"]["pk"])
        for case in group["tests"]:
            count += 1
            holds = ed25519.verify(key, bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"]))
            if holds is not (case["result"] == "valid"):
                wrong.append(case["tcId"])
    assert (count, wrong) == (151, [])


def test_speccheck_accepts_only_its_fourth_case() -> None:
    cases = json.loads(vectors("vectors/ed25519/speccheck_cases.json").read_text())
    accepted = [
        number
        for number, case in enumerate(cases)
        if ed25519.verify(*(bytes.fromhex(case[part]) for part in ("pub_key", "message", "signature")))
    ]
    assert len(cases) == 12
    assert accepted == [3]


@pytest.mark.parametrize("text", SMALL_ORDER)
def test_small_order_keys_are_not_enrolled_and_verify_nothing(text: str) -> None:
    key = bytes.fromhex(text)
    assert not ed25519.good_key(key)
    assert not ed25519.verify(key, b"anything", key + bytes(32))


@pytest.mark.parametrize("key", [b"", bytes(31), ALICE.public + b"\0", b"\xff" * 32])
def test_keys_of_another_shape_are_not_enrolled(key: bytes) -> None:
    assert not ed25519.good_key(key)


def test_a_proper_key_is_enrolled() -> None:
    assert ed25519.good_key(ALICE.public)


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_verify_never_raises(key: bytes, message: bytes, signature: bytes) -> None:
    assert not ed25519.verify(key, message, signature)


@given(st.binary(min_size=1, max_size=64), st.integers(0, 511))
def test_a_changed_bit_of_the_signature_is_refused(message: bytes, bit: int) -> None:
    signature = bytearray(ALICE.sign(message))
    assert ed25519.verify(ALICE.public, message, bytes(signature))
    signature[bit // 8] ^= 1 << bit % 8
    assert not ed25519.verify(ALICE.public, message, bytes(signature))


@given(st.binary(max_size=100))
def test_base64_round_trip(data: bytes) -> None:
    assert decode_base64(b64encode(data).decode()) == data


@pytest.mark.parametrize("text", ["YQ", "YR==", "YQ==\n", " YQ==", "YQ==YQ==", "Y Q==", "YQ=", "-_-_", "é", "YQ==="])
def test_loosely_spelt_base64_is_refused(text: str) -> None:
    assert decode_base64(text) is None


def test_fingerprint_is_the_rfc7638_thumbprint_of_rfc9421s_key() -> None:
    assert ed25519.fingerprint(RFC9421_KEY) == "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"


def test_did_aip_and_its_md5_twin() -> None:
    assert ed25519.did_aip(ALICE.public) == "did:aip:56475aa75463474c0285df5dbf2bcab7"
    assert ed25519.derivation_fault(ALICE.did_aip, ALICE.public) == ""
    assert "MD5" in ed25519.derivation_fault("did:aip:219df75ce6a29aea1105840cb1ce2876", ALICE.public)
    assert "does not derive" in ed25519.derivation_fault(BOB.did_aip, ALICE.public)


@given(st.binary(max_size=60))
def test_base58_round_trip(data: bytes) -> None:
    assert base58.decode(base58.encode(data)) == data
