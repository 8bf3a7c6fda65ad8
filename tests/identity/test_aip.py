"""AIP request headers as the middleware signs them."""

import json
from base64 import b64encode
from datetime import UTC, datetime

import pytest
from shared import vectors
from signed import ALICE, BOB, CALL, NOW, aip, body_of, digest_only, judge, request, signed_text, verdict

from mcpwatch.encoding import decode_base64
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.identity import Covered, Evidence, Freshness, SignatureState, Word

STAMP = "2026-03-22T08:10:07+00:00"


STAMP_AT = datetime(2026, 3, 22, 8, 10, 7, tzinfo=UTC).timestamp()


VECTOR = {
    "X-AIP-DID": "did:aip:56475aa75463474c0285df5dbf2bcab7",
    "X-AIP-Timestamp": STAMP,
    "X-AIP-Nonce": "0123456789abcdef",
    "X-AIP-Signature": "mBpIfSsW7GORngMWKvFjVpKBz6ieoxT9k17vg7uwjwbyeiWwQcGN6NPOsU5taRBLjyjUDIB5hEXZiAJT9nGUDw==",
}


COVERS_ALL = (Covered.METHOD, Covered.TARGET, Covered.BODY, Covered.MCP, Covered.TIME, Covered.NONCE)


def test_the_published_vector_verifies() -> None:
    result = verdict(request(VECTOR), now=STAMP_AT + 5)
    assert (result.word, result.scheme, result.evidence) == (Word.VERIFIED, "aip", Evidence.VERIFIED)
    assert result.coverage == COVERS_ALL
    assert result.signer is not None
    assert result.signer.id == ALICE.did_aip
    assert result.reasons == ()


def test_a_capture_of_the_real_middleware_verifies() -> None:
    capture = json.loads(vectors("wire/aip-registry/sign-example.json").read_text())
    keys = KeyBook()
    key = decode_base64(capture["public_key"])
    assert key is not None
    keys.pin(capture["headers"]["X-AIP-DID"], key)
    at = datetime.fromisoformat(capture["headers"]["X-AIP-Timestamp"]).timestamp()
    body = bytes.fromhex(capture["body_bytes_hex"])
    asked = request(capture["headers"], body, method=capture["method"], target=capture["path"])
    assert Judge(keys, ReplayWindow()).judge(0, asked, at).word is Word.VERIFIED


def test_an_empty_body_is_signed_as_one() -> None:
    asked = request(aip(data=b""), b"")
    assert asked.body is None
    assert verdict(asked).word is Word.VERIFIED


@pytest.mark.parametrize(
    "changed",
    [
        {"data": CALL.replace(b"1", b"2", 1)},
        {"method": "PUT"},
        {"target": "/mcp/"},
        {"target": "/other"},
    ],
)
def test_anything_covered_that_changes_is_a_bad_signature(changed: dict[str, str]) -> None:
    result = verdict(request(aip(), **changed))  # type: ignore[arg-type]
    assert (result.word, result.signature, result.evidence) == (Word.BAD_SIG, SignatureState.INVALID, Evidence.CLAIMED)
    assert result.coverage == ()
    assert "does not verify" in result.reasons[0]


@pytest.mark.parametrize("name", ["X-AIP-Timestamp", "X-AIP-Nonce", "X-AIP-Signature"])
def test_a_changed_header_is_a_bad_signature(name: str) -> None:
    headers = aip()
    headers[name] = headers[name][:-3] + "0" + headers[name][-2:]
    assert verdict(request(headers)).word is Word.BAD_SIG


def test_host_and_session_id_are_not_covered() -> None:
    headers = {**aip(), "mcp-session-id": "another"}
    result = verdict(request(headers, authority="elsewhere.example"))
    assert result.word is Word.VERIFIED
    assert Covered.SESSION not in result.coverage
    assert Covered.AUTHORITY not in result.coverage


def test_the_timestamp_is_signed_as_sent() -> None:
    headers = aip()
    stamp = headers["X-AIP-Timestamp"].replace("+00:00", "Z")
    assert verdict(request({**headers, "X-AIP-Timestamp": stamp})).word is Word.BAD_SIG
    message = f"POST:/mcp:{stamp}:n:{body_of(CALL).sha256}"
    headers = {**headers, "X-AIP-Timestamp": stamp, "X-AIP-Nonce": "n", "X-AIP-Signature": signed_text(message)}
    assert verdict(request(headers)).word is Word.VERIFIED


def test_a_query_is_covered_only_by_who_signs_it() -> None:
    path_only = verdict(request(aip(target="/mcp?x=1"), target="/mcp?x=1"))
    assert path_only.word is Word.VERIFIED
    assert Covered.TARGET not in path_only.coverage
    assert "the query is not covered" in path_only.reasons
    headers = aip()
    message = f"POST:/mcp?x=1:{headers['X-AIP-Timestamp']}:n1:{body_of(CALL).sha256}"
    whole = verdict(request({**headers, "X-AIP-Signature": signed_text(message)}, target="/mcp?x=1"))
    assert whole.word is Word.VERIFIED
    assert Covered.TARGET in whole.coverage


def test_a_missing_nonce_is_named() -> None:
    stamp = datetime.fromtimestamp(NOW, UTC).isoformat()
    message = f"POST:/mcp:{stamp}::{body_of(CALL).sha256}"
    headers = {"X-AIP-DID": ALICE.did_aip, "X-AIP-Timestamp": stamp, "X-AIP-Signature": signed_text(message)}
    result = verdict(request(headers))
    assert result.word is Word.VERIFIED
    assert Covered.NONCE not in result.coverage
    assert "no nonce" in result.reasons[0]


