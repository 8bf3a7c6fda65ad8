"""MCP-I proofs: which server answered, and that this is the answer it gave to this request."""

import json
from base64 import urlsafe_b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import ECKey, OctKey
from proven import CALL, KID, RESULT, answer, body, by_code, by_specification, judged, jwk, proof, whole
from signed import ALICE, BOB, NOW

from mcpwatch.encoding import encode_base64url
from mcpwatch.gateway.bodies import capture_body
from mcpwatch.identity import ed25519
from mcpwatch.identity.canonical import digest
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.proofs import MAX_ANSWER, Asked, Moment, ProofJudge
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.entries import Json
from mcpwatch.model.identity import KeyState, Resolution, ServerProof, Word

pytestmark = pytest.mark.filterwarnings("ignore:EdDSA is deprecated")


def told(found: ServerProof | None) -> tuple[str, str]:
    """Word and reason."""
    assert found is not None
    assert found.scheme == "mcp-i"
    return found.word.value, found.reason


def bad(found: ServerProof | None, reason: str) -> bool:
    """Whether it is a bad signature for that reason."""
    word, why = told(found)
    return word == "BAD SIG" and reason in why


def unchecked(found: ServerProof | None, reason: str) -> bool:
    """Whether it could not be checked, for that reason."""
    word, why = told(found)
    return word == "NO CHECK" and reason in why


def test_the_hash_of_the_specification() -> None:
    asked = {"method": "tools/call", "params": {"name": "echo", "arguments": {}}}
    assert digest(asked) == "sha256:5057521f310b536837b619f0ac040ef8064f8c597da8ec22a56801b435744033"


def test_the_did_key_of_the_specification() -> None:
    key = bytes.fromhex("8076ee2cfc1acdd3f8f4e38c665a0a3e6ad6e06dc05b4f6ec9c5b1ae7c81c9a2")
    assert ed25519.did_key(key) == "did:key:z6Mko6jQvza2BSKRcrbJwgwbL9KYDn1isCUV5Lnq7gSTTKJq"


@pytest.mark.parametrize("form", [by_code, by_specification, whole])
def test_the_server_is_proven_whichever_way_it_hashed_the_request(form: object) -> None:
    assert callable(form)
    found = judged(answer(proof(form=form)))
    assert told(found) == ("VERIFIED", "")
    assert found is not None
    assert found.signer is not None
    assert (found.signer.id, found.signer.resolution) == (ALICE.did_key, Resolution.DID_KEY)
    assert not found.waiting


def test_what_may_be_signed_besides_is() -> None:
    extra: dict[str, Json] = {"scopeId": "balance:read", "delegationRef": "urn:1", "clientDid": "did:key:zOther"}
    signed = proof(**extra)
    assert told(judged(answer(signed)))[0] == "VERIFIED"
    for name in extra:
        changed = {**signed, "meta": {**signed["meta"], name: "else"}}
        assert bad(judged(answer(changed)), "other things than what is signed")


def test_a_call_without_arguments_was_hashed_with_none() -> None:
    call = {"jsonrpc": "2.0", "id": 4, "method": "tools/call", "params": {"name": "ping"}}
    assert told(judged(answer(proof(call)), call))[0] == "VERIFIED"


def test_an_answer_without_a_proof_of_this_kind_has_none() -> None:
    for found in (RESULT, {"_meta": {"proof": "yes"}}, {"_meta": {"proof": {"jws": "a.b.c"}}}, {"proof": proof()}):
        assert judged({"jsonrpc": "2.0", "id": 4, "result": found}) is None
    assert judged({"jsonrpc": "2.0", "id": 4, "error": {"code": 1, "message": '"proof"'}}) is None
    assert judged('{"proof"') is None


@pytest.mark.parametrize(
    ("result", "call", "reason"),
    [
        ({**RESULT, "content": []}, CALL, "another answer"),
        ({**RESULT, "content": [{"type": "text", "text": "12.50 €"}]}, CALL, "another answer"),
        ({"structuredContent": {}}, CALL, "another answer"),
        (RESULT, {**CALL, "params": {**CALL["params"], "name": "transfer"}}, "another request"),
        (RESULT, {**CALL, "params": {**CALL["params"], "arguments": {"account": "K-2"}}}, "another request"),
        (RESULT, {**CALL, "params": {"name": "balance"}}, "another request"),
    ],
)
def test_a_proof_of_something_else_is_bad(result: Json, call: Json, reason: str) -> None:
    assert bad(judged(answer(proof(), result), call), reason)


