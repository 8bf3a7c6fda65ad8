"""Profiles of RFC 9421: which one a signature is of, where it departs from it, and whose key it names."""

import json
from base64 import b64encode

import pytest
from p256 import CAROL
from signed import ALICE, BOB, CALL, NOW, SESSION, body_of, digest, request, rfc9421, sign

from mcpwatch.encoding import encode_base64url
from mcpwatch.identity import verifier
from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.schemes.profiles import PROFILES
from mcpwatch.model.entries import Request
from mcpwatch.model.identity import Covered, KeyState, Resolution, SignatureState, Verdict, Word

PRINT = verifier.fingerprint(ALICE.public)
NONCE = encode_base64url(bytes(16))
HOST = "127.0.0.1:8080"
URI = f"http://{HOST}/mcp"
AGENT = "https://agent.example"
DAY = f";expires={int(NOW) + 86_400}"
BOT = ';tag="web-bot-auth"'


def court(*, directory: str = "", key: bytes = ALICE.public, pinned: dict[str, bytes] | None = None) -> Judge:
    keys = KeyBook()
    if directory:
        found = ResolvedKey(key, name=verifier.fingerprint(key))
        keys.learn(directory, Resolved(Resolution.DIRECTORY, (found,)), NOW)
    for name, octets in (pinned or {}).items():
        keys.pin(name, octets)
    return Judge(keys, ReplayWindow())


def bot(
    field: str = f'sig1="{AGENT}"',
    component: str = '"signature-agent";key="sig1"',
    value: str = f'"{AGENT}"',
    *,
    parameters: str = DAY + BOT,
    key_id: str = PRINT,
    place: bool = True,
) -> Request:
    covered = {'"@authority"': HOST} if place else {'"@method"': "POST"}
    if component:
        covered[component] = value
    return request({"signature-agent": field, **sign(covered, parameters, key_id=key_id)})


def sep_2752(parameters: str = f';nonce="{NONCE}";tag="client-1"', **left_out: bool) -> dict[str, str]:
    covered = {
        '"@method"': "POST",
        '"@target-uri"': URI,
        '"content-digest"': digest(),
        **{f'"{name}"': value for name, value in SESSION.items()},
    }
    covered = {name: value for name, value in covered.items() if name.strip('"@').replace("-", "_") not in left_out}
    return {"content-digest": digest(), **SESSION, **sign(covered, parameters, key_id=PRINT)}


def departures(verdict: Verdict, title: str) -> list[str]:
    return [reason for reason in verdict.reasons if reason.startswith(f"{title}: ")]


def test_every_profile_has_a_name_and_a_title_of_its_own() -> None:
    assert [profile.name for profile in PROFILES] == ["web-bot-auth", "ucp", "did keyid", "sep-2752"]
    assert len({profile.title for profile in PROFILES}) == len(PROFILES)


# Web Bot Auth


def test_a_bot_is_the_url_of_its_directory() -> None:
    result = court(directory=AGENT).judge(0, bot(), NOW)
    assert (result.profile, result.signature, result.word) == ("web-bot-auth", SignatureState.VALID, Word.PARTIAL)
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == (AGENT, Resolution.DIRECTORY)
    assert departures(result, "Web Bot Auth") == []


def test_the_label_need_not_be_the_members_key() -> None:
    asked = bot(f'other="https://other.example", agent2="{AGENT}"', '"signature-agent";key="agent2"')
    result = court(directory=AGENT).judge(0, asked, NOW)
    assert result.signer is not None
    assert (result.signer.id, result.signature) == (AGENT, SignatureState.VALID)


def test_a_bare_string_is_taken_and_called_a_departure() -> None:
    asked = bot(f'"{AGENT}"', '"signature-agent"', f'"{AGENT}"')
    result = court(directory=AGENT).judge(0, asked, NOW)
    assert result.signature is SignatureState.VALID
    assert departures(result, "Web Bot Auth") == [
        "Web Bot Auth: Signature-Agent is a bare string, as in earlier drafts"
    ]


def test_a_jwks_uri_is_the_whole_url() -> None:
    url = "https://agent.example/keys/jwks.json"
    member = f'"{url}";type=jwks_uri'
    result = court(directory=url).judge(0, bot(f"sig1={member}", value=member), NOW)
    assert result.signer is not None
    assert (result.signer.id, result.signature) == (url, SignatureState.VALID)


