"""DPoP: the specification's own proof, what a proof covers, the token it is bound to, and whatever else comes."""

import json
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey
from p256 import CAROL
from proofs_of_possession import ATH, BOUND, CLAIMS, HEADER, PRINT, TOKEN, URL, part, proof
from signed import ALICE, BOB, NOW, request, rfc9421
from signed import judged as direct

from mcpwatch.encoding import decode_base64url, encode_base64url
from mcpwatch.gateway.principal import KeyedHash, read_principal
from mcpwatch.identity import verifier
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.entries import Principal, Request
from mcpwatch.model.identity import Covered, Evidence, Resolution, SignatureState, Verdict, Word

FIGURE_13 = (
    "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo"
    "RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19"
    ".eyJqdGkiOiJlMWozVl9iS2ljOC1MQUVCIiwiaHRtIjoiR0VUIiwiaHR1IjoiaHR0cHM6Ly9yZXNvdXJjZS5leGFtcGxlLm9yZy9wcm90ZWN0ZWRy"
    "ZXNvdXJjZSIsImlhdCI6MTU2MjI2MjYxOCwiYXRoIjoiZlVIeU8ycjJaM0RaNTNFc05yV0JiMHhXWG9hTnk1OUlpS0NBcWtzbVFFbyJ9"
    ".2oW9RP35yRqzhrtNP86L-Ey71EOptxRimPPToA1plemAgR6pxHF8y6-yqyVnmcw6Fy1dqd-jfxSYoMxhAJpLjA"
)
JKT = "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def judged(text: str, principal: Principal | None = BOUND, *, now: float = NOW, **changes: object) -> Verdict:
    asked = request({"dpop": text}, principal=principal, **changes)  # type: ignore[arg-type]
    return Judge(KeyBook(), ReplayWindow()).judge(0, asked, now)


def test_the_proof_of_rfc9449_figure_13_verifies() -> None:
    principal = read_principal([(b"Authorization", b"DPoP " + TOKEN)], KeyedHash(b"k" * 32))
    asked = request(
        {"dpop": FIGURE_13},
        b"",
        method="GET",
        target="/protectedresource",
        scheme="https",
        authority="resource.example.org",
        principal=principal,
    )
    result = Judge(KeyBook(), ReplayWindow()).judge(0, asked, 1562262619)
    assert (result.word, result.signature, result.scheme) == (Word.PARTIAL, SignatureState.VALID, "dpop")
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == (f"key:{JKT}", Resolution.EMBEDDED)
    assert Covered.TOKEN in result.coverage


def test_what_a_proof_covers() -> None:
    result = judged(proof())
    assert (result.word, result.evidence) == (Word.PARTIAL, Evidence.VERIFIED)
    assert set(result.coverage) == {
        *(Covered.METHOD, Covered.TARGET, Covered.AUTHORITY, Covered.TIME, Covered.NONCE, Covered.TOKEN)
    }
    assert result.reasons == (
        "the key came from the agent itself: nobody vouches for whose it is",
        "the body is not covered",
    )


def test_a_query_is_not_covered() -> None:
    result = judged(proof(), target="/mcp?tenant=7")
    assert result.signature is SignatureState.VALID
    assert Covered.TARGET not in result.coverage
    assert "the query is not covered" in result.reasons


@pytest.mark.parametrize(
    "htu",
    [URL, "HTTP://127.0.0.1:8080/mcp", f"{URL}?x=1#y", "http://127.0.0.1:8080/%6dcp", "https://127.0.0.1:8080/mcp"],
)
def test_a_url_has_several_spellings(htu: str) -> None:
    result = judged(proof(claims={**CLAIMS, "htu": htu}))
    assert result.signature is SignatureState.VALID
    assert any("TLS ends before" in reason for reason in result.reasons) is htu.startswith("https")


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"htm": "GET"}, "another method (htm)"),
        ({"htm": "post"}, "another method (htm)"),
        ({"htu": "http://127.0.0.1:8080/"}, "another URL (htu)"),
        ({"htu": "http://127.0.0.1:8080/mcp/"}, "another URL (htu)"),
        ({"htu": "http://127.0.0.1/mcp"}, "another URL (htu)"),
        ({"htu": "http://u@127.0.0.1:8080/mcp"}, "another URL (htu)"),
        ({"htu": "ftp://127.0.0.1:8080/mcp"}, "another URL (htu)"),
        ({"htu": "/mcp"}, "another URL (htu)"),
        ({"htu": "http://["}, "another URL (htu)"),
        ({"htu": f" {URL}"}, "another URL (htu)"),
        ({"htu": URL.replace("mcp", "m\ncp")}, "another URL (htu)"),
        ({"ath": encode_base64url(bytes(32))}, "another access token (ath)"),
    ],
)
def test_a_proof_for_something_else_is_bad(claims: dict[str, object], reason: str) -> None:
    result = judged(proof(claims=CLAIMS | claims))
    assert (result.word, result.coverage) == (Word.BAD_SIG, ())
    assert reason in result.reasons[0]


