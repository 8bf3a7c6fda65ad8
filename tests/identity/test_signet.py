"""Signet receipts: one call's tool, arguments, time and nonce, signed with a key that the receipt carries."""

import json
from base64 import b64decode, b64encode
from hashlib import sha256

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from receipts import ARGUMENTS, asked, call, receipt
from signed import ALICE, BOB, NOW, aip, body_of, judge, judged, request, verdict

from mcpwatch.gateway.bodies import capture_body
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.schemes.signet import MAX_BODY, MAX_RECEIPTS
from mcpwatch.identity.times import parse_time
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Covered, Freshness, Receipt, Resolution, SignatureState, Verdict, Word, uncovered

FIXTURE = json.loads(
    """{"v":1,"id":"rec_eb46e7a1174db1c896fc9b8afcc31dea","action":{"tool":"interop_v1","params":{"k":"v"},
    "params_hash":"sha256:666c1aa02e8068c6d5cc1d3295009432c16790bec28ec8ce119d0d1a18d61319","target":"mcp://test",
    "transport":"stdio"},"signer":{"pubkey":"ed25519:tg/5z4EMU9nFIGjhZSzhh3a/RNLWBvJ798vn2+La1dk=",
    "name":"py-signer-v1","owner":"interop"},"ts":"2026-04-27T12:18:44.766Z",
    "nonce":"rnd_3887bc3f49e8aa1109dd2760173466f3",
    "sig":"ed25519:pz3DjU6bMbjc1aX3PEvUNFv0D1zt18JUwZyCPq8tSSFkAS8eZAJPxfWVu04Cqp3Ahv1gv26reTuWy6xJ0LsSBw=="}"""
)
"""The receipt that Signet publishes to test one implementation against another."""


def bad(found: Verdict, reason: str) -> bool:
    """Whether it is a bad signature for that reason."""
    return found.word is Word.BAD_SIG and reason in found.reasons[0] and not found.coverage


