"""Whatever a request holds, there is a verdict; and whatever bit of signed material changes, it is not VERIFIED."""

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from signed import ALICE, CALL, NOW, aip, digest_only, judge, request, rfc9421

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.schemes import SCHEMES
from mcpwatch.model.entries import Body, Principal, Request
from mcpwatch.model.identity import Evidence, Resolution, SignatureState, Verdict, Word

VARIANTS = {name for scheme in SCHEMES for name in scheme.variants} | {""}
PIECES = st.sampled_from(
    [
        *'":;=(),\\ \t\n\0é\ud800@?%',
        "did:key:",
        ALICE.did_key,
        ALICE.did_aip,
        "#key-1",
        '("@method" "@target-uri" "content-digest")',
        '"@query-param";name="a"',
        '"x-aip-did";sf',
        '"signature";key="a"',
        '"signature-input";bs',
        ";created=1795000000",
        ";created=999999999999999",
        ";expires=-1",
        ';keyid="',
        ';alg="rsa"',
        "sig1=",
        ';tag="web-bot-auth"',
        '"signature-agent";key="sig1"',
        '"https://agent.example"',
        '"data:,%7B%22keys%22:[]%7D"',
        ";type=cimd",
        "eyJ0eXAiOiJkcG9wK2p3dCJ9.e30.",
        "sha-256=:",
        "base64:",
        "sha256=",
        b64encode(bytes(64)).decode(),
        "2026-11-18T00:00:00+00:00",
        "0001-01-01T00:00:00+23:59",
        "9999-12-31T23:59:59-23:59",
        "1795000000",
    ]
)
TEXTS = st.lists(PIECES, max_size=8).map("".join) | st.text(max_size=20)
NAMES = st.one_of(
    st.sampled_from(["x-aip-did", "x-aip-signature", "x-aip-timestamp", "x-aip-nonce", "x-aip-challenge", "X-AIP-DID"]),
    st.sampled_from(["signature", "signature-input", "content-digest", "mcp-session-id", "mcp-name", "x-aip-token"]),
    st.sampled_from(["dpop", "signature-agent", "ucp-agent", "authorization"]),
)
TARGETS = TEXTS | st.sampled_from(["*", "http://h/p?q", "http://h?q=/x", "//", "/mcp?a=%ff&a=1", "://", ""])
BODIES = st.none() | st.builds(
    Body,
    st.integers(0, 100),
    st.sampled_from([digest_only(CALL).sha256, "", "zz"]),
    st.none() | TEXTS | st.just('{"method":"initialize","params":{"clientInfo":{"aip":{"did":"x"}}}}'),
    st.none() | TEXTS,
    st.integers(0, 2),
    st.none() | TEXTS,
    st.booleans(),
)
REQUESTS = st.builds(
    Request,
    st.just("demo"),
    st.sampled_from(["POST", "get", "", "é"]),
    st.sampled_from(["http", "https", "", "HTTP"]),
    TEXTS,
    TARGETS,
    st.just("127.0.0.1:5"),
    st.lists(st.tuples(NAMES, TEXTS), max_size=8).map(tuple),
    BODIES,
    st.just(""),
    st.lists(NAMES | st.sampled_from(["*", "@query", "authorization"]), max_size=2).map(tuple),
    st.none() | st.builds(Principal, st.sampled_from(["", "bearer", "dpop", "several"]), TEXTS, key_thumbprint=TEXTS),
)


def court() -> Judge:
    keys = KeyBook()
    keys.resolvable = ("did:aip:",)
    keys.pin("name", ALICE.public)
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(ALICE.public),)), 0)
    keys.wanted(1000)
    return Judge(keys, ReplayWindow(10))


def sound(result: Verdict) -> bool:
    """Whether the parts of a verdict fit together."""
    proven = result.evidence is Evidence.VERIFIED
    return (
        proven is (result.signature is SignatureState.VALID)
        and (result.word not in (Word.VERIFIED, Word.PARTIAL) or proven)
        and (proven or not result.coverage)
        and (not proven or (result.signer is not None and bool(result.signer.fingerprint)))
        and result.scheme in VARIANTS
        and (result.word is Word.VERIFIED or bool(result.reasons))
    )


@given(REQUESTS, st.floats(allow_nan=True))
def test_there_is_always_a_verdict(asked: Request, now: float) -> None:
    result = court().judge(0, asked, now)
    assert sound(result)
    assert result.word is not Word.VERIFIED


@given(st.sampled_from([aip, rfc9421]), NAMES, TEXTS)
def test_an_added_header_never_breaks_it(sign: object, name: str, text: str) -> None:
    headers = aip() if sign is aip else rfc9421()
    result = court().judge(0, request([*headers.items(), (name, text)]), NOW)
    assert sound(result)


@given(st.sampled_from([aip, rfc9421]), st.data())
def test_a_changed_character_of_signed_material_is_never_verified(sign: object, data: st.DataObject) -> None:
    headers = aip() if sign is aip else rfc9421()
    covered = [name for name in headers if name not in ("content-type", "X-AIP-DID")]
    name = data.draw(st.sampled_from(covered))
    place = data.draw(st.integers(0, len(headers[name]) - 1))
    bit = data.draw(st.integers(0, 6))
    text = headers[name]
    changed = text[:place] + chr(ord(text[place]) ^ 1 << bit) + text[place + 1 :]
    result = judge(ALICE).judge(0, request({**headers, name: changed}), NOW)
    assert sound(result)
    assert result.word is not Word.VERIFIED or changed.strip(" \t") == text


@given(st.sampled_from([aip, rfc9421]), st.integers(0, 8 * len(CALL) - 1))
def test_a_changed_bit_of_the_body_is_bad(sign: object, bit: int) -> None:
    headers = aip() if sign is aip else rfc9421()
    data = bytearray(CALL)
    data[bit // 8] ^= 1 << bit % 8
    octets = bytes(data)
    body = Body(len(octets), digest_only(octets).sha256, base64=b64encode(octets).decode())
    assert judge(ALICE).judge(0, request(headers, body=body), NOW).word is Word.BAD_SIG


@given(st.integers(0, 255))
def test_a_changed_bit_of_the_key_verifies_nothing(bit: int) -> None:
    key = bytearray(ALICE.public)
    key[bit // 8] ^= 1 << bit % 8
    keys = KeyBook()
    keys.learn(ALICE.did_aip, Resolved(Resolution.REGISTRY, (ResolvedKey(bytes(key)),)), 0)
    result = Judge(keys, ReplayWindow(10)).judge(0, request(aip()), NOW)
    assert result.word in (Word.BAD_SIG, Word.UNKNOWN_KEY)
