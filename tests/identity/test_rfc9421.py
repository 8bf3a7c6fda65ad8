"""HTTP message signatures: published vectors, components, coverage, digests."""

import hashlib
from base64 import b64encode

import pytest
from signed import ALICE, BOB, CALL, NOW, SESSION, aip, body_of, digest_only, judge, request, rfc9421

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.signer import AgentKey
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Covered, Evidence, Freshness, Resolution, SignatureState, Verdict, Word

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
ALL = tuple(Covered)


def sign(
    covered: dict[str, str],
    parameters: str = "",
    *,
    key: AgentKey = ALICE,
    key_id: str = "",
    label: str = "sig1",
    created: float | None = NOW,
) -> dict[str, str]:
    """Signature fields over component identifiers (as serialised) and their values."""
    listed = " ".join(covered)
    text = f"({listed})" + (f";created={int(created)}" if created is not None else "")
    text += f';keyid="{key_id or key.did_key}"{parameters}'
    base = "\n".join([*(f"{name}: {value}" for name, value in covered.items()), f'"@signature-params": {text}'])
    signature = b64encode(key.sign(base.encode())).decode()
    return {"signature-input": f"{label}={text}", "signature": f"{label}=:{signature}:"}


def digest(data: bytes = CALL, algorithm: str = "sha-256") -> str:
    value = hashlib.new(algorithm.replace("-", ""), data).digest()
    return f"{algorithm}=:{b64encode(value).decode()}:"


def judged(asked: Request, now: float = NOW) -> Verdict:
    return judge().judge(0, asked, now)


def test_rfc9421_b26() -> None:
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
    assert result.coverage == ALL
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


COMPONENTS = {
    '"@method"': "POST",
    '"@target-uri"': "http://127.0.0.1:8080/a%20b?q=1&n=a+b%2F%7E&e=",
    '"@authority"': "127.0.0.1:8080",
    '"@scheme"': "http",
    '"@request-target"': "/a%20b?q=1&n=a+b%2F%7E&e=",
    '"@path"': "/a%20b",
    '"@query"': "?q=1&n=a+b%2F%7E&e=",
    '"@query-param";name="n"': "a%20b%2F%7E",
    '"@query-param";name="e"': "",
    '"host"': "127.0.0.1:8080",
    '"content-length"': str(len(CALL)),
    '"x-empty"': "",
    '"x-two"': "a, b",
    '"x-two";bs': ":YQ==:, :Yg==:",
    '"x-dict"': "a=1,   b=2;x=1;y=2,   c=(a   b   c), d",
    '"x-dict";key="a"': "1",
    '"x-dict";key="b"': "2;x=1;y=2",
    '"x-dict";key="c"': "(a b c)",
    '"x-dict";key="d"': "?1",
    '"content-digest";sf': digest(),
    '"content-digest";key="sha-256"': digest().partition("=")[2],
    '"traceparent"': "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
LINES = [
    ("x-empty", ""),
    ("x-two", " a "),
    ("x-two", "b"),
    ("x-dict", "a=1,   b=2;x=1;y=2,   c=(a   b   c), d"),
    ("content-digest", digest()),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
]
TARGET = "/a%20b?q=1&n=a+b%2F%7E&e="


@pytest.mark.parametrize("component", COMPONENTS)
def test_each_component_has_its_value(component: str) -> None:
    signed = sign({component: COMPONENTS[component]})
    assert judged(request([*LINES, *signed.items()], target=TARGET)).signature is SignatureState.VALID
    wrong = sign({component: COMPONENTS[component] + "x"})
    assert judged(request([*LINES, *wrong.items()], target=TARGET)).signature is SignatureState.INVALID


def test_all_components_at_once() -> None:
    result = judged(request([*LINES, *sign(COMPONENTS).items()], target=TARGET))
    assert result.word is Word.VERIFIED
    assert Covered.TARGET in result.coverage


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ('"@status"', "@status"),
        ('"@nonsense"', "@nonsense"),
        ('"@method";req', "req"),
        ('"content-digest";tr', "tr"),
        ('"content-digest";bs;sf', "bs"),
        ('"x-unknown";sf', "no known type"),
        ('"x-elsewhere"', "does not carry"),
    ],
)
def test_what_is_not_supported_is_named(component: str, reason: str) -> None:
    headers = {"content-digest": digest(), "x-unknown": "a", **sign({component: "x"})}
    result = judged(request(headers))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
    assert reason in result.reasons[0]


@pytest.mark.parametrize(
    ("component", "reason"),
    [
        ('"mcp-name"', "which the request does not have"),
        ('"mcp-session-id"', "which the request does not have"),
        ('"@query-param";name="zz"', "comes 0 times"),
        ('"x-dict";key="zz"', "not of that shape"),
        ('"X-Dict"', "not the name"),
        ('"@method" "@method"', "covered twice"),
        ('"x-dict";key="a";key="b"', "twice"),
        ('"@signature-params"', "not the name"),
    ],
)
def test_what_cannot_hold_is_bad(component: str, reason: str) -> None:
    result = judged(request([*LINES, *sign({component: "x"}).items()]))
    assert (result.word, result.signature) == (Word.BAD_SIG, SignatureState.INVALID)
    assert reason in result.reasons[0]