@pytest.mark.parametrize("member", ["nonce", "sessionId", "requestHash", "responseHash", "audience"])
def test_what_meta_says_is_what_is_signed(member: str) -> None:
    changed = proof()
    changed["meta"] = {**changed["meta"], member: "sha256:" + "0" * 64}
    assert bad(judged(answer(changed)), "other things than what is signed")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"jws": "a.b"}, "three parts"),
        ({"jws": 7}, "three parts"),
        ({"jws": "é.é.é"}, "base64url"),
        ({"jws": "e30.e30.e30"}, "alg or kid"),
        ({"jws": "W10.e30.e30"}, "header is not an object"),
        ({"jws": "." * 20_000}, "three parts"),
        ({"meta": []}, "meta is malformed"),
        ({"meta": {}}, "meta is malformed"),
    ],
)
def test_what_is_malformed_is_bad(change: dict[str, Json], reason: str) -> None:
    assert bad(judged(answer({**proof(), **change})), reason)


def test_a_key_of_somebody_else_is_bad() -> None:
    other = f"{BOB.did_key}#keys-1"
    assert bad(judged(answer(proof(kid=other))), "not one of the signer")
    assert bad(judged(answer(proof(header={"alg": "EdDSA", "kid": other}))), "not one of the signer")
    assert bad(judged(answer(proof(did=BOB.did_key, kid=other))), "does not verify with the did:key key")


def test_a_kid_may_be_a_fragment_or_missing_from_the_header() -> None:
    assert told(judged(answer(proof(kid="keys-1"))))[0] == "VERIFIED"
    assert told(judged(answer(proof(header={"alg": "EdDSA"}))))[0] == "VERIFIED"


def test_a_payload_that_is_left_out_is_the_one_meta_says() -> None:
    detached = proof()
    head, _, signature = detached["jws"].split(".")
    detached["jws"] = f"{head}..{signature}"
    assert told(judged(answer(detached)))[0] == "VERIFIED"


def test_algorithms() -> None:
    assert told(judged(answer(proof(alg="Ed25519"))))[0] == "VERIFIED"
    secret = OctKey.import_key(b"0" * 32)
    assert unchecked(judged(answer(proof(alg="HS256", key=secret))), "signed with HS256")  # type: ignore[arg-type]
    unsigned = proof()
    head = encode_base64url(b'{"alg":"none"}')
    unsigned["jws"] = ".".join((head, *unsigned["jws"].split(".")[1:]))
    assert unchecked(judged(answer(unsigned)), "signed with none")
    key = ECKey.generate_key("P-256")
    keys = KeyBook()
    point = b"\x04" + b"".join(urlsafe_b64decode(f"{key.as_dict(private=False)[name]}=") for name in "xy")
    keys.pin("did:web:bank.example", point)
    ours: dict[str, Json] = {"did": "did:web:bank.example", "kid": "did:web:bank.example#key-1"}
    assert told(judged(answer(proof(alg="ES256", key=key, **ours)), keys=keys))[0] == "VERIFIED"
    assert bad(judged(answer(proof(**ours)), keys=keys), "does not verify with the pinned key")


def test_extensions_that_are_not_known_are_not_passed_over() -> None:
    changed = proof()
    head = encode_base64url(json.dumps({"alg": "EdDSA", "kid": KID, "crit": ["b64"], "b64": False}).encode())
    changed["jws"] = ".".join((head, *changed["jws"].split(".")[1:]))
    assert bad(judged(answer(changed)), "crit")


def test_it_is_fresh_for_five_minutes() -> None:
    assert told(judged(answer(proof()), now=NOW + 300))[0] == "VERIFIED"
    assert told(judged(answer(proof()), now=NOW + 301)) == (
        "STALE",
        "signed 301 s before the answer came; 300 s are allowed",
    )
    assert told(judged(answer(proof()), now=NOW - 61))[0] == "STALE"


def test_a_session_repeats_its_nonce_and_a_replay_its_proof() -> None:
    court = ProofJudge(KeyBook())
    assert told(judged(answer(proof()), court=court, index=1))[0] == "VERIFIED"
    later = proof(now=NOW + 9)
    assert later["meta"]["nonce"] == proof()["meta"]["nonce"]
    assert told(judged(answer(later), court=court, index=3, now=NOW + 9))[0] == "VERIFIED"
    assert told(judged(answer(proof()), court=court, index=5, now=NOW + 9)) == (
        "REPLAY",
        "the same proof came first with entry 1",
    )
    assert told(judged(answer(proof()), court=court, index=1))[0] == "VERIFIED"


