"""HTTP message signatures: published vectors, parameters, key ids, several signatures."""

from base64 import b64encode

import pytest
from signed import ALICE, BOB, NOW, aip, digest, judge, judged, request, rfc9421, sign

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.model.identity import Covered, Evidence, Freshness, Resolution, SignatureState, Word, uncovered

VECTOR_KEY = bytes.fromhex("26b40b8f93fff3d897112f7ebc582b232dbd72517d082fe83cfb30ddce43d1bb")


VECTOR = request(
    [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
        (
            "signature-input",
            'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
            ';created=1618884473;keyid="test-key-ed25519"',
        ),
        (
            "signature",
            "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:",
        ),
    ],
    b'{"hello": "world"}',
    target="/foo?param=Value&Pet=dog",
    scheme="https",
    authority="example.com",
)


def test_the_signature_of_rfc9421_b26_verifies() -> None:
    keys = KeyBook()
    keys.pin("test-key-ed25519", VECTOR_KEY)
    result = Judge(keys, ReplayWindow()).judge(0, VECTOR, 1618884475)
    assert (result.word, result.signature, result.freshness) == (Word.PARTIAL, SignatureState.VALID, Freshness.FRESH)
    assert result.coverage == (Covered.METHOD, Covered.AUTHORITY, Covered.TIME)
    assert result.signer is not None
    assert result.signer.resolution is Resolution.PINNED
    assert result.signer.fingerprint == "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"


def test_mcps_profile_covers_everything() -> None:
    result = judged(request({**rfc9421(), "mcp-method": "tools/list"}))
    assert (result.word, result.evidence, result.scheme) == (Word.VERIFIED, Evidence.VERIFIED, "rfc9421")
    assert uncovered(result) == ()
    assert result.reasons == ()
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == (ALICE.did_key, Resolution.DID_KEY)


@pytest.mark.parametrize(
    "changed",
    [
        {"method": "PUT"},
        {"target": "/mcp/"},
        {"target": "/mcp?x"},
        {"authority": "127.0.0.1:8081"},
    ],
)
def test_a_covered_part_of_the_target_that_changes(changed: dict[str, str]) -> None:
    result = judged(request(rfc9421(), **changed))  # type: ignore[arg-type]
    assert (result.word, result.signature) == (Word.BAD_SIG, SignatureState.INVALID)


@pytest.mark.parametrize("name", ["mcp-session-id", "mcp-protocol-version", "Content-Digest", "Signature-Input"])
def test_a_covered_field_that_changes(name: str) -> None:
    headers = rfc9421()
    changed = {"Signature-Input": ("n1", "n2"), "mcp-session-id": ("0", "1")}.get(name, ("2", "3"))
    headers[name] = headers[name].replace(*changed)
    assert judged(request(headers)).word is Word.BAD_SIG


@pytest.mark.parametrize(
    ("parameters", "word", "reason"),
    [
        (';alg="ed25519"', Word.VERIFIED, ""),
        (';alg="rsa-pss-sha512"', Word.NO_CHECK, "rsa-pss-sha512"),
        (";alg=ed25519", Word.BAD_SIG, "alg"),
        (';nonce="n";tag="t";ext=1.5', Word.VERIFIED, ""),
        (";nonce=1", Word.BAD_SIG, "nonce"),
        (';created="x"', Word.BAD_SIG, "twice"),
        (f";expires={int(NOW) + 10}", Word.VERIFIED, ""),
        (f";expires={int(NOW) - 1}", Word.STALE, "expired"),
        (";expires=1.5", Word.BAD_SIG, "expires"),
    ],
)
def test_signature_parameters_are_held_to_their_types_and_times(parameters: str, word: Word, reason: str) -> None:
    headers = {"content-digest": digest(), **sign({'"content-digest"': digest()}, parameters)}
    result = judged(request(headers))
    assert result.word is word
    assert reason in "".join(result.reasons[:1])


def test_a_signature_without_a_time_is_partial() -> None:
    headers = {"content-digest": digest(), **sign({'"content-digest"': digest()}, created=None)}
    result = judged(request(headers))
    assert (result.word, result.freshness) == (Word.PARTIAL, Freshness.UNDECIDABLE)
    assert Covered.TIME not in result.coverage
    assert result.reasons[0] == "nothing signed says when"


def test_a_signature_that_names_no_key() -> None:
    text = f'("@method");created={int(NOW)}'
    base = f'"@method": POST\n"@signature-params": {text}'
    signature = b64encode(ALICE.sign(base.encode())).decode()
    result = judged(request({"signature-input": f"a={text}", "signature": f"a=:{signature}:"}))
    assert (result.word, result.reasons) == (Word.NO_CHECK, ("the signature names no key",))


def test_another_spelling_of_the_input_is_serialised_first() -> None:
    headers = sign({'"@method"': "POST", '"@authority"': "127.0.0.1:8080"})
    spelt = headers["signature-input"].replace('" "', '"   "').replace(";created", "; created").replace("=(", "=(  ")
    assert spelt != headers["signature-input"]
    assert judged(request({**headers, "signature-input": spelt})).signature is SignatureState.VALID