@pytest.mark.parametrize("authority", ["", "u@127.0.0.1:8080"])
@pytest.mark.parametrize("htu", ["/mcp", "mailto:a@b", URL])
def test_a_request_without_an_address_has_no_proof(authority: str, htu: str) -> None:
    asked = request({"dpop": proof(claims={**CLAIMS, "htu": htu})}, authority=authority, principal=BOUND)
    assert direct(asked).word is Word.BAD_SIG


def test_a_host_is_ascii() -> None:
    asked = request(
        {"dpop": proof(claims={**CLAIMS, "htu": "http://ban\N{KELVIN SIGN}.example/mcp"})}, authority="bank.example"
    )
    assert direct(asked).word is Word.BAD_SIG


# The access token


@pytest.mark.parametrize(
    ("principal", "claims", "word", "covered", "reason"),
    [
        (BOUND, CLAIMS, Word.PARTIAL, True, ""),
        (None, CLAIMS, Word.PARTIAL, False, "no access token came"),
        (Principal("bearer", "ab"), CLAIMS, Word.PARTIAL, False, "not as DPoP"),
        (Principal("several", "ab"), CLAIMS, Word.PARTIAL, False, "comes more than once"),
        (Principal("dpop", "ab", access_token_sha256=ATH), CLAIMS, Word.PARTIAL, True, "which key it is bound to"),
        (Principal("dpop", "ab", key_thumbprint=PRINT), CLAIMS, Word.PARTIAL, False, "the feed does not tell"),
        (Principal("dpop", "ab", key_thumbprint=JKT), CLAIMS, Word.BAD_SIG, False, "bound to another key"),
        (Principal("bearer", "ab", key_thumbprint=JKT), CLAIMS, Word.BAD_SIG, False, "bound to another key"),
        (BOUND, {**CLAIMS, "ath": None}, Word.BAD_SIG, False, "has no ath"),
        (BOUND, {name: CLAIMS[name] for name in ("jti", "htm", "htu", "iat")}, Word.PARTIAL, False, "(ath)"),
    ],
)
def test_the_token_and_the_proof(
    principal: Principal | None, claims: dict[str, object], word: Word, covered: bool, reason: str
) -> None:
    result = judged(proof(claims=claims), principal)
    assert result.word is word
    assert (Covered.TOKEN in result.coverage) is covered
    assert any(reason in text for text in result.reasons)


@pytest.mark.parametrize("principal", [Principal("dpop", "ab"), Principal("bearer", "ab", key_thumbprint=PRINT)])
def test_a_token_that_is_bound_to_a_key_and_comes_without_proof(principal: Principal) -> None:
    asked = request({}, principal=principal)
    result = Judge(KeyBook(), ReplayWindow()).judge(0, asked, NOW)
    assert (result.word, result.signature, result.scheme) == (Word.UNSIGNED, SignatureState.ABSENT, "dpop")
    assert "no DPoP proof came" in result.reasons[0]


@pytest.mark.parametrize(("withheld", "reason"), [(("dpop",), "withholds the DPoP proof"), (("*",), "too large")])
def test_a_proof_that_the_feed_does_not_carry(withheld: tuple[str, ...], reason: str) -> None:
    asked = request({}, principal=BOUND, withheld=withheld)
    result = Judge(KeyBook(), ReplayWindow()).judge(0, asked, NOW)
    assert result.word is Word.NO_CHECK
    assert reason in result.reasons[0]


def test_two_proofs_are_none() -> None:
    asked = request([("dpop", proof()), ("dpop", proof())], principal=BOUND)
    result = Judge(KeyBook(), ReplayWindow()).judge(0, asked, NOW)
    assert result.word is Word.BAD_SIG
    assert "more than once" in result.reasons[0]


def test_a_pinned_key_has_its_name() -> None:
    keys = KeyBook()
    keys.pin("carol", CAROL.public)
    result = Judge(keys, ReplayWindow()).judge(0, request({"dpop": proof()}, principal=BOUND), NOW)
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == ("carol", Resolution.PINNED)


def test_the_second_time_is_a_replay() -> None:
    judge, asked = Judge(KeyBook(), ReplayWindow()), request({"dpop": proof()}, principal=BOUND)
    judge.judge(3, asked, NOW)
    again = judge.judge(4, asked, NOW)
    assert (again.word, again.first_seen) == (Word.REPLAY, 3)
    signed_again = request({"dpop": proof()}, principal=BOUND)
    assert judge.judge(5, signed_again, NOW).word is Word.REPLAY