def test_a_replay_without_its_payload_is_one() -> None:
    court = ProofJudge(KeyBook())
    assert told(judged(answer(proof()), court=court, index=1))[0] == "VERIFIED"
    head, _, signature = proof()["jws"].split(".")
    detached = {**proof(), "jws": f"{head}..{signature}"}
    assert told(judged(answer(detached), court=court, index=5, now=NOW + 9))[0] == "REPLAY"


def test_equal_answers_within_a_second_are_not_called_a_replay() -> None:
    court = ProofJudge(KeyBook())
    judged(answer(proof()), court=court, index=1)
    word, reason = told(judged(answer(proof()), court=court, index=3, now=NOW + 1))
    assert (word, "or an equal answer within the same second" in reason) == ("PARTIAL", True)


def test_a_key_that_is_fetched_is_waited_for() -> None:
    keys = KeyBook()
    keys.resolvable = ("did:web:",)
    ours: dict[str, Json] = {"did": "did:web:bank.example", "kid": "did:web:bank.example#key-1"}
    court = ProofJudge(keys)
    signed = answer(proof(**ours))
    first = judged(signed, court=court)
    assert first is not None
    assert (first.word, first.waiting) == (Word.NO_CHECK, True)
    assert first.signer is not None
    assert first.signer.id == "did:web:bank.example"
    keys.learn("did:web:bank.example", Resolved(Resolution.DID_WEB, (ResolvedKey(ALICE.public),)), 0)
    assert told(judged(signed, court=court))[0] == "VERIFIED"
    keys.learn("did:web:bank.example", Resolved(Resolution.DID_WEB, (), "there is no such site"), 1)
    assert told(judged(signed, court=court))[0] == "UNKNOWN KEY"


@pytest.mark.parametrize(("name", "waits"), [(fingerprint(ALICE.public), False), ("key-1", True)])
def test_a_bad_proof_under_a_thumbprint_waits_for_nobody(name: str, waits: bool) -> None:
    keys, site = KeyBook(), "did:web:bank.example"
    keys.learn(site, Resolved(Resolution.DID_WEB, (ResolvedKey(ALICE.public, name=name),)), 0, as_of=NOW - 1)
    keys.wanted(1)
    court = ProofJudge(keys)
    given: dict[str, Json] = {"did": site, "kid": f"{site}#{name}"}
    forged = answer(proof(**given, key=jwk(BOB, bytes(range(1, 33)))))
    found = court.judge(Moment(9, "", NOW, NOW), body(forged), Asked(body(CALL), CALL["id"]))
    assert found is not None
    assert (found.word, found.waiting) == ((Word.NO_CHECK, True) if waits else (Word.BAD_SIG, False))
    assert keys.wanted(61) == ([site] if waits else [])
    assert told(judged(answer(proof(**given)), court=court))[0] == "VERIFIED"


def test_an_old_key_is_told() -> None:
    keys = KeyBook()
    history = (ResolvedKey(BOB.public), ResolvedKey(ALICE.public, NOW - 1000))
    keys.learn("did:web:bank.example", Resolved(Resolution.DID_WEB, history), 0)
    keys.resolvable = ("did:web:",)
    ours: dict[str, Json] = {"did": "did:web:bank.example", "kid": "did:web:bank.example"}
    found = judged(answer(proof(**ours)), keys=keys)
    assert found is not None
    assert found.signer is not None
    assert (found.word, found.signer.key_state) == (Word.OLD_KEY, KeyState.SUPERSEDED)


def test_nobody_to_ask_is_not_bad() -> None:
    ours: dict[str, Json] = {"did": "did:web:bank.example", "kid": "did:web:bank.example"}
    assert told(judged(answer(proof(**ours))))[0] == "NO CHECK"


def test_a_member_that_comes_twice_is_refused() -> None:
    text = json.dumps(answer(proof())).replace('"result": {', '"result": {"isError": false, "isError": true, ')
    assert bad(judged(text), "comes twice")


def test_numbers_without_a_canonical_form_are_not_called_bad() -> None:
    result = {"content": [{"type": "text", "text": "x", "big": 2**60}]}
    assert unchecked(judged(answer(proof(), result)), "canonicalised")


def captured(call: Json, result: Json, given: Json = None) -> ServerProof | None:
    """The verdict where the gateway masks secrets, on a proof of `result` that came with what was `given`."""
    court, moment = ProofJudge(KeyBook()), Moment(9, "", NOW)
    reply = capture_body(json.dumps(answer(proof(call, result), given or result)).encode(), "masked")
    assert reply.masked
    request = capture_body(json.dumps(call).encode(), "masked")
    return court.judge(moment, reply, Asked(request, call["id"]))


def test_masking_what_is_not_hashed_leaves_the_proof_whole() -> None:
    assert told(captured(CALL, RESULT))[0] == "VERIFIED"