@pytest.mark.parametrize("kid", ["k" * 43, verifier.fingerprint(BOB.public)])
def test_a_jwks_uri_may_give_its_keys_names_like_thumbprints(kid: str) -> None:
    url, keys = "https://agent.example/keys/jwks.json", KeyBook()
    member = f'"{url}";type=jwks_uri'
    judge = Judge(keys, ReplayWindow())
    for listed, state in ((ALICE, SignatureState.VALID), (BOB, SignatureState.INVALID)):
        found = ResolvedKey(listed.public, name=kid)
        keys.learn(url, Resolved(Resolution.DIRECTORY, (found,)), 0)
        result = judge.judge(0, bot(f"sig1={member}", value=member, key_id=kid), NOW)
        assert (result.signature, result.signer and result.signer.id) == (state, url)


@pytest.mark.parametrize("kind", ["cimd", "carrier-pigeon"])
def test_a_type_that_is_not_resolved_is_named(kind: str) -> None:
    member = f'"{AGENT}/card";type={kind}'
    asked = bot(f"sig1={member}", value=member)
    result = court(directory=AGENT).judge(0, asked, NOW)
    assert (result.word, result.profile) == (Word.NO_CHECK, "web-bot-auth")
    assert any(kind in reason for reason in result.reasons)
    pinned = court(pinned={"crawler": ALICE.public}).judge(0, asked, NOW)
    assert pinned.signer is not None
    assert (pinned.signer.id, pinned.signature) == ("crawler", SignatureState.VALID)


def test_a_pinned_key_speaks_while_nobody_resolves_the_directory() -> None:
    result = court(pinned={"crawler": ALICE.public}).judge(0, bot(), NOW)
    assert result.signer is not None
    assert (result.signer.id, result.signature) == ("crawler", SignatureState.VALID)
    assert f"that the key is of {AGENT} is only what the request says" in result.reasons


def test_a_pinned_key_does_not_speak_against_the_directory() -> None:
    judge = court(directory=AGENT, key=BOB.public, pinned={"crawler": ALICE.public})
    result = judge.judge(0, bot(), NOW)
    assert result.word is Word.UNKNOWN_KEY
    assert result.signer is not None
    assert result.signer.id == AGENT


def test_a_key_that_the_directory_does_not_hold_makes_it_be_asked_again() -> None:
    keys = KeyBook()
    keys.resolvable = ("https://",)
    keys.learn(AGENT, Resolved(Resolution.DIRECTORY, (ResolvedKey(BOB.public),)), 0, as_of=NOW)
    judge = Judge(keys, ReplayWindow())
    keys.wanted(10)
    first = judge.judge(0, bot(), NOW, received=NOW - 1)
    assert (first.word, first.waiting) == (Word.UNKNOWN_KEY, False)
    assert "does not hold the key" in first.reasons[0]
    second = judge.judge(0, bot(), NOW, received=NOW + 1)
    assert (second.word, second.waiting) == (Word.NO_CHECK, True)
    assert keys.wanted(101) == [AGENT]
    keys.learn(AGENT, Resolved(Resolution.DIRECTORY, (ResolvedKey(BOB.public), ResolvedKey(ALICE.public))), 101)
    third = judge.judge(0, bot(), NOW, received=NOW + 1)
    assert third.signature is SignatureState.VALID
    assert third.signer is not None
    assert third.signer.fingerprint == PRINT


def test_only_the_key_that_is_named_counts() -> None:
    keys = KeyBook()
    keys.learn(AGENT, Resolved(Resolution.DIRECTORY, (ResolvedKey(ALICE.public), ResolvedKey(BOB.public))), 0)
    result = Judge(keys, ReplayWindow()).judge(0, bot(key_id=verifier.fingerprint(BOB.public)), NOW)
    assert result.word is Word.BAD_SIG


def test_an_agent_that_is_not_covered_names_nobody() -> None:
    result = court(directory=AGENT).judge(0, bot(component=""), NOW)
    assert result.word is Word.NO_CHECK
    assert result.signer is not None
    assert result.signer.id != AGENT
    assert "Web Bot Auth: Signature-Agent is not covered, and so names nobody" in result.reasons


@pytest.mark.parametrize(
    ("parameters", "changes", "departure"),
    [
        (BOT, {}, "the parameter expires is missing"),
        (f";expires={int(NOW) + 86_401}{BOT}", {}, "it expires more than 24 hours after it was made"),
        (DAY + BOT, {"place": False}, "neither @authority nor @target-uri is covered"),
        (DAY + BOT, {"key_id": "kid-7"}, "keyid is not the key's thumbprint (RFC 7638)"),
    ],
)
def test_a_departure_is_told_and_makes_nothing_bad(parameters: str, changes: dict[str, object], departure: str) -> None:
    judge = court(pinned={AGENT: ALICE.public})
    result = judge.judge(0, bot(parameters=parameters, **changes), NOW)  # type: ignore[arg-type]
    assert result.signature is SignatureState.VALID
    assert departures(result, "Web Bot Auth") == [f"Web Bot Auth: {departure}"]


