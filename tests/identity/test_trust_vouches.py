"""One vouch: what its signature covers, which keys may have made it, and what is the registry's word."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from shared import vectors
from signed import ALICE, BOB, NOW
from vouching import MADE, agent, vouch

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.resolution import ResolvedKey
from mcpwatch.identity.times import parse_registry_time
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.identity.vouches import MAX_STATEMENT, Vouch, time_fault, verify_vouch

KEYS = (ResolvedKey(ALICE.public),)
GOOD = vouch(ALICE, BOB.did_aip)


def captured(name: str) -> Any:
    return json.loads(vectors(f"wire/aip-registry/{name}.json").read_text())["response"]["body"]


def read(body: dict[str, Any]) -> Vouch:
    signature = decode_base64(body["signature"])
    assert signature is not None
    created = parse_registry_time(body["created_at"])
    names = (body["vouch_id"], body["voucher_did"], body["target_did"], body["scope"], body["statement"])
    return Vouch(*names, created, None, signature)


def test_a_captured_certificate_verifies_with_its_vouchers_key() -> None:
    body = captured("33-vouch-certificate")
    key = decode_base64(body["voucher_public_key"])
    assert key is not None
    checked = verify_vouch(read(body), (ResolvedKey(key),))
    assert (checked.fault, checked.key) == ("", key)
    assert not checked.step.key_asserted


def test_a_captured_certificate_holds_after_its_voucher_rotated() -> None:
    """The key in the certificate is the voucher's present one; the one that signed is in its history."""
    body, moved = captured("33-vouch-certificate"), decode_base64("lsEDkjCGGd3qznMqBT363gJZHZ4L3nJLflcH3kNWrlU=")
    old = decode_base64(body["voucher_public_key"])
    rotated = parse_registry_time("2026-11-22T08:46:12.3+00:00")
    assert old is not None and moved is not None and rotated is not None
    made = verify_vouch(read(body), (ResolvedKey(moved, None, rotated), ResolvedKey(old, rotated, rotated - 1.0)))
    assert made.key == old
    assert "does not verify" in verify_vouch(read(body), (ResolvedKey(moved, None, rotated),)).fault


def test_a_step_tells_what_was_verified_and_what_is_asserted() -> None:
    step = verify_vouch(vouch(ALICE, BOB.did_aip, "CODE_SIGNING", expires=NOW), KEYS).step
    assert (step.voucher, step.target, step.scopes) == (ALICE.did_aip, BOB.did_aip, ("CODE_SIGNING",))
    assert (step.created, step.expires, step.fault) == (MADE, NOW, "")
    assert step.key == fingerprint(ALICE.public)


def test_the_statement_may_be_empty_and_may_hold_the_separator() -> None:
    for statement in ("", "a|b", "|", "né\U0001f600"):
        assert verify_vouch(vouch(ALICE, BOB.did_aip, statement=statement), KEYS).fault == ""


def test_a_separator_never_moves() -> None:
    one = vouch(ALICE, BOB.did_aip, "GENERAL", "A|b")
    assert "scope" in verify_vouch(replace(one, scope="GENERAL|A", statement="b"), KEYS).fault
    shifted = replace(one, voucher=f"{one.voucher}|{one.target}", target="GENERAL", scope="A", statement="b")
    assert "identities" in verify_vouch(shifted, KEYS).fault


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"voucher": ""}, "identities"),
        ({"voucher": "alice"}, "identities"),
        ({"target": ALICE.did_aip}, "for itself"),
        ({"scope": ""}, "scope"),
        ({"scope": "general"}, "scope"),
        ({"statement": "x" * (MAX_STATEMENT + 1)}, "longer"),
        ({"created": None}, "when it was made"),
        ({"signature": b""}, "does not verify"),
        ({"voucher": BOB.did_aip, "target": ALICE.did_aip}, "does not verify"),
        ({"statement": "\ud800"}, "does not verify"),
    ],
)
def test_what_makes_a_vouch_worthless(changes: dict[str, Any], reason: str) -> None:
    assert reason in verify_vouch(replace(GOOD, **changes), KEYS).fault


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "fault"),
    [
        (None, None, ""),
        (MADE - 10, MADE + 10, ""),
        (MADE + 0.7, None, ""),
        (MADE + 10, None, "at that time"),
        (None, MADE - 1, "at that time"),
    ],
)
def test_a_replaced_key_counts_for_what_was_made_in_its_time(
    valid_from: float | None, valid_until: float | None, fault: str
) -> None:
    later = agent("alice, later")
    one = vouch(later, BOB.did_aip, name=ALICE.did_aip)
    checked = verify_vouch(one, (*KEYS, ResolvedKey(later.public, valid_until, valid_from)))
    assert fault in checked.fault and bool(fault) is bool(checked.fault)
    assert checked.step.key_asserted is not bool(fault)


def test_the_key_a_did_is_made_of_was_its_own_from_the_start() -> None:
    assert verify_vouch(GOOD, (ResolvedKey(ALICE.public, MADE + 10, MADE + 5),)).fault == ""
    assert "at that time" in verify_vouch(GOOD, (ResolvedKey(ALICE.public, MADE - 5),)).fault


def test_nobody_vouches_without_a_key() -> None:
    assert "no key" in verify_vouch(GOOD, ()).fault


def test_a_vouch_runs_out_and_does_not_begin_ahead() -> None:
    assert time_fault(GOOD, NOW) == time_fault(replace(GOOD, expires=NOW + 1), NOW) == ""
    assert "run out" in time_fault(replace(GOOD, expires=NOW), NOW)
    assert "ahead" in time_fault(replace(GOOD, created=NOW + 120), NOW)


@given(st.data())
def test_no_bit_of_what_is_signed_can_change(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(["voucher", "target", "scope", "statement", "signature"]))
    value = getattr(GOOD, name)
    octets = bytearray(value if isinstance(value, bytes) else value.encode())
    bit = data.draw(st.integers(0, len(octets) * 8 - 1))
    octets[bit // 8] ^= 1 << bit % 8
    changed = bytes(octets) if isinstance(value, bytes) else octets.decode("utf-8", "surrogateescape")
    assert verify_vouch(replace(GOOD, **{name: changed}), KEYS).fault


@given(st.integers(0, 255))
def test_no_bit_of_the_key_can_change(bit: int) -> None:
    key = bytearray(ALICE.public)
    key[bit // 8] ^= 1 << bit % 8
    assert verify_vouch(GOOD, (ResolvedKey(bytes(key)),)).fault
