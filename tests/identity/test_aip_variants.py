"""What else goes by AIP's name."""

import pytest
from signed import ALICE, NOW, aip, request, signed_text, verdict

from mcpwatch.identity.schemes.aip import Aip
from mcpwatch.model.identity import Covered, SignatureState, Word

STAMP = "2026-03-22T08:10:07+00:00"


def guide(url: str = "http://127.0.0.1:8080/mcp", stamp: str = str(int(NOW))) -> dict[str, str]:
    signature = signed_text(f"{ALICE.did_aip}|{url}|{stamp}")
    return {"X-AIP-DID": ALICE.did_aip, "X-AIP-Timestamp": stamp, "X-AIP-Signature": signature}


def test_the_guides_variant_covers_url_and_time_only() -> None:
    result = verdict(request(guide()))
    assert (result.word, result.scheme) == (Word.PARTIAL, "aip-guide")
    assert result.coverage == (Covered.TARGET, Covered.AUTHORITY, Covered.TIME)
    assert "the body is not covered" in result.reasons
    assert verdict(request(guide(), b"another body", method="DELETE")).word is Word.PARTIAL
    assert verdict(request(guide(), target="/else")).word is Word.BAD_SIG
    assert verdict(request(guide(stamp=str(int(NOW) - 301)))).word is Word.STALE


@pytest.mark.parametrize(
    ("headers", "variant", "reason"),
    [
        ({"X-AIP-DID": "d", "X-AIP-Challenge": "ab", "X-AIP-Signature": "YQ=="}, "aip-tutorial", "challenge"),
        ({"X-AIP-Signature": "sha256=" + "0" * 64}, "aip-hmac", "HMAC"),
        ({"X-AIP-DID": "d", "X-AIP-Timestamp": STAMP, "X-AIP-Signature": "sha256=00"}, "aip-hmac", "HMAC"),
        ({"X-AIP-Token": "ey.."}, "aip-token", "bearer"),
        ({"X-AIP-Signature": "YQ==", "X-AIP-Version": "1"}, "aip-other", "X-AIP-DID is missing"),
    ],
)
def test_other_variants_are_named_not_called_bad(headers: dict[str, str], variant: str, reason: str) -> None:
    result = verdict(request(headers))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    assert result.scheme == variant
    assert reason in result.reasons[0]


def test_a_withheld_token_is_recognised() -> None:
    result = verdict(request({}, withheld=("x-aip-token",)))
    assert (result.word, result.scheme) == (Word.NO_CHECK, "aip-token")


def test_a_token_beside_a_signature_does_not_hide_it() -> None:
    assert verdict(request(aip(), withheld=("x-aip-token",))).word is Word.VERIFIED


def test_the_sep_prefix_verifies_where_it_can_and_is_never_bad() -> None:
    headers = aip()
    headers["X-AIP-Signature"] = "base64:" + headers["X-AIP-Signature"]
    assert (verdict(request(headers)).word, verdict(request(headers)).scheme) == (Word.VERIFIED, "aip-sep")
    other = verdict(request(headers, b"{}"))
    assert (other.word, other.scheme, other.signature) == (Word.NO_CHECK, "aip-sep", SignatureState.UNSUPPORTED)


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"a","aip":{"did":"did:aip:x"}}}}',
        b'{"jsonrpc":"2.0","id":2,"method":"aip/verify","params":{"signature":"00"}}',
    ],
)
def test_the_challenge_in_initialize_is_named(body: bytes) -> None:
    result = verdict(request({}, body))
    assert (result.word, result.scheme) == (Word.NO_CHECK, "aip-init")


@pytest.mark.parametrize(
    "body",
    [
        b'{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"clientInfo":{"name":"\\"aip"}}}',
        b'{"method":"tools/call","params":{"name":"x","arguments":{"aip":1}}}',
        b'["aip"]',
        b'{"aip":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"method":"initialize","params":{"clientInfo":{"aip":7}}}',
    ],
)
def test_other_bodies_are_not_taken_for_it(body: bytes) -> None:
    assert verdict(request({}, body)).word is Word.UNSIGNED


def test_every_scheme_name_has_words() -> None:
    shown = {verdict(request(headers)).scheme for headers in (aip(), guide(), {"X-AIP-Challenge": "x"})}
    assert shown <= Aip.variants.keys()