def jwks(*keys: bytes) -> str:
    return json.dumps({"keys": [verifier.jwk(key) for key in keys]})


@pytest.mark.parametrize("coded", [True, False])
def test_a_directory_in_the_field_itself(coded: bool) -> None:
    text = jwks(BOB.public, ALICE.public)
    plain = "".join(f"%{octet:02X}" for octet in text.encode())
    data = f"data:application/json;base64,{b64encode(text.encode()).decode()}" if coded else f"data:,{plain}"
    result = court().judge(0, bot(f'sig1="{data}"', value=f'"{data}"'), NOW)
    assert (result.word, result.signature) == (Word.PARTIAL, SignatureState.VALID)
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == (f"key:{PRINT}", Resolution.EMBEDDED)
    assert result.signer.key_state is KeyState.CURRENT
    assert any("nobody vouches" in reason for reason in result.reasons)


@pytest.mark.parametrize(
    "data",
    [
        "data:",
        "data:,",
        "data:,{}",
        "data:;base64,!!",
        "data:;base64,e30",
        "data:,[1]",
        'data:,{"keys":[1,{"kty":"x"}]}',
    ],
)
def test_a_directory_in_the_field_without_the_key(data: str) -> None:
    escaped = data.replace('"', '\\"')
    result = court().judge(0, bot(f'sig1="{escaped}"', value=f'"{escaped}"'), NOW)
    assert result.word is Word.NO_CHECK
    assert "Signature-Agent does not carry the key that the signature names" in result.reasons


@pytest.mark.parametrize(
    "field",
    ["sig1", "sig1=1", "sig1=(1 2)", 'a="x", a="y"', "é", '"x', "", "sig1=https", 'a="https://a", b="https://b"'],
)
def test_a_signature_agent_that_says_nothing(field: str) -> None:
    result = court().judge(0, bot(field, '"signature-agent"', field), NOW)
    assert result.signature is not SignatureState.VALID


@pytest.mark.parametrize(
    ("uri", "identity"),
    [
        ("https://Agent.Example", AGENT),
        ("https://agent.example:443/some/path?x#y", AGENT),
        ("https://agent.example:8443", "https://agent.example:8443"),
        ("https://[::1]", "https://[::1]"),
    ],
)
def test_a_directory_is_known_by_its_origin(uri: str, identity: str) -> None:
    result = court(directory=identity).judge(0, bot(f'sig1="{uri}"', value=f'"{uri}"'), NOW)
    assert result.signer is not None
    assert result.signer.id == identity


@pytest.mark.parametrize("uri", ["https://user@agent.example", "https://", "https://[", "ftp://agent.example", "agent"])
def test_an_address_that_names_no_directory(uri: str) -> None:
    result = court().judge(0, bot(f'sig1="{uri}"', value=f'"{uri}"'), NOW)
    assert result.word is Word.NO_CHECK


# SEP-2752


def test_mcps_own_profile() -> None:
    result = court(pinned={"client": ALICE.public}).judge(0, request(sep_2752()), NOW)
    assert (result.word, result.profile) == (Word.VERIFIED, "sep-2752")
    assert Covered.SESSION in result.coverage
    assert result.reasons == ()


@pytest.mark.parametrize(
    ("headers", "departure"),
    [
        (sep_2752(f';nonce="{NONCE}"'), "the parameter tag is missing"),
        (sep_2752(';tag="t"'), "the parameter nonce is missing"),
        (sep_2752(';nonce="AAAAAAAAAAAAAAA";tag="t"'), "the nonce is shorter than 96 bits"),
        (sep_2752(f';nonce="{NONCE}";tag="t";alg="ed25519"'), "alg is sent, which the key decides"),
        (sep_2752(method=True), "@method is not covered"),
        (sep_2752(target_uri=True), "@target-uri is not covered"),
        (sep_2752(content_digest=True), "content-digest is not covered"),
        (sep_2752(mcp_session_id=True), "mcp-session-id is not covered"),
        (sep_2752(mcp_protocol_version=True), "mcp-protocol-version is not covered"),
    ],
)
def test_a_departure_from_mcps_own_profile(headers: dict[str, str], departure: str) -> None:
    result = court(pinned={"client": ALICE.public}).judge(0, request(headers), NOW)
    assert result.signature is SignatureState.VALID
    assert departures(result, "SEP-2752") == [f"SEP-2752: {departure}"]


def initialize(jwk: object) -> bytes:
    client = {"name": "c", "version": "1", "cnf": {"jwk": jwk}}
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"clientInfo": client}}).encode()