def unchecked(found: Verdict, reason: str) -> bool:
    """Whether it could not be checked, for that reason."""
    refused = (found.word, found.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    return refused and reason in found.reasons[0]


def test_the_published_receipt_verifies() -> None:
    found = judged(asked(call(FIXTURE, "interop_v1", {"k": "v"})), parse_time(FIXTURE["ts"]) or 0.0)
    assert (found.word, found.freshness) == (Word.PARTIAL, Freshness.FRESH)
    assert found.receipt == Receipt(FIXTURE["id"])


def test_it_proves_the_call_and_says_what_it_leaves_open() -> None:
    found = judged(asked(call(receipt())))
    assert (found.word, found.scheme, found.signature) == (Word.PARTIAL, "signet", SignatureState.VALID)
    assert set(found.coverage) == {Covered.ARGUMENTS, Covered.MCP, Covered.TIME, Covered.NONCE}
    assert set(uncovered(found, has_session=True)) == {
        Covered.METHOD,
        Covered.TARGET,
        Covered.AUTHORITY,
        Covered.BODY,
        Covered.SESSION,
    }
    assert found.signer is not None
    assert (found.signer.id, found.signer.resolution) == (f"key:{fingerprint(ALICE.public)}", Resolution.EMBEDDED)
    assert "its signer calls itself planner, which is a claim" in found.reasons


def test_a_pinned_key_has_the_name_it_was_pinned_under() -> None:
    found = verdict(asked(call(receipt())), ALICE)
    assert found.signer is not None
    assert (found.signer.id, found.signer.resolution) == (ALICE.did_aip, Resolution.PINNED)


def test_it_tells_what_chain_it_stands_in() -> None:
    linked = receipt(action={"trace_id": "tr_1", "parent_receipt_id": "rec_before"})
    assert judged(asked(call(linked))).receipt == Receipt(str(linked["id"]), "tr_1", "rec_before")


def test_a_link_longer_than_any_id_is_none() -> None:
    linked = receipt(action={"trace_id": "t" * 200, "parent_receipt_id": "p" * 129})
    assert judged(asked(call(linked))).receipt == Receipt(str(linked["id"]))


def test_arguments_count_as_values_and_not_as_spelt() -> None:
    text = json.dumps(call(receipt(arguments={"a": 1, "b": "é"}), arguments={}))
    spelt = text.replace('"arguments": {}', '"arguments": { "b" : "\\u00e9", "a": 1.0 }')
    assert judged(asked(spelt)).word is Word.PARTIAL


def test_a_call_without_arguments_has_none() -> None:
    message = call(receipt(arguments={}))
    del message["params"]["arguments"]
    assert judged(asked(message)).word is Word.PARTIAL


def test_a_receipt_may_carry_the_hash_alone() -> None:
    hashed = receipt(action={"params": None})
    assert judged(asked(call(hashed))).word is Word.PARTIAL
    assert bad(judged(asked(call(hashed, arguments={}))), "signed for other arguments")


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (call(receipt(), arguments={**ARGUMENTS, "days": 4}), "signed for other arguments"),
        (call(receipt(), arguments={}), "signed for other arguments"),
        (call(receipt(), arguments=[]), "signed for other arguments"),
        (call(receipt(), "delete"), "signed for another tool"),
        (call(receipt(), method="prompts/get"), "signed for a call of a tool"),
        (call(receipt(action={"params": {"a": 1}})), "signed for other arguments"),
        (call(receipt(action={"params": {**ARGUMENTS, "exact": True}})), "signed for other arguments"),
        (call({**receipt(), "id": "rec_" + "0" * 32}), "the receipt's id"),
        (call({**receipt(), "ts": "2026-11-18T00:00:00.000Z"}), "does not verify"),
        (call({**receipt(), "nonce": "rnd_2"}), "does not verify"),
        (call({**receipt(), "exp": "2030-01-01T00:00:00Z"}), "does not verify"),
        (call({**receipt(), "policy": {"decision": "allow"}}), "does not verify"),
        (call({**receipt(), "exp": "tomorrow"}), "malformed"),
        (call({**receipt(), "sig": "ed25519:AAAA"}), "malformed"),
        (call({**receipt(), "sig": "AAAA"}), "malformed"),
        (call({**receipt(), "signer": {"pubkey": "ed25519:AAAA", "name": "x"}}), "malformed"),
        (call({**receipt(), "v": "1"}), "malformed"),
        (call({**receipt(), "v": True}), "does not verify"),
        (call("a receipt"), "malformed"),
        (call(None), "malformed"),
    ],
)
def test_what_was_not_signed_so_is_bad(message: Json, reason: str) -> None:
    assert bad(judged(asked(message)), reason)


def test_a_name_that_comes_twice_is_refused_wherever_it_stands() -> None:
    text = json.dumps(call(receipt()))
    for once, twice in (
        ('"name": "forecast"', '"name": "delete", "name": "forecast"'),
        ('"days": 3', '"days": 4, "days": 3'),
        ('"v": 1', '"v": 4, "v": 1'),
    ):
        assert once in text
        assert bad(judged(asked(text.replace(once, twice))), "comes twice")


@pytest.mark.parametrize("value", ["9007199254740993", "1e999", "NaN", '"\\ud800"', "[" * 2000 + "]" * 2000])
def test_what_has_no_canonical_form_is_not_called_bad(value: str) -> None:
    text = json.dumps(call(receipt())).replace('"days": 3', f'"days": {value}')
    assert unchecked(judged(asked(text)), "can")


@pytest.mark.parametrize(("version", "reason"), [(2, "v2"), (3, "v3"), (4, "v4"), (9, "version 9")])
def test_other_versions_are_named(version: int, reason: str) -> None:
    assert unchecked(judged(asked(call({**receipt(), "v": version}))), reason)