def test_masking_what_is_not_hashed_hides_no_change() -> None:
    changed = {"content": [{"type": "text", "text": "another price"}]}
    assert bad(captured(CALL, RESULT, changed), "another answer")


def test_masking_what_is_hashed_leaves_nothing_to_check() -> None:
    call = {**CALL, "params": {"name": "login", "arguments": {"password": "hunter2"}}}
    assert unchecked(captured(call, RESULT), "masks values of the request")
    secret = {"content": [{"type": "text", "text": "x", "token": "abcdefgh"}]}
    assert unchecked(captured(CALL, secret), "masks values of the answer")


def test_a_request_or_an_answer_that_the_log_does_not_carry() -> None:
    court, moment = ProofJudge(KeyBook()), Moment(9, "", NOW)
    reply = body(answer(proof()))
    for request in (None, body(CALL, text=None)):
        assert unchecked(court.judge(moment, reply, Asked(request, 4)), "not at hand")
    assert court.judge(moment, body(answer(proof()), text=None), Asked(body(CALL), 4)) is None


def test_in_a_batch_each_answer_is_held_against_its_own_call() -> None:
    other = {**CALL, "id": 5, "params": {"name": "ping"}}
    replies = json.dumps([answer(proof(other), id=5), answer(proof())])
    court = ProofJudge(KeyBook())
    calls = body([CALL, other])
    for id in (4, 5):
        assert told(court.judge(Moment(id, "", NOW), body(replies), Asked(calls, id)))[0] == "VERIFIED"
    swapped = json.dumps([answer(proof(other)), answer(proof(), id=5)])
    assert bad(court.judge(Moment(6, "", NOW), body(swapped), Asked(calls, 4)), "another request")


@given(st.data())
def test_a_changed_bit_of_the_jws_is_never_proven(data: st.DataObject) -> None:
    changed = proof()
    parts = [bytearray(urlsafe_b64decode(part + "==")) for part in changed["jws"].split(".")]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.integers(0, len(part) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    changed["jws"] = ".".join(encode_base64url(bytes(part)) for part in parts)
    assert told(judged(answer(changed)))[0] in ("BAD SIG", "NO CHECK")


@given(st.data())
def test_a_changed_bit_of_the_key_is_never_proven(data: st.DataObject) -> None:
    key = bytearray(ALICE.public)
    key[data.draw(st.integers(0, 31))] ^= 1 << data.draw(st.integers(0, 7))
    keys = KeyBook()
    keys.learn("did:web:b", Resolved(Resolution.DID_WEB, (ResolvedKey(bytes(key)),)), 0)
    assert told(judged(answer(proof(did="did:web:b", kid="did:web:b")), keys=keys))[0] != "VERIFIED"


@given(st.sampled_from(["text", "tool", "argument"]), st.integers(0, 2**16))
def test_a_changed_bit_of_what_is_hashed_is_never_proven(part: str, bit: int) -> None:
    before = {"text": "paid", "tool": "balance", "argument": "K-1"}
    octets = bytearray(before[part].encode())
    octets[bit // 7 % len(octets)] ^= 1 << bit % 7
    after = {**before, part: octets.decode()}
    call, reply = told_of(before)
    assert told(judged(answer(proof(call, reply), reply), call))[0] == "VERIFIED"
    other_call, other_reply = told_of(after)
    assert told(judged(answer(proof(call, reply), other_reply), other_call))[0] == "BAD SIG"


def told_of(parts: dict[str, str]) -> tuple[dict[str, Json], dict[str, Json]]:
    """A call and its answer."""
    params = {"name": parts["tool"], "arguments": {"account": parts["argument"]}}
    return {**CALL, "params": params}, {"content": [{"type": "text", "text": parts["text"]}]}


def test_an_answer_that_is_too_long_is_not_searched() -> None:
    reply: dict[str, Json] = {"content": [{"type": "text", "text": "x" * MAX_ANSWER}]}
    assert unchecked(judged(answer(proof(result=reply), reply)), f"longer than {MAX_ANSWER} characters")


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(["jws", "did", "kid", "ts", "nonce", "audience", "requestHash", "clientDid"]), JSON)
def test_whatever_a_proof_holds_it_proves_nothing_else(member: str, value: Json) -> None:
    signed = proof()
    changed = {**signed, "jws": value} if member == "jws" else {**signed, "meta": {**signed["meta"], member: value}}
    word, reason = told(judged(answer(changed)))
    same = changed == signed or (member == "clientDid" and not value)
    assert (word == "VERIFIED") == same
    assert same or reason