def opened(data: bytes) -> Request:
    covered = {'"@method"': "POST", '"@target-uri"': URI, '"content-digest"': digest(data)}
    headers = {"content-digest": digest(data), **sign(covered, f';nonce="{NONCE}";tag="t"', key_id=PRINT)}
    return request(headers, data, body=body_of(data))


def test_initialize_binds_the_session_to_the_key_in_client_info() -> None:
    judge = court()
    result = judge.judge(0, opened(initialize(verifier.jwk(ALICE.public))), NOW)
    assert (result.word, result.profile) == (Word.VERIFIED, "sep-2752")
    assert result.signer is not None
    assert (result.signer.id, result.signer.resolution) == (f"key:{PRINT}", Resolution.EMBEDDED)
    later = judge.judge(1, request(sep_2752()), NOW)
    assert (later.word, later.signer) == (Word.VERIFIED, result.signer)


@pytest.mark.parametrize(
    ("jwk", "reason"),
    [
        (verifier.jwk(BOB.public), "another key than the one"),
        (verifier.jwk(CAROL.public), "another key than the one"),
        ({**verifier.jwk(ALICE.public), "x": encode_base64url(bytes(32))}, "not a key that may be used"),
        ({**verifier.jwk(ALICE.public), "d": "AA"}, "not a key that may be used"),
        ([], "not a key that may be used"),
    ],
)
def test_a_key_in_client_info_that_did_not_sign(jwk: object, reason: str) -> None:
    result = court().judge(0, opened(initialize(jwk)), NOW)
    assert result.word is Word.NO_CHECK
    assert any(reason in text for text in result.reasons)


def test_a_member_that_comes_twice_in_client_info_carries_no_key() -> None:
    jwk = json.dumps(verifier.jwk(ALICE.public))
    data = initialize(verifier.jwk(BOB.public)).replace(b'"cnf": ', b'"cnf": {"jwk": ' + jwk.encode() + b'}, "cnf": ')
    assert court().judge(0, opened(data), NOW).word is Word.NO_CHECK


# UCP


def ucp(covered: dict[str, str], parameters: str = "") -> Request:
    headers = {
        "ucp-agent": 'profile="https://shop.example/.well-known/ucp"',
        "idempotency-key": "1",
        "content-type": "application/json",
        "content-digest": digest(),
    }
    return request({**headers, **sign(covered, parameters, key=CAROL, key_id="kid-1")})


UCP = {
    '"@method"': "POST",
    '"@authority"': HOST,
    '"@path"': "/mcp",
    '"ucp-agent"': 'profile="https://shop.example/.well-known/ucp"',
    '"idempotency-key"': "1",
    '"content-digest"': digest(),
    '"content-type"': "application/json",
}


def test_a_shop_is_the_url_of_its_profile() -> None:
    url = "https://shop.example/.well-known/ucp"
    result = court(pinned={url: CAROL.public}).judge(0, ucp(UCP), NOW)
    assert (result.word, result.profile, result.reasons) == (Word.VERIFIED, "ucp", ())
    assert result.signer is not None
    assert result.signer.id == url
    by_kid = court(pinned={"kid-1": CAROL.public}).judge(0, ucp(UCP), NOW)
    assert by_kid.signer is not None
    assert by_kid.signer.id == "kid-1"


def test_departures_from_ucp() -> None:
    few = {name: UCP[name] for name in ('"@method"', '"ucp-agent"')}
    result = court(pinned={"kid-1": CAROL.public}).judge(0, ucp(few, ';alg="ecdsa-p256-sha256"'), NOW)
    assert result.signature is SignatureState.VALID
    assert len(departures(result, "UCP")) == 6


# DIDs, and none


def test_a_did_is_a_profile_that_asks_for_nothing() -> None:
    result = court().judge(0, request(rfc9421()), NOW)
    assert (result.word, result.profile, result.reasons) == (Word.VERIFIED, "did keyid", ())


def test_a_signature_of_no_profile() -> None:
    asked = request(sign({'"@method"': "POST"}, key_id="name"))
    assert court(pinned={"name": ALICE.public}).judge(0, asked, NOW).profile == ""


def test_the_profile_is_named_where_nothing_can_be_checked() -> None:
    result = court().judge(0, bot(parameters=f'{DAY}{BOT};alg="rsa-pss-sha512"'), NOW)
    assert (result.word, result.profile) == (Word.NO_CHECK, "web-bot-auth")
    assert "rsa-pss-sha512" in result.reasons[0]


def test_the_body_is_what_the_call_says() -> None:
    assert court(pinned={"client": ALICE.public}).judge(0, request(sep_2752(), CALL + b" "), NOW).word is Word.BAD_SIG
