"""The verdict: freshness, replays, key states, waiting, evidence, and the order of words."""

import os
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256, sha512

import nacl.bindings as nacl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from signed import ALICE, BOB, CALL, NOW, aip, judge, request, rfc9421, verdict

from mcpwatch.identity.judge import Judge
from mcpwatch.identity.keys import KeyBook
from mcpwatch.identity.replay import ReplayWindow
from mcpwatch.identity.resolution import Resolved, ResolvedKey
from mcpwatch.identity.signer import AgentKey
from mcpwatch.identity.verdict_words import RANK, WORDS, Axes, word
from mcpwatch.identity.verifier import fingerprint
from mcpwatch.model.entries import Principal, Request
from mcpwatch.model.identity import (
    Covered,
    Evidence,
    Freshness,
    KeyState,
    Resolution,
    SignatureState,
    Verdict,
    Word,
)

SIGNERS: list[Callable[..., dict[str, str]]] = [aip, rfc9421]
THUMB = fingerprint(ALICE.public)


@dataclass
class Court:
    """A judge with a registry's key book."""

    keys: KeyBook
    judge: Judge

    def on(self, asked: Request, index: int = 0, now: float = NOW, received: float = NOW) -> Verdict:
        return self.judge.judge(index, asked, now, received=received)


@pytest.fixture
def court() -> Court:
    keys = KeyBook()
    keys.resolvable = ("did:aip:",)
    return Court(keys, Judge(keys, ReplayWindow()))


def learnt(*keys: ResolvedKey) -> Resolved:
    return Resolved(Resolution.REGISTRY, keys)


def test_nothing_is_unsigned() -> None:
    result = verdict(request({"content-type": "application/json"}))
    assert (result.word, result.evidence, result.signer) == (Word.UNSIGNED, Evidence.ABSENT, None)


def test_a_principal_is_only_asserted() -> None:
    result = verdict(request({}, principal=Principal("bearer", "ab", subject="ann")))
    assert (result.word, result.evidence, result.signer) == (Word.UNSIGNED, Evidence.ASSERTED, None)


@pytest.mark.parametrize("sign", SIGNERS)
@pytest.mark.parametrize(
    ("age", "expected", "shown"),
    [
        (0, Word.VERIFIED, Freshness.FRESH),
        (300, Word.VERIFIED, Freshness.FRESH),
        (301, Word.STALE, Freshness.STALE),
        (-60, Word.VERIFIED, Freshness.FRESH),
        (-61, Word.STALE, Freshness.FUTURE),
    ],
)
def test_a_signature_is_fresh_within_the_window_only(
    sign: Callable[..., dict[str, str]], age: int, expected: Word, shown: Freshness
) -> None:
    result = verdict(request(sign(now=NOW - age)))
    assert (result.word, result.freshness, result.signature) == (expected, shown, SignatureState.VALID)
    assert bool(result.reasons) is (expected is Word.STALE)


def test_the_window_can_be_set() -> None:
    keys = KeyBook()
    narrow = Judge(keys, ReplayWindow(), window_s=10, future_s=0)
    assert narrow.judge(0, request(rfc9421(now=NOW - 11)), NOW).word is Word.STALE
    assert narrow.judge(0, request(rfc9421(now=NOW + 1)), NOW).word is Word.STALE


def test_an_entry_dated_back_cannot_make_an_old_signature_fresh() -> None:
    here = judge(ALICE)
    assert here.judge(0, request(rfc9421()), NOW).word is Word.VERIFIED
    old = request(rfc9421(now=NOW - 86_400, nonce="n2"))
    for _ in range(2):
        found = here.judge(5, old, NOW - 86_400)
        assert (found.word, found.freshness) == (Word.PARTIAL, Freshness.UNDECIDABLE)
        assert "86400 s before an earlier one" in found.reasons[0]
        assert here.judge(6, request(rfc9421(now=NOW + 1, nonce="n3")), NOW + 1).word is Word.VERIFIED
    assert here.judge(0, request(rfc9421()), NOW).word is Word.VERIFIED


def test_a_clock_that_steps_back_a_little_changes_nothing() -> None:
    here = judge(ALICE)
    here.judge(0, request(rfc9421()), NOW)
    assert here.judge(1, request(rfc9421(now=NOW - 60, nonce="n2")), NOW - 60).word is Word.VERIFIED


def test_each_feed_has_its_own_calendar() -> None:
    here = judge(ALICE)
    here.judge(0, request(rfc9421()), NOW, "one")
    old = here.judge(1, request(rfc9421(now=NOW - 86_400, nonce="n2")), NOW - 86_400, "two")
    assert old.word is Word.VERIFIED