def test_a_time_without_a_zone_proves_no_freshness() -> None:
    message = f"POST:/mcp:2026-11-18T00:00:00:n:{body_of(CALL).sha256}"
    headers = {
        **aip(),
        "X-AIP-Timestamp": "2026-11-18T00:00:00",
        "X-AIP-Nonce": "n",
        "X-AIP-Signature": signed_text(message),
    }
    result = verdict(request(headers))
    assert (result.word, result.freshness) == (Word.PARTIAL, Freshness.UNDECIDABLE)
    assert any("zone" in reason for reason in result.reasons)


@pytest.mark.parametrize(
    ("path", "time"), [("/mcp:2026-11-18T00", "00:00+00:00"), ("/mcp:2026-11-18", "T00:00:00+00:00")]
)
def test_no_part_of_an_old_time_passes_for_the_path(path: str, time: str) -> None:
    stamp = "2026-11-18T00:00:00+00:00"
    signature = signed_text(f"POST:/mcp:{stamp}:n1:{body_of(CALL).sha256}")
    old = {"X-AIP-Timestamp": stamp, "X-AIP-Signature": signature}
    assert verdict(request({**aip(), **old})).word is Word.STALE
    result = verdict(request({**aip(), **old, "X-AIP-Timestamp": time}, target=path))
    assert (result.word, result.coverage) == (Word.BAD_SIG, ())


def test_a_masked_body_verifies_by_its_digest() -> None:
    for body in (
        digest_only(CALL),
        body_of(CALL, text='{"masked":"***"}', masked=1),
        body_of(CALL, text=None, truncated=True),
    ):
        result = verdict(request(aip(), body=body))
        assert (result.word, result.body_by_digest) == (Word.VERIFIED, True)
        assert Covered.BODY in result.coverage


def test_a_body_that_is_not_utf8_verifies() -> None:
    data = b"\xff\xfe\x00"
    body = digest_only(data)
    carried = body_of(CALL, size=3, sha256=body.sha256, text=None, base64=b64encode(data).decode())
    result = verdict(request(aip(data=data), body=carried))
    assert (result.word, result.body_by_digest) == (Word.VERIFIED, False)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (body_of(CALL, text="{}"), "shows another body"),
        (body_of(CALL, size=7), "octets of body"),
        (body_of(CALL, text=None, base64="***"), "cannot be decoded"),
        (body_of(CALL, text=CALL.decode() + "\ud800"), "cannot be decoded"),
    ],
)
def test_a_feed_that_shows_another_body_is_caught(body: object, reason: str) -> None:
    result = verdict(request(aip(), body=body))  # type: ignore[arg-type]
    assert result.word is Word.BAD_SIG
    assert reason in result.reasons[0]


def test_a_did_without_a_signature_is_only_a_claim() -> None:
    headers = aip()
    del headers["X-AIP-Signature"]
    result = verdict(request(headers))
    assert (result.word, result.signature, result.evidence) == (Word.UNSIGNED, SignatureState.ABSENT, Evidence.CLAIMED)
    assert "X-AIP-Signature is missing" in result.reasons[0]


def test_a_missing_timestamp_has_its_own_reason() -> None:
    headers = aip()
    del headers["X-AIP-Timestamp"]
    result = verdict(request(headers))
    assert result.word is Word.BAD_SIG
    assert "X-AIP-Timestamp is missing" in result.reasons[0]


@pytest.mark.parametrize("text", ["!!", "YQ==", "é" * 4, "00" * 64])
def test_a_signature_of_another_shape_is_bad(text: str) -> None:
    result = verdict(request({**aip(), "X-AIP-Signature": text}))
    assert result.word is Word.BAD_SIG
    assert "64 octets" in result.reasons[0]


@pytest.mark.parametrize("name", ["x-aip-did", "x-aip-signature", "x-aip-timestamp", "x-aip-nonce"])
def test_a_header_sent_twice_is_bad(name: str) -> None:
    lines = [*aip().items()]
    again = next(line for line in lines if line[0].lower() == name)
    result = verdict(request([*lines, again]))
    assert result.word is Word.BAD_SIG
    assert "more than once" in result.reasons[0]


def test_another_repeated_header_does_no_harm() -> None:
    assert verdict(request([*aip().items(), ("accept", "a"), ("accept", "b")])).word is Word.VERIFIED


def test_anothers_key_does_not_verify() -> None:
    headers = {**aip(BOB), "X-AIP-DID": ALICE.did_aip}
    assert verdict(request(headers)).word is Word.BAD_SIG


def test_the_md5_derivation_is_named() -> None:
    did = "did:aip:219df75ce6a29aea1105840cb1ce2876"
    keys = KeyBook()
    keys.pin(did, ALICE.public)
    result = Judge(keys, ReplayWindow()).judge(0, request({**aip(BOB), "X-AIP-DID": did}), NOW)
    assert result.word is Word.BAD_SIG
    assert any("MD5" in reason for reason in result.reasons)


def test_no_key_means_no_check() -> None:
    result = judge().judge(0, request(aip()), NOW)
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNRESOLVABLE)
    assert result.signer is not None
    assert result.signer.id == ALICE.did_aip
    assert "no registry is configured" in result.reasons[0]


def test_a_nonce_with_a_colon_makes_the_signed_octets_ambiguous() -> None:
    result = verdict(request(aip(nonce="2026-03-22T08:10:07+00:00:n1")))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    assert "more than one way" in result.reasons[0]