@pytest.mark.parametrize(
    ("headers", "word", "reason"),
    [
        ({"signature-input": 'a=("@method")'}, Word.UNSIGNED, "without Signature"),
        ({"signature": 'keyId="x",algorithm="hs2019",signature="YQ=="'}, Word.NO_CHECK, "without Signature-Input"),
        ({"signature-input": "a=1", "signature": "a=:YQ==:"}, Word.NO_CHECK, "malformed"),
        ({"signature-input": 'a=("@authority");keyId="x"', "signature": "a=:YQ==:"}, Word.NO_CHECK, "malformed"),
        ({"signature-input": 'a=("@method")', "signature": "a=YQ=="}, Word.BAD_SIG, "Signature is malformed"),
        ({"signature-input": 'a=("@method")', "signature": "b=:YQ==:"}, Word.UNSIGNED, "no member"),
    ],
)
def test_incomplete_and_malformed_headers(headers: dict[str, str], word: Word, reason: str) -> None:
    result = judged(request(headers))
    assert result.word is word
    assert reason in result.reasons[0]


def test_a_signature_of_another_length_is_bad() -> None:
    headers = rfc9421()
    headers["Signature"] = "sig1=:YQ==:"
    assert judged(request(headers)).word is Word.BAD_SIG


@pytest.mark.parametrize("key_id", [f"{ALICE.did_key}#key", ALICE.did_aip, f"{ALICE.did_aip}#key-1", "name"])
def test_a_pinned_key_is_found_by_every_name_it_goes_by(key_id: str) -> None:
    keys = KeyBook()
    keys.pin(ALICE.did_aip, ALICE.public)
    keys.pin("name", ALICE.public)
    result = Judge(keys, ReplayWindow()).judge(0, request(rfc9421(key_id=key_id)), NOW)
    assert result.word is Word.VERIFIED
    assert result.signer is not None
    assert result.signer.id == key_id.partition("#")[0]


def test_a_thumbprint_names_a_pinned_key() -> None:
    keys = KeyBook()
    keys.pin(ALICE.did_aip, ALICE.public)
    print_of_alice = keys.lookup(ALICE.did_aip, NOW).keys[0].signer.fingerprint
    result = Judge(keys, ReplayWindow()).judge(0, request(rfc9421(key_id=print_of_alice)), NOW)
    assert result.word is Word.VERIFIED
    assert result.signer is not None
    assert result.signer.id == ALICE.did_aip


def test_an_unknown_name_is_not_checked() -> None:
    result = judged(request(rfc9421(key_id="nobody")))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNRESOLVABLE)
    assert result.reasons[0] == "no key is pinned under this name; pin it: mcpwatch keys add DID KEY"


def test_several_signatures_and_the_strongest_speaks() -> None:
    strong = rfc9421()
    weak = sign({'"@method"': "POST"}, key=BOB, label="proxy")
    headers = {
        **strong,
        "Signature-Input": f"{weak['signature-input']}, {strong['Signature-Input']}",
        "Signature": f"{weak['signature']}, {strong['Signature']}",
    }
    result = judged(request(headers))
    assert result.word is Word.VERIFIED
    assert result.signer is not None
    assert result.signer.id == ALICE.did_key
    assert result.reasons == ()
    (other,) = result.others
    assert (other.word, other.scheme, other.label) == (Word.PARTIAL, "rfc9421", "proxy")
    assert other.signer is not None
    assert other.signer.id == BOB.did_key
    assert other.reason == "the body is not covered"


def test_a_valid_signature_speaks_before_a_bad_one() -> None:
    good, bad = rfc9421(), rfc9421(BOB, label="sig2")
    headers = {
        **good,
        "Signature-Input": f"{good['Signature-Input']}, {bad['Signature-Input']}",
        "Signature": f"{good['Signature']}, sig2=:{b64encode(bytes(64)).decode()}:",
    }
    result = judged(request(headers))
    assert result.word is Word.VERIFIED
    assert [(other.word, other.label) for other in result.others] == [(Word.BAD_SIG, "sig2")]


def test_aip_and_rfc9421_side_by_side() -> None:
    result = judge(ALICE).judge(0, request({**aip(), **rfc9421()}), NOW)
    assert (result.word, result.scheme) == (Word.VERIFIED, "rfc9421")
    assert Covered.SESSION in result.coverage
    assert [(other.word, other.scheme) for other in result.others] == [(Word.VERIFIED, "aip")]


@pytest.mark.parametrize("age", [0, 1_000])
def test_an_added_signature_takes_nobodys_place(age: int) -> None:
    added, old = rfc9421(BOB, label="added"), aip(now=NOW - age)
    result = judge(ALICE).judge(0, request({**old, **added}), NOW)
    assert result.word is (Word.STALE if age else Word.VERIFIED)
    assert result.signer is not None
    assert result.signer.id == ALICE.did_aip
    assert [(other.word, other.label) for other in result.others] == [(Word.VERIFIED, "added")]


def test_more_signatures_than_anyone_needs() -> None:
    many = [sign({'"@method"': "POST"}, label=f"s{number}") for number in range(12)]
    headers = {name: ", ".join(one[name] for one in many) for name in many[0]}
    result = judged(request(headers))
    assert result.signature is SignatureState.VALID
    assert len(result.others) == 8
    assert "more than 8" in result.others[-1].reason