@pytest.mark.parametrize("sign", SIGNERS)
def test_the_second_time_is_a_replay(sign: Callable[..., dict[str, str]]) -> None:
    here, asked = judge(ALICE), request(sign())
    assert here.judge(7, asked, NOW).word is Word.VERIFIED
    again = here.judge(9, asked, NOW + 5)
    assert (again.word, again.freshness, again.first_seen) == (Word.REPLAY, Freshness.REPLAYED, 7)
    assert again.first_source is None
    assert "entry 7" in again.reasons[0]
    assert here.judge(11, asked, NOW + 5).first_seen == 7
    assert here.judge(7, asked, NOW).word is Word.VERIFIED


def test_a_replay_on_another_feed_says_where_it_came_first() -> None:
    here, asked = judge(ALICE), request(rfc9421())
    here.judge(7, asked, NOW, "one")
    again = here.judge(7, asked, NOW, "two")
    assert (again.word, again.first_seen, again.first_source) == (Word.REPLAY, 7, "one")


def another_signature(key: AgentKey, message: bytes) -> bytes:
    """A second valid signature of one message: RFC 8032 section 5.1.6 with a random r, as a signer is free to do."""
    half = bytearray(sha512(bytes(range(32))).digest()[:32])
    half[0] &= 248
    half[31] = (half[31] & 127) | 64
    r = nacl.crypto_core_ed25519_scalar_reduce(os.urandom(64))
    point = nacl.crypto_scalarmult_ed25519_base_noclamp(r)
    k = nacl.crypto_core_ed25519_scalar_reduce(sha512(point + key.public + message).digest())
    secret = nacl.crypto_core_ed25519_scalar_reduce(bytes(half) + bytes(32))
    return point + nacl.crypto_core_ed25519_scalar_add(r, nacl.crypto_core_ed25519_scalar_mul(k, secret))


def test_another_signature_of_the_same_message_is_a_replay() -> None:
    here, headers = judge(ALICE), aip()
    message = f"POST:/mcp:{headers['X-AIP-Timestamp']}:n1:{sha256(CALL).hexdigest()}"
    other = b64encode(another_signature(ALICE, message.encode())).decode()
    assert other != headers["X-AIP-Signature"]
    assert here.judge(1, request(headers), NOW).word is Word.VERIFIED
    assert here.judge(2, request({**headers, "X-AIP-Signature": other}), NOW).word is Word.REPLAY


def test_a_bad_signature_does_not_claim_the_message() -> None:
    here, headers = judge(ALICE), rfc9421()
    assert here.judge(1, request({**headers, "Signature": f"sig1=:{'A' * 86}==:"}), NOW).word is Word.BAD_SIG
    assert here.judge(2, request(headers), NOW).word is Word.VERIFIED


def test_a_replay_after_the_window_is_still_one() -> None:
    here, asked = judge(ALICE), request(rfc9421())
    here.judge(1, asked, NOW)
    result = here.judge(2, asked, NOW + 301)
    assert (result.word, result.first_seen) == (Word.REPLAY, 1)
    assert any("300 s are allowed" in reason for reason in result.reasons)


def test_forgetting_inside_the_window_is_undecidable() -> None:
    here = judge(ALICE, capacity=4)
    for index in range(8):
        here.judge(index, request(rfc9421(nonce=f"n{index}")), NOW)
    result = here.judge(99, request(rfc9421(nonce="n0")), NOW)
    assert (result.word, result.freshness) == (Word.PARTIAL, Freshness.UNDECIDABLE)
    assert "cannot be told" in result.reasons[0]
    later = here.judge(100, request(rfc9421(nonce="m", now=NOW + 500)), NOW + 500)
    assert later.word is Word.VERIFIED


def test_an_unresolved_key_waits_and_is_judged_again(court: Court) -> None:
    asked = request(aip())
    first = court.on(asked)
    assert (first.word, first.waiting, first.evidence) == (Word.NO_CHECK, True, Evidence.CLAIMED)
    assert court.keys.wanted(0) == [ALICE.did_aip]
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 0)
    second = court.on(asked)
    assert (second.word, second.waiting) == (Word.VERIFIED, False)
    assert second.signer is not None
    assert second.signer.resolution is Resolution.REGISTRY
    assert court.on(asked).word is Word.VERIFIED


def test_an_unknown_identity(court: Court) -> None:
    court.on(request(aip()))
    court.keys.learn(ALICE.did_aip, learnt(), 0)
    result = court.on(request(aip()))
    assert (result.word, result.signature) == (Word.UNKNOWN_KEY, SignatureState.UNRESOLVABLE)
    assert not result.waiting


def test_an_identity_that_is_gone(court: Court) -> None:
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 0)
    court.keys.learn(ALICE.did_aip, learnt(), 0)
    result = court.on(request(aip()))
    assert result.word is Word.UNKNOWN_KEY
    assert result.signer is not None
    assert result.signer.key_state is KeyState.GONE