@pytest.mark.parametrize(("age", "word"), [(300, Word.PARTIAL), (301, Word.STALE), (-61, Word.STALE)])
def test_a_proof_is_fresh_within_the_window(age: int, word: Word) -> None:
    assert judged(proof(claims={**CLAIMS, "iat": int(NOW) - age})).word is word
    assert judged(proof(claims={**CLAIMS, "iat": NOW - age})).word is word


def test_a_message_signature_beside_it_binds() -> None:
    result = Judge(KeyBook(), ReplayWindow()).judge(0, request({**rfc9421(), "dpop": proof()}, principal=BOUND), NOW)
    assert (result.word, result.scheme) == (Word.VERIFIED, "rfc9421")
    assert [(other.word, other.scheme) for other in result.others] == [(Word.PARTIAL, "dpop")]


# Other signers


def ed25519_header(key: bytes = ALICE.public, algorithm: str = "EdDSA") -> dict[str, object]:
    return {"typ": "dpop+jwt", "alg": algorithm, "jwk": verifier.jwk(key)}


@pytest.mark.parametrize("algorithm", ["EdDSA", "Ed25519"])
def test_an_ed25519_proof(algorithm: str) -> None:
    result = judged(proof(ed25519_header(algorithm=algorithm), key=ALICE), Principal("dpop", "ab"))
    assert result.signature is SignatureState.VALID


@pytest.mark.parametrize("kind", [ECKey, OKPKey])
@given(claims=st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=3))
def test_what_the_library_signs_is_valid_here(kind: type[ECKey] | type[OKPKey], claims: dict[str, str | int]) -> None:
    key = ECKey.generate_key("P-256") if kind is ECKey else OKPKey.generate_key("Ed25519")
    algorithm = "ES256" if kind is ECKey else "Ed25519"
    header = {"typ": "dpop+jwt", "alg": algorithm, "jwk": key.as_dict(private=False)}
    payload = json.dumps({**claims, **CLAIMS}).encode()
    text = jws.serialize_compact(header, payload, key, algorithms=[algorithm])
    result = judged(text, Principal("dpop", "ab", access_token_sha256=ATH))
    assert result.signature is SignatureState.VALID
    assert result.signer is not None
    assert result.signer.fingerprint == key.thumbprint()


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=5) | st.integers(), max_size=3))
def test_what_is_signed_here_the_library_verifies(claims: dict[str, str | int]) -> None:
    text = proof(claims={**claims, **CLAIMS})
    key = ECKey.import_key({**verifier.jwk(CAROL.public)})
    assert json.loads(jws.deserialize_compact(text, key, algorithms=["ES256"]).payload) == {**claims, **CLAIMS}


# Bad input


PRIVATE = CAROL.private.private_numbers().private_value.to_bytes(32, "big")


@pytest.mark.parametrize(
    ("header", "state", "reason"),
    [
        ({"typ": "jwt"}, SignatureState.INVALID, "typ is not dpop+jwt"),
        ({"typ": None}, SignatureState.INVALID, "typ is not dpop+jwt"),
        ({"alg": "none"}, SignatureState.INVALID, "alg none is not one of a key pair"),
        ({"alg": "HS256"}, SignatureState.INVALID, "alg HS256 is not one of a key pair"),
        ({"alg": 7}, SignatureState.INVALID, "alg is not one of a key pair"),
        ({"alg": "RS256"}, SignatureState.UNSUPPORTED, "alg RS256 that is not checked here"),
        ({"alg": "ES384"}, SignatureState.UNSUPPORTED, "alg ES384 that is not checked here"),
        ({"alg": "\ud800\x1b[2J"}, SignatureState.UNSUPPORTED, "an alg that is not checked here"),
        ({"alg": "EdDSA"}, SignatureState.INVALID, "alg EdDSA does not fit its P-256 key"),
        ({"crit": ["b64"], "b64": False}, SignatureState.UNSUPPORTED, "crit"),
        ({"jwk": None}, SignatureState.INVALID, "no public key (jwk)"),
        ({"jwk": "x"}, SignatureState.INVALID, "no public key (jwk)"),
        (
            {"jwk": {**verifier.jwk(CAROL.public), "d": encode_base64url(PRIVATE)}},
            SignatureState.INVALID,
            "carries a private key",
        ),
        ({"jwk": {"kty": "oct", "k": "AAAA"}}, SignatureState.INVALID, "carries a private key"),
        ({"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}}, SignatureState.INVALID, "not a key that may be used"),
        ({"jwk": {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"}}, SignatureState.INVALID, "not a key that may"),
        (ed25519_header(bytes([1]) + bytes(31)), SignatureState.INVALID, "not a key that may be used"),
        (ed25519_header(), SignatureState.INVALID, "does not verify"),
    ],
)
def test_a_header_that_does_not_do(header: dict[str, object], state: SignatureState, reason: str) -> None:
    result = judged(proof(HEADER | header))
    assert result.signature is state
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"jti": ""}, "no jti"),
        ({"jti": 1}, "no jti"),
        ({"htm": None}, "no htm"),
        ({"htu": ["x"]}, "no htu"),
        ({"iat": True}, "(iat)"),
        ({"iat": "1795000000"}, "(iat)"),
        ({"iat": 10**400}, "(iat)"),
        ({"iat": 1e300}, "(iat)"),
        ({"ath": 1}, "no ath"),
    ],
)
def test_claims_that_do_not_do(claims: dict[str, object], reason: str) -> None:
    result = judged(proof(claims=CLAIMS | claims))
    assert result.word is Word.BAD_SIG
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"[]",
        b"{",
        b"\xff{}",
        b'{"a":NaN}',
        json.dumps(CLAIMS).encode() + b" x",
        json.dumps(CLAIMS).encode().replace(b'{"jti"', b'{"htm": "GET", "jti"'),
        b"[" * 60_000,
    ],
)
def test_json_that_can_be_read_in_two_ways_or_in_none_is_bad(octets: bytes) -> None:
    for text in (proof(claims=octets), proof(octets)):
        result = judged(text)
        assert result.word in (Word.BAD_SIG, Word.NO_CHECK)
        assert "JSON object" in result.reasons[0] or "longer than" in result.reasons[0]