def test_a_withheld_field_is_named() -> None:
    headers = sign({'"@method"': "POST", '"authorization"': "Bearer x"})
    result = judged(request(headers, withheld=("authorization",)))
    assert (result.word, result.reasons) == (
        Word.NO_CHECK,
        ("covers `authorization`, whose value the feed withholds",),
    )


def test_a_masked_query_is_named() -> None:
    headers = sign({'"@target-uri"': "http://127.0.0.1:8080/mcp?token=secret"})
    result = judged(request(headers, target="/mcp?token=***", withheld=("@query",)))
    assert result.word is Word.NO_CHECK
    assert "masks values of the query" in result.reasons[0]
    path = sign({'"@path"': "/mcp"})
    assert judged(request(path, target="/mcp?token=***", withheld=("@query",))).word is Word.PARTIAL


def test_headers_that_were_too_large_for_the_feed() -> None:
    result = judged(request({}, withheld=("*",)))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)


@pytest.mark.parametrize(
    ("signed", "authority"),
    [
        ("http://gateway.example/mcp", "Gateway.Example:80"),
        ("http://gateway.example/mcp", "gateway.example:80"),
        ("http://Gateway.Example/mcp", "Gateway.Example"),
    ],
)
def test_the_host_may_be_normalised(signed: str, authority: str) -> None:
    assert judged(request(sign({'"@target-uri"': signed}), authority=authority)).signature is SignatureState.VALID


def test_tls_may_end_before_the_gateway() -> None:
    result = judged(request(sign({'"@target-uri"': "https://gateway.example/mcp"}), authority="gateway.example"))
    assert result.signature is SignatureState.VALID
    assert any("TLS ends before" in reason for reason in result.reasons)


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
def test_parameters(parameters: str, word: Word, reason: str) -> None:
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
def test_key_ids(key_id: str) -> None:
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
    assert result.reasons == ("no key is pinned under this name",)


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
    assert any("proxy" in reason and BOB.did_key in reason for reason in result.reasons)


def test_a_valid_signature_speaks_before_a_bad_one() -> None:
    good, bad = rfc9421(), rfc9421(BOB, label="sig2")
    headers = {
        **good,
        "Signature-Input": f"{good['Signature-Input']}, {bad['Signature-Input']}",
        "Signature": f"{good['Signature']}, sig2=:{b64encode(bytes(64)).decode()}:",
    }
    result = judged(request(headers))
    assert result.word is Word.VERIFIED
    assert any("sig2" in reason and "BAD SIG" in reason for reason in result.reasons)


def test_aip_and_rfc9421_side_by_side() -> None:
    result = judge(ALICE).judge(0, request({**aip(), **rfc9421()}), NOW)
    assert (result.word, result.scheme) == (Word.VERIFIED, "rfc9421")
    assert Covered.SESSION in result.coverage
    assert any("aip signature" in reason for reason in result.reasons)


def test_more_signatures_than_anyone_needs() -> None:
    many = [sign({'"@method"': "POST"}, label=f"s{number}") for number in range(12)]
    headers = {name: ", ".join(one[name] for one in many) for name in many[0]}
    result = judged(request(headers))
    assert result.signature is SignatureState.VALID
    assert any("more than 8" in reason for reason in result.reasons)


def test_a_line_break_cannot_forge_a_component() -> None:
    forged = sign({'"x-note"': "a", '"mcp-session-id"': "stolen"})
    text = forged["signature-input"].replace(' "mcp-session-id"', "")
    note = 'a\n"mcp-session-id": stolen'
    result = judged(request({"signature-input": text, "signature": forged["signature"], "x-note": note}))
    assert result.word is Word.BAD_SIG


def test_session_is_covered_only_when_signed() -> None:
    headers = {**SESSION, "content-digest": digest(), **sign({'"content-digest"': digest()})}
    result = judged(request(headers))
    assert Covered.SESSION not in result.coverage
    assert Covered.MCP in result.coverage


def test_mcp_fields_without_the_body() -> None:
    fields = {"mcp-method": "tools/call", "mcp-name": "echo"}
    both = sign({f'"{name}"': value for name, value in fields.items()})
    assert Covered.MCP in judged(request({**fields, **both})).coverage
    one = sign({'"mcp-method"': "tools/call"})
    assert Covered.MCP not in judged(request({**fields, **one})).coverage
    assert Covered.MCP in judged(request({"mcp-method": "tools/call", **one})).coverage


def test_a_feed_that_shows_another_body_is_caught() -> None:
    result = judged(request(rfc9421(), body=body_of(CALL, text="{}")))
    assert result.word is Word.BAD_SIG
    assert "shows another body" in result.reasons[0]


def test_more_than_64_kib_are_not_checked() -> None:
    headers = {"x-note": "a" * 70_000, **sign({'"x-note"': "a" * 70_000})}
    result = judged(request(headers))
    assert (result.word, result.signature) == (Word.NO_CHECK, SignatureState.UNSUPPORTED)