def test_a_registry_that_is_down_means_no_check(court: Court) -> None:
    court.on(request(aip()))
    court.keys.failed(ALICE.did_aip, "the registry cannot be reached", 0)
    result = court.on(request(aip()))
    assert (result.word, result.reasons) == (Word.NO_CHECK, ("the registry cannot be reached",))


@pytest.mark.parametrize(
    ("after", "expected", "state"),
    [
        (-5, Word.VERIFIED, KeyState.CURRENT),
        (599, Word.VERIFIED, KeyState.GRACE),
        (601, Word.OLD_KEY, KeyState.SUPERSEDED),
    ],
)
def test_a_rotated_key_has_its_grace_and_then_none(court: Court, after: int, expected: Word, state: KeyState) -> None:
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(BOB.public), ResolvedKey(ALICE.public, NOW - after)), 0)
    result = court.on(request(aip()))
    assert (result.word, result.signature) == (expected, SignatureState.VALID)
    assert result.signer is not None
    assert result.signer.key_state is state
    assert bool(result.reasons) is (state is not KeyState.CURRENT)
    new = court.on(request(rfc9421(BOB, key_id=ALICE.did_aip)))
    assert new.word is Word.VERIFIED


def test_a_signature_that_does_not_fit_waits_for_keys_that_were_asked_for_after_it_came(court: Court) -> None:
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 0, as_of=NOW)
    asked = request({**aip(BOB), "X-AIP-DID": ALICE.did_aip})
    court.keys.wanted(1)
    assert court.on(asked, received=NOW - 1).word is Word.BAD_SIG
    doubted = court.on(asked, received=NOW + 1)
    assert (doubted.word, doubted.waiting) == (Word.NO_CHECK, True)
    assert "asking whether the key was rotated" in doubted.reasons[0]
    assert court.keys.wanted(60) == [ALICE.did_aip]
    rotated = learnt(ResolvedKey(BOB.public), ResolvedKey(ALICE.public, NOW))
    court.keys.learn(ALICE.did_aip, rotated, 61, as_of=NOW + 60)
    assert court.on(asked, received=NOW + 1).word is Word.VERIFIED


@pytest.mark.parametrize("key_id", [THUMB, f"key:{THUMB}", f"https://agent.example#{THUMB}"])
def test_a_bad_signature_under_a_thumbprint_waits_for_nobody(court: Court, key_id: str) -> None:
    for id, resolution in ((THUMB, Resolution.JWKS), ("https://agent.example", Resolution.DIRECTORY)):
        court.keys.learn(id, Resolved(resolution, (ResolvedKey(ALICE.public, name=THUMB),)), 0, as_of=NOW)
    court.keys.wanted(1)
    assert court.on(request(rfc9421(key_id=key_id)), received=NOW + 1).word is Word.VERIFIED
    found = court.on(request(rfc9421(BOB, key_id=key_id)), received=NOW + 1)
    assert (found.word, found.waiting) == (Word.BAD_SIG, False)
    assert court.keys.wanted(61) == []


RANDOM = "k" * 43


@pytest.mark.parametrize("kid", [RANDOM, fingerprint(BOB.public)])
def test_a_kid_like_a_thumbprint_leads_to_the_key_that_is_listed_under_it(court: Court, kid: str) -> None:
    listed = Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public, name=kid),), id=f"key:{THUMB}")
    court.keys.learn(kid, listed, 0, as_of=NOW)
    court.keys.wanted(1)
    good = court.on(request(rfc9421(key_id=kid)), received=NOW + 1)
    assert (good.word, good.signer and good.signer.id) == (Word.VERIFIED, f"key:{THUMB}")
    bad = court.on(request(rfc9421(BOB, key_id=kid)), received=NOW + 1)
    assert (bad.word, bad.signer and bad.signer.id, bad.waiting) == (Word.BAD_SIG, f"key:{THUMB}", False)
    assert f"the JWKS lists another key ({THUMB}) under this kid" in bad.reasons
    court.keys.learn(THUMB, listed, 0, as_of=NOW)
    by_thumbprint = court.on(request(rfc9421(BOB, key_id=THUMB)), received=NOW + 1)
    assert by_thumbprint.word is Word.BAD_SIG
    assert not any("another key" in reason for reason in by_thumbprint.reasons)