def test_a_masked_body_is_not_called_bad() -> None:
    secret = {"city": "Bern", "password": "hunter2"}
    data = json.dumps(call(receipt(arguments=secret), arguments=secret)).encode()
    carried = capture_body(data, "masked")
    assert carried.masked
    assert unchecked(judged(request({}, body=carried)), "masks")
    other = json.dumps(call(receipt(), arguments=secret)).encode()
    assert unchecked(judged(request({}, body=capture_body(other, "masked"))), "masks")


def test_a_body_without_secrets_is_checked_in_every_capture_that_carries_it() -> None:
    data = json.dumps(call(receipt())).encode()
    assert judged(request({}, body=capture_body(data, "masked"))).word is Word.PARTIAL
    assert judged(request({}, body=capture_body(data, "full"))).word is Word.PARTIAL
    assert judged(request({}, body=capture_body(data, "digest"))).word is Word.UNSIGNED


def test_a_body_that_is_not_the_one_of_the_digest_is_bad() -> None:
    assert bad(judged(asked(call(receipt()), sha256=sha256(b"other").hexdigest())), "another body")


def test_a_body_too_long_to_search_is_not_called_unsigned() -> None:
    message = call(receipt(), arguments={"text": "x" * MAX_BODY})
    assert unchecked(judged(asked(message)), "not searched")


def test_what_only_looks_like_a_receipt_is_unsigned() -> None:
    elsewhere = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"arguments": {"_signet": receipt()}}}
    for message in (elsewhere, ["_signet"], {"params": {"_meta": ["_signet"]}}, "_signet"):
        assert judged(asked(json.dumps(message))).word is Word.UNSIGNED


def test_it_is_replayed_stale_or_expired_as_any_signature() -> None:
    court = judge()
    request = asked(call(receipt()))
    assert court.judge(0, request, NOW).word is Word.PARTIAL
    again = court.judge(1, asked(call(receipt(), id=2)), NOW + 1)
    assert (again.word, again.first_seen) == (Word.REPLAY, 0)
    assert judged(request, NOW + 301).word is Word.STALE
    assert judged(request, NOW - 61).freshness is Freshness.FUTURE
    expiring = asked(call(receipt(exp="2026-11-18T11:06:50Z")))
    expiry = parse_time("2026-11-18T11:06:50Z") or 0.0
    assert NOW < expiry < NOW + 300
    assert judged(expiring, expiry).word is Word.PARTIAL
    assert judged(expiring, expiry + 1).word is Word.STALE


def test_a_time_that_is_none_proves_nothing_of_when() -> None:
    found = judged(asked(call(receipt(ts="this morning"))))
    assert (found.word, found.freshness) == (Word.PARTIAL, Freshness.UNDECIDABLE)
    assert Covered.TIME not in found.coverage


def test_in_a_batch_a_receipt_is_for_its_own_call() -> None:
    other = {"jsonrpc": "2.0", "id": 8, "method": "tools/call", "params": {"name": "delete"}}
    found = judged(asked([call(receipt(), id=7), other]))
    assert (found.word, found.receipt) == (Word.PARTIAL, None)
    assert set(found.coverage) == {Covered.TIME, Covered.NONCE}
    assert "it is the receipt of call 7, one of 1 receipts for 2 messages in a batch" in found.reasons
    both = judged(asked([call(receipt(), id=7), call(receipt(nonce="rnd_2"), "delete", id=8)]))
    assert both.word is Word.PARTIAL
    assert [(other.word, other.label) for other in both.others] == [(Word.BAD_SIG, "of call 8")]


def test_a_batch_has_so_many_receipts_and_no_more() -> None:
    calls = [call(receipt(nonce=f"rnd_{id}"), id=id) for id in range(MAX_RECEIPTS + 1)]
    found = judged(asked(calls))
    assert len(found.others) == MAX_RECEIPTS
    assert "the others are not looked at" in found.others[-1].reason


def test_beside_a_signature_of_the_whole_body_it_is_the_other() -> None:
    data = json.dumps(call(receipt())).encode()
    found = verdict(request(aip(data=data), data))
    assert (found.word, found.scheme) == (Word.VERIFIED, "aip")
    assert [(other.scheme, other.word) for other in found.others] == [("signet", Word.PARTIAL)]


