"""Content-Digest and the body under a message signature."""

import pytest
from signed import CALL, aip, body_of, digest, digest_only, judged, request, rfc9421, sign, verdict

from mcpwatch.model.identity import Covered, Word


def test_a_changed_body_is_told_from_a_bad_signature() -> None:
    result = judged(request(rfc9421(), CALL.replace(b"1", b"2", 1)))
    assert result.word is Word.BAD_SIG
    assert result.reasons == ("the signature holds, but the body is not the one that was signed",)
    assert result.coverage == ()


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-512"])
def test_a_hidden_body_verifies_by_its_digest(algorithm: str) -> None:
    headers = {"content-digest": digest(algorithm=algorithm), **sign({'"content-digest"': digest(algorithm=algorithm)})}
    result = judged(request(headers, body=digest_only(CALL, sha512=True)))
    assert (result.word, result.body_by_digest) == (Word.VERIFIED, True)
    assert judged(request(headers)).body_by_digest is False
    assert judged(request(headers, body=digest_only(b"{}", sha512=True))).word is Word.BAD_SIG


def test_a_digest_that_cannot_be_compared_covers_nothing() -> None:
    for field in (digest(algorithm="sha-512"), "md5=:1B2M2Y8AsgTpgAmY7PhCfg==:"):
        headers = {"content-digest": field, **sign({'"content-digest"': field})}
        result = judged(request(headers, body=digest_only(CALL)))
        assert result.word is Word.PARTIAL
        assert Covered.BODY not in result.coverage
        assert any("cannot be compared" in reason for reason in result.reasons)


def test_every_digest_must_match() -> None:
    field = f"{digest()}, {digest(b'other', 'sha-512')}"
    headers = {"content-digest": field, **sign({'"content-digest"': field})}
    assert judged(request(headers)).word is Word.BAD_SIG


def test_a_malformed_digest_is_bad() -> None:
    headers = {"content-digest": "sha-256=abc", **sign({'"content-digest"': "sha-256=abc"})}
    result = judged(request(headers))
    assert (result.word, result.reasons) == (Word.BAD_SIG, ("Content-Digest is malformed",))


def test_a_digest_that_is_not_covered_proves_nothing() -> None:
    headers = {"content-digest": digest(), **sign({'"@method"': "POST"})}
    result = judged(request(headers))
    assert result.word is Word.PARTIAL
    assert "the body is not covered" in result.reasons


def test_an_empty_body_has_a_digest_too() -> None:
    headers = {"content-digest": digest(b""), **sign({'"@method"': "GET", '"content-digest"': digest(b"")})}
    assert judged(request(headers, b"", method="GET")).word is Word.VERIFIED


def test_a_feed_that_shows_another_body_is_caught() -> None:
    result = judged(request(rfc9421(), body=body_of(CALL, text="{}")))
    assert result.word is Word.BAD_SIG
    assert "shows another body" in result.reasons[0]


def test_a_digest_beside_the_signed_one_proves_nothing() -> None:
    signed, other = digest(algorithm="sha1").replace("sha1", "sha"), digest(b"other")
    value = signed.partition("=")[2]
    headers = {"content-digest": f"{signed}, {other}", **sign({'"content-digest";key="sha"': value})}
    result = judged(request(headers, b"other"))
    assert result.word is Word.PARTIAL
    assert Covered.BODY not in result.coverage


def test_a_digest_that_is_signed_alone_covers_the_body() -> None:
    value = digest().partition("=")[2]
    headers = {"content-digest": f"{digest()}, {digest(b'other', 'sha-512')}"}
    headers |= sign({'"content-digest";key="sha-256"': value})
    assert judged(request(headers)).word is Word.VERIFIED
    assert judged(request(headers, b"other")).word is Word.BAD_SIG


@pytest.mark.parametrize(
    "shown",
    [
        {"base64": "e30="},
        {"text": "{}", "truncated": True},
        {"text": None, "base64": "e30=", "truncated": True},
        {"text": None, "base64": "e30=", "masked": 1},
    ],
    ids=["two bodies", "truncated text", "truncated base64", "masked base64"],
)
def test_a_feed_that_shows_what_it_cannot_have_is_caught(shown: dict[str, object]) -> None:
    for signed in (rfc9421(), aip()):
        result = verdict(request(signed, body=body_of(CALL, **shown)))
        assert result.word is Word.BAD_SIG
        assert result.reasons[0].startswith("the feed s")


@pytest.mark.parametrize("claim", [{"masked": 1}, {"truncated": True}])
def test_no_text_is_shown_for_an_empty_body(claim: dict[str, object]) -> None:
    result = verdict(request(aip(data=b""), body=body_of(b"", text="{}", **claim)))
    assert result.word is Word.BAD_SIG