def test_a_clock_that_is_a_minute_off_finds_the_keys_that_begin_now(court: Court) -> None:
    for off in (-60, 0, 60):
        court.keys.learn("ci", Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public, valid_from=NOW + off),)), 0)
        found = court.on(request(rfc9421(key_id="ci", nonce=f"n{off}")))
        assert found.word is Word.VERIFIED
    court.keys.learn("ci", Resolved(Resolution.JWKS, (ResolvedKey(ALICE.public, valid_from=NOW + 301),)), 0)
    early = court.on(request(rfc9421(key_id="ci")))
    assert (early.word, early.reasons[0]) == (Word.UNKNOWN_KEY, "it does not count yet, as its nbf says")


def test_a_forged_signature_is_bad_once_the_registry_was_asked_after_it_came(court: Court) -> None:
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 0, as_of=NOW)
    asked = request({**aip(BOB), "X-AIP-DID": ALICE.did_aip})
    court.keys.wanted(0)
    assert court.on(asked, received=NOW + 1).waiting
    court.keys.wanted(60)
    court.keys.failed(ALICE.did_aip, "the registry cannot be reached", 60)
    down = court.on(asked, received=NOW + 1)
    assert (down.word, down.waiting) == (Word.NO_CHECK, True)
    assert "the registry cannot be reached" in down.reasons[1]
    assert court.keys.wanted(120) == [ALICE.did_aip]
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 121, as_of=NOW + 120)
    assert court.on(asked, received=NOW + 1).word is Word.BAD_SIG
    assert court.on(asked, received=NOW + 130).waiting


def test_a_pinned_key_wins_over_the_registry(court: Court) -> None:
    court.keys.learn(ALICE.did_aip, learnt(ResolvedKey(ALICE.public)), 0)
    court.keys.pin(ALICE.did_aip, BOB.public)
    assert court.on(request(aip())).word is Word.BAD_SIG
    forged = court.on(request({**aip(BOB), "X-AIP-DID": ALICE.did_aip}))
    assert forged.word is Word.VERIFIED


def test_no_verification_without_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(key: bytes, message: bytes, signature: bytes) -> bool:
        raise AssertionError("verified without a key")

    monkeypatch.setattr("mcpwatch.identity.ed25519.verify", never)
    assert judge().judge(0, request(aip()), NOW).word is Word.NO_CHECK


@pytest.mark.parametrize(
    ("axes", "expected"),
    [
        (Axes(SignatureState.INVALID, Freshness.UNCHECKED, KeyState.UNKNOWN, ()), Word.BAD_SIG),
        (Axes(SignatureState.VALID, Freshness.REPLAYED, KeyState.SUPERSEDED, ()), Word.REPLAY),
        (Axes(SignatureState.UNRESOLVABLE, Freshness.UNCHECKED, KeyState.GONE, (), True), Word.UNKNOWN_KEY),
        (Axes(SignatureState.VALID, Freshness.STALE, KeyState.SUPERSEDED, ()), Word.OLD_KEY),
        (Axes(SignatureState.VALID, Freshness.STALE, KeyState.CURRENT, ()), Word.STALE),
        (Axes(SignatureState.VALID, Freshness.FUTURE, KeyState.CURRENT, (Covered.BODY,)), Word.STALE),
        (Axes(SignatureState.UNSUPPORTED, Freshness.UNCHECKED, KeyState.UNKNOWN, ()), Word.NO_CHECK),
        (Axes(SignatureState.ABSENT, Freshness.UNCHECKED, KeyState.UNKNOWN, ()), Word.UNSIGNED),
        (Axes(SignatureState.VALID, Freshness.FRESH, KeyState.CURRENT, (Covered.METHOD,)), Word.PARTIAL),
        (Axes(SignatureState.VALID, Freshness.UNDECIDABLE, KeyState.CURRENT, (Covered.BODY,)), Word.PARTIAL),
        (Axes(SignatureState.VALID, Freshness.FRESH, KeyState.GRACE, (Covered.BODY,)), Word.VERIFIED),
    ],
)
def test_the_order_of_words(axes: Axes, expected: Word) -> None:
    assert word(axes) is expected


def test_the_table_has_every_word_but_the_sessions() -> None:
    assert {name for name, _, _ in WORDS} == set(Word) - {Word.WRONG_KEY}
    assert RANK[Word.BAD_SIG] == 0


AXES = st.builds(
    Axes,
    st.sampled_from(SignatureState),
    st.sampled_from(Freshness),
    st.sampled_from(KeyState),
    st.lists(st.sampled_from(Covered), unique=True).map(tuple),
    st.booleans(),
)


@given(AXES)
def test_verified_needs_every_axis(axes: Axes) -> None:
    good = (
        axes.signature is SignatureState.VALID
        and axes.freshness is Freshness.FRESH
        and axes.key_state in (KeyState.CURRENT, KeyState.GRACE)
        and Covered.BODY in axes.coverage
        and not axes.no_such_identity
    )
    assert (word(axes) is Word.VERIFIED) is good