def test_its_link_counts_where_the_same_key_signed_the_whole_body() -> None:
    carried = receipt(action={"parent_receipt_id": "rec_before"})
    data = json.dumps(call(carried)).encode()
    assert verdict(request(aip(data=data), data)).receipt == Receipt(str(carried["id"]), "", "rec_before")
    assert verdict(request(aip(BOB, data=data), data), ALICE, BOB).receipt is None
    forged = json.dumps(call({**carried, "nonce": "rnd_2"})).encode()
    assert verdict(request(aip(data=forged), forged)).receipt is None


def test_a_key_of_small_order_signs_nothing() -> None:
    identity = bytes([1, *bytes(31)])
    forged = receipt()
    forged["signer"] = {"pubkey": f"ed25519:{b64encode(identity).decode()}", "name": ""}
    signature = identity + bytes(32)
    forged["sig"] = f"ed25519:{b64encode(signature).decode()}"
    forged["id"] = f"rec_{sha256(signature).hexdigest()[:32]}"
    assert judged(asked(call(forged))).word is Word.NO_CHECK


GOOD = call(receipt())
SIGNED = json.dumps(GOOD)
PLACES = {
    "ts": SIGNED.index(str(receipt()["ts"])),
    "nonce": SIGNED.index("rnd_"),
    "tool": SIGNED.index('"tool": "forecast"') + len('"tool": "'),
    "name": SIGNED.index('"name": "forecast"') + len('"name": "'),
}
LENGTHS = {"ts": 24, "nonce": 36, "tool": 8, "name": 8}


@given(st.sampled_from(sorted(PLACES)), st.data())
def test_a_changed_bit_of_what_is_signed_is_never_proven(part: str, data: st.DataObject) -> None:
    place = PLACES[part] + data.draw(st.integers(0, LENGTHS[part] - 1))
    octets = bytearray(SIGNED.encode())
    octets[place] ^= 1 << data.draw(st.integers(0, 6))
    found = judged(request({}, body=body_of(bytes(octets))))
    assert found.word not in (Word.VERIFIED, Word.PARTIAL)


@given(st.sampled_from(["signer.pubkey", "sig"]), st.data())
def test_a_changed_bit_of_key_or_signature_is_never_proven(part: str, data: st.DataObject) -> None:
    changed = receipt()
    holder = changed["signer"] if part == "signer.pubkey" else changed
    name = part.rpartition(".")[2]
    octets = bytearray(b64decode(holder[name].removeprefix("ed25519:")))
    octets[data.draw(st.integers(0, len(octets) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    holder[name] = f"ed25519:{b64encode(octets).decode()}"
    if name == "sig":
        changed["id"] = f"rec_{sha256(octets).hexdigest()[:32]}"
    keys = KeyBook()
    keys.pin("planner", ALICE.public)
    found = Judge(keys, ReplayWindow(10)).judge(0, asked(call(changed)), NOW)
    assert found.signature is not SignatureState.VALID


@given(st.dictionaries(st.text(max_size=5), st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3)))
def test_other_arguments_are_never_proven(arguments: dict[str, Json]) -> None:
    found = judged(asked(call(receipt(arguments={"a": 1}), arguments=arguments)))
    assert (found.word is Word.PARTIAL) == (arguments == {"a": 1} and arguments["a"] is not True)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@example("v", True)
@example("v", 1.0)
@example("exp", None)
@given(st.sampled_from(["v", "id", "action", "signer", "ts", "nonce", "sig", "exp", "policy"]), JSON)
def test_whatever_a_receipt_holds_there_is_a_verdict(member: str, value: Json) -> None:
    found = judged(asked(call({**receipt(), member: value})))
    unchanged = receipt().get(member) == value and not isinstance(value, bool)
    assert (found.signature is SignatureState.VALID) == unchanged
    assert found.reasons
