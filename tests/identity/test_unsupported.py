"""What cannot be checked is named and never called unsigned or bad; what nobody knows is unsigned."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from receipts import asked, call, receipt
from signed import ALICE, CALL, aip, request, rfc9421, verdict

from mcpwatch.gateway.headers import logged
from mcpwatch.gateway.principal import KeyedHash, read_principal
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.identity.schemes.unsupported import UNCHECKED, Unsupported
from mcpwatch.model.entries import Json, Principal, Request
from mcpwatch.model.identity import Evidence, SignatureState, Verdict, Word

STAMP = {"version": "1.0", "passport_id": "asp_" + "0" * 32, "timestamp": "t", "nonce": "n", "signature": "s"}
PLAIN = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
WRAPPED = {**STAMP, "mcps": "1.0.0", "message": PLAIN}


def unchecked(found: Verdict, scheme: str) -> bool:
    """Whether it was recognised as that, and no more."""
    refused = (found.word, found.signature, found.scheme) == (Word.NO_CHECK, SignatureState.UNSUPPORTED, scheme)
    return refused and bool(found.reasons) and not found.coverage


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("X-AIP-Token", "aip-token"),
        ("X-AIP-Token-Ref", "aip-token"),
        ("X-MCP-Signature", "hmac"),
        ("X-Hub-Signature", "hmac"),
        ("X-Hub-Signature-256", "hmac"),
        ("KYA-Delegation-Proof", "kya"),
    ],
)
def test_a_field_is_recognised_and_its_value_stays_out_of_the_log(name: str, scheme: str) -> None:
    kept, withheld = logged([(name.encode(), b"s3cr3t")])
    assert (kept, withheld) == ((), (name.lower(),))
    assert unchecked(verdict(request({}, withheld=withheld)), scheme)
    assert unchecked(verdict(request({name: "s3cr3t"})), scheme)


@pytest.mark.parametrize(
    ("value", "scheme"),
    [
        (b'DIDWba did="did:wba:a.example", nonce="n", timestamp="t", signature="s3cr3t"', "did-wba"),
        (b"AWS4-HMAC-SHA256 Credential=A/20261122/eu/mcp/aws4_request, Signature=s3cr3t", "aws-sigv4"),
    ],
)
def test_an_authorization_is_recognised_by_its_scheme(value: bytes, scheme: str) -> None:
    principal = read_principal([(b"Authorization", value)], KeyedHash(b"k" * 32))
    assert principal is not None
    assert "s3cr3t" not in repr(principal)
    assert unchecked(verdict(request({}, principal=principal)), scheme)


@pytest.mark.parametrize(
    ("message", "scheme"),
    [
        (WRAPPED, "mcps"),
        ({**PLAIN, "mcps": STAMP}, "mcps-draft"),
        ({**PLAIN, "mcps": {**STAMP, "passport_id": "ap_9f1c"}}, "mcps-sep"),
    ],
)
def test_the_three_envelopes_of_mcps_are_told_apart(message: Json, scheme: str) -> None:
    assert unchecked(verdict(asked(message)), scheme)


def test_a_claimed_agent_beside_a_delegation_is_a_claim() -> None:
    found = verdict(request({"KYA-Agent-DID": ALICE.did_key}, withheld=("kya-delegation-proof",)))
    assert found.signer is not None
    assert (found.signer.id, found.signer.fingerprint, found.evidence) == (ALICE.did_key, "", Evidence.CLAIMED)


@pytest.mark.parametrize(
    "near",
    [
        request({"X-Signature": "sha256=00"}),
        request({"X-Token": "ey.."}),
        request({"KYA-Agent-DID": ALICE.did_key, "KYA-Granted-Scopes": "read"}),
        request({"X-Hub-Topic": "x"}, withheld=("authorization", "cookie")),
        request({}, principal=Principal("bearer", "00")),
        asked({**PLAIN, "params": {"mcps": STAMP}}),
        asked({**PLAIN, "mcps": "1.0.0"}),
        asked({**PLAIN, "mcps": {"version": "1.0"}}),
        asked({**WRAPPED, "message": PLAIN, "passport_id": 7}),
        asked([PLAIN, "mcps"]),
        asked('{"mcps"'),
    ],
)
def test_what_only_looks_like_it_is_unsigned(near: Request) -> None:
    assert verdict(near).word is Word.UNSIGNED


@pytest.mark.parametrize("sign", [aip, rfc9421])
def test_a_signature_that_holds_speaks_for_the_request_and_the_rest_is_told(sign: object) -> None:
    assert callable(sign)
    withheld = ("x-aip-token", "x-hub-signature-256", "kya-delegation-proof")
    found = verdict(request(sign(), withheld=withheld))
    assert found.word is Word.VERIFIED
    others = {(other.scheme, other.word) for other in found.others}
    assert others == {("aip-token", Word.NO_CHECK), ("hmac", Word.NO_CHECK), ("kya", Word.NO_CHECK)}


def test_a_signature_that_does_not_hold_is_bad_all_the_same() -> None:
    changed = CALL.replace(b"list", b"call")
    assert verdict(request(aip(), changed, withheld=("x-aip-token",))).word is Word.BAD_SIG


def test_an_envelope_takes_nothing_from_a_receipt_inside() -> None:
    found = verdict(asked({**call(receipt()), "mcps": STAMP}))
    assert (found.word, found.scheme) == (Word.PARTIAL, "signet")
    assert [other.scheme for other in found.others] == ["mcps-draft"]


@given(st.sets(st.sampled_from(sorted(Unsupported.fields))), st.sampled_from(["bearer", "didwba", ""]), st.booleans())
def test_every_row_that_holds_is_told_once(fields: set[str], scheme: str, in_body: bool) -> None:
    principal = Principal(scheme, "00") if scheme else None
    data = json.dumps(WRAPPED if in_body else PLAIN).encode()
    found = verdict(request({}, data, withheld=tuple(sorted(fields)), principal=principal))
    expected = {row.name for row in UNCHECKED if not (row.fields - {row.claim}).isdisjoint(fields)}
    expected |= {"did-wba"} if scheme == "didwba" else set()
    expected |= {"mcps"} if in_body else set()
    told = [found.scheme, *(other.scheme for other in found.others)] if found.scheme else []
    assert sorted(told) == sorted(expected)
    assert found.word is (Word.NO_CHECK if expected else Word.UNSIGNED)


def test_no_two_schemes_share_a_name() -> None:
    names = [name for scheme in SCHEMES for name in scheme.variants]
    assert len(names) == len(set(names))