def test_a_private_key_is_not_repeated() -> None:
    secret = encode_base64url(PRIVATE)
    result = judged(proof({**HEADER, "jwk": {**verifier.jwk(CAROL.public), "d": secret}}))
    assert secret not in repr(result)


def loose(text: str) -> str:
    """The same octets in base64url with another last character."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spare = {2: 15, 3: 3}[len(text) % 4]
    value = alphabet.index(text[-1])
    assert value & spare == 0
    return text[:-1] + alphabet[value | 1]


def test_base64_with_trailing_bits_is_bad() -> None:
    head, claims, signature = proof().split(".")
    for text in (f"{head}.{claims}.{loose(signature)}", f"{head}.{claims}.{signature}=="):
        result = judged(text)
        assert (result.word, result.reasons[0]) == (Word.BAD_SIG, "the DPoP proof is not a compact JWS")


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c.d", "é.é.é", "x" * 16_385, "a,b", b64encode(b"x").decode()])
def test_what_is_no_proof(text: str) -> None:
    assert judged(text).word in (Word.BAD_SIG, Word.NO_CHECK)


@given(st.integers(0, 2**31), st.sampled_from([0, 1, 2]))
def test_a_changed_bit_of_a_proof_is_never_valid(bit: int, place: int) -> None:
    parts = proof().split(".")
    octets = bytearray(decode_base64url(parts[place]) or b"")
    octets[bit // 8 % len(octets)] ^= 1 << bit % 8
    parts[place] = encode_base64url(bytes(octets))
    result = judged(".".join(parts))
    assert result.signature is not SignatureState.VALID
    assert not result.coverage


@given(st.integers(0, 6), st.data())
def test_a_changed_character_of_a_proof_is_never_valid(bit: int, data: st.DataObject) -> None:
    text = proof()
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
    result = judged(changed)
    assert result.signature is not SignatureState.VALID


@given(
    st.builds(
        lambda header, claims: proof(header, claims),
        st.fixed_dictionaries({}, optional={name: st.none() | st.text() | st.integers() for name in HEADER}),
        st.fixed_dictionaries({}, optional={name: st.none() | st.text() | st.floats() for name in CLAIMS}),
    )
    | st.text(max_size=40)
    | st.lists(st.binary(max_size=20).map(part), max_size=4).map(".".join)
)
def test_whatever_comes_there_is_a_verdict(text: str) -> None:
    result = judged(text)
    assert result.word not in (Word.VERIFIED, Word.PARTIAL)
    assert result.reasons


@pytest.mark.parametrize(
    "changed",
    [{"method": "PUT"}, {"target": "/mcp/"}, {"authority": "127.0.0.1:8081"}, {"scheme": "https"}],
)
def test_a_changed_request_under_the_same_proof_is_bad(changed: dict[str, str]) -> None:
    assert judged(proof(), **changed).word is Word.BAD_SIG  # type: ignore[arg-type]


def asked_by(key: bytes) -> Request:
    """Carol's proof with another key put in."""
    _, claims, signature = proof().split(".")
    return request({"dpop": f"{part({**HEADER, 'jwk': verifier.jwk(key)})}.{claims}.{signature}"}, principal=BOUND)


def test_another_key_in_the_proof_is_bad() -> None:
    for key in (BOB.public, ALICE.public):
        assert Judge(KeyBook(), ReplayWindow()).judge(0, asked_by(key), NOW).word is Word.BAD_SIG
