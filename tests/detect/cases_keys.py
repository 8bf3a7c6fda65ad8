"""Traffic for the identity rules about keys, names, and what is signed beside."""

from msgspec.structs import replace
from registry import fires, spares
from rpc import ask, call, modern, result, text
from rule_scene import UNSIGNED, Scene
from verdicts import judged, principal, signer, verified

from mcpwatch.model.identity import (
    Covered,
    Freshness,
    KeyState,
    OtherSignature,
    Resolution,
    ServerProof,
    SignatureState,
    Signer,
    Strength,
    Verdict,
    Word,
)
from mcpwatch.model.traffic import Binding, Session, SessionKind

THERE = "192.0.2.7:40000"
OLD, NEW = signer("alice").fingerprint, signer("alice, rotated").fingerprint


def by(who: Signer, word: Word = Word.VERIFIED) -> Verdict:
    return replace(verified(word=word), signer=who)


def known_as(id: str, key: str = "alice", resolution: Resolution = Resolution.REGISTRY) -> Signer:
    return Signer(id, signer(key).fingerprint, resolution, KeyState.CURRENT)


def aged(key: str, state: KeyState) -> Signer:
    return replace(known_as("did:aip:" + "a" * 32), fingerprint=key, key_state=state)


def bound(scene: Scene, who: Signer) -> Session:
    session = scene.session()
    session.binding = Binding(who, Strength.EACH, since=0)
    scene.request(call(1, "read"), session=session, verdict=by(who))
    return session


def waiting(who: str = "alice") -> Verdict:
    return replace(judged(Word.NO_CHECK, who, SignatureState.UNRESOLVABLE), waiting=True)


@fires("identity/superseded-key")
def a_key_that_was_rotated_long_ago(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=by(aged(OLD, KeyState.SUPERSEDED), Word.OLD_KEY))


@fires("identity/superseded-key")
def an_old_key_found_out_once_the_registry_answers(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, by(aged(OLD, KeyState.SUPERSEDED), Word.OLD_KEY))


@spares("identity/superseded-key", "identity/key-rotated-mid-session", "identity/shared-key", "identity/wrong-key")
def an_honest_rotation_within_the_grace(scene: Scene) -> None:
    session = bound(scene, aged(OLD, KeyState.CURRENT))
    scene.request(call(2, "read"), session=session, verdict=by(aged(OLD, KeyState.GRACE)))
    after = scene.session("4f7e4")
    after.binding = Binding(aged(NEW, KeyState.CURRENT), Strength.EACH, since=2)
    scene.request(call(3, "read"), session=after, verdict=by(aged(NEW, KeyState.CURRENT)))


@spares("identity/superseded-key", "identity/bad-signature", "identity/cannot-check", "identity/from-the-future")
def a_key_that_waits_to_be_resolved(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=waiting())


@fires("identity/from-the-future")
@spares("identity/stale")
def a_signature_of_tomorrow(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=replace(verified(word=Word.STALE), freshness=Freshness.FUTURE))


@spares("identity/from-the-future")
def a_signature_of_yesterday(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=replace(verified(word=Word.STALE), freshness=Freshness.STALE))


@spares("identity/from-the-future")
def a_clock_that_is_a_little_ahead(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified())


@fires("identity/weak-replay-protection")
def a_signature_with_a_time_and_no_nonce(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified("alice", Covered.METHOD, Covered.BODY, Covered.TIME))


@fires("identity/weak-replay-protection")
def a_signature_with_neither(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified("alice", Covered.BODY, word=Word.PARTIAL))


@spares("identity/weak-replay-protection")
def a_nonce_without_a_time(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified("alice", Covered.BODY, Covered.NONCE))
    scene.request(call(2, "read"), verdict=UNSIGNED)
    scene.request(call(3, "read"), verdict=judged(Word.BAD_SIG, "alice"))


def beside(word: Word, main: Word = Word.VERIFIED) -> Verdict:
    other = OtherSignature(word, "rfc9421", "sig2", signer("mallory"), "made up")
    return replace(verified(word=main), others=(other,))


@fires("identity/bad-signature-beside-good")
def a_forged_signature_beside_a_good_one(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=beside(Word.BAD_SIG))


@fires("identity/bad-signature-beside-good")
def a_replayed_signature_beside_a_good_one(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=beside(Word.REPLAY, Word.PARTIAL))


@spares("identity/bad-signature-beside-good")
def two_good_signatures_and_one_that_cannot_be_checked(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=beside(Word.PARTIAL))
    scene.request(call(2, "read"), verdict=beside(Word.NO_CHECK))


@spares("identity/bad-signature-beside-good")
def two_bad_signatures(scene: Scene) -> None:
    both = replace(judged(Word.BAD_SIG, "alice"), others=beside(Word.BAD_SIG).others)
    scene.request(call(1, "read"), verdict=both)


@fires("identity/bad-server-proof")
def an_answer_that_was_changed(scene: Scene) -> None:
    proof = ServerProof(Word.BAD_SIG, "mcp-i", signer("server"), "made up")
    scene.answer(scene.request(call(1, "read")), result(1, text("ok")), proof=proof)


@fires("identity/bad-server-proof")
def a_proof_of_another_answer(scene: Scene) -> None:
    scene.answer(scene.request(call(1, "read")), result(1, text("ok")), proof=ServerProof(Word.REPLAY, "mcp-i"))


@spares("identity/bad-server-proof")
def answers_with_a_good_proof_with_one_that_waits_and_with_none(scene: Scene) -> None:
    for proof in (
        ServerProof(Word.VERIFIED, "mcp-i", signer("server")),
        ServerProof(Word.NO_CHECK, "mcp-i", waiting=True),
        None,
    ):
        scene.answer(scene.request(call(1, "read")), result(1, text("ok")), proof=proof)


@fires("identity/key-rotated-mid-session")
def a_session_that_goes_on_with_another_key(scene: Scene) -> None:
    session = bound(scene, aged(OLD, KeyState.CURRENT))
    scene.request(call(2, "read"), session=session, verdict=by(aged(NEW, KeyState.CURRENT)))


@spares("identity/key-rotated-mid-session")
def another_signer_in_the_session(scene: Scene) -> None:
    session = bound(scene, signer("alice"))
    scene.request(call(2, "read"), session=session, verdict=verified("mallory", word=Word.WRONG_KEY))


@spares("identity/key-rotated-mid-session")
def a_forgery_in_the_name_of_the_bound_signer(scene: Scene) -> None:
    session = bound(scene, aged(OLD, KeyState.CURRENT))
    forged = replace(judged(Word.BAD_SIG), signer=aged(NEW, KeyState.CURRENT))
    scene.request(call(2, "read"), session=session, verdict=forged)


@spares("identity/key-rotated-mid-session")
def a_rotation_between_the_calls_of_no_session(scene: Scene) -> None:
    session = scene.session("alice", SessionKind.SIGNER)
    session.binding = Binding(aged(OLD, KeyState.CURRENT), Strength.EACH, since=0)
    scene.request(call(2, "read"), session=session, verdict=by(aged(NEW, KeyState.CURRENT)))


@fires("identity/shared-key")
def one_key_under_two_registered_names(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=by(known_as("did:aip:" + "a" * 32)))
    scene.request(call(2, "read"), verdict=by(known_as("did:aip:" + "b" * 32)))


@fires("identity/shared-key")
def one_key_in_the_directories_of_two_hosts(scene: Scene) -> None:
    for host in ("one.example", "two.example"):
        scene.request(call(1, "read"), verdict=by(known_as(f"https://{host}", resolution=Resolution.DIRECTORY)))


@fires("identity/shared-key")
def one_key_in_two_programs_in_two_places_at_once(scene: Scene) -> None:
    scene.request(call(1, "read"))
    scene.request(call(1, "read"), peer=THERE, agent="other/2.0")
    scene.request(call(2, "read"))


@spares("identity/shared-key", "identity/key-rotated-mid-session", "identity/claimed-name-mismatch")
def an_honest_agent_under_two_schemes(scene: Scene) -> None:
    session = bound(scene, signer("alice"))
    ids = ("did:aip:" + "a" * 32, f"key:{OLD}", "did:web:alice.example", "https://alice.example")
    for id in ids:
        for url in (id, f"{id}/keys.json") if id.startswith("https") else (id,):
            body = modern(call(2, "read"), client="Alice")
            scene.request(body, session=session, verdict=replace(by(known_as(url)), scheme="aip"))


@spares("identity/shared-key")
def many_agents_behind_one_address(scene: Scene) -> None:
    for who in ("alice", "bob", "carol", "alice", "bob", "carol"):
        scene.request(call(1, "read"), verdict=verified(who), peer=THERE)


@spares("identity/shared-key")
def an_agent_that_leaves_by_several_addresses(scene: Scene) -> None:
    for peer in (THERE, "192.0.2.8:1", "[2001:db8::1]:2", THERE, "192.0.2.8:3"):
        scene.request(call(1, "read"), peer=peer)


@spares("identity/shared-key")
def an_agent_of_two_programs_on_one_host(scene: Scene) -> None:
    for agent in ("agent/1.0", "python-httpx/0.28", "agent/1.0"):
        scene.request(call(1, "read"), agent=agent)


@spares("identity/shared-key")
def an_agent_that_moved_and_was_updated(scene: Scene) -> None:
    scene.request(call(1, "read"))
    for number in range(3):
        scene.request(call(number, "read"), peer=THERE, agent="agent/2.0")
    scene.now += 3_600
    scene.request(call(1, "read"))


@spares("identity/shared-key")
def a_replay_from_elsewhere(scene: Scene) -> None:
    replayed = replace(verified(word=Word.REPLAY), freshness=Freshness.REPLAYED, first_seen=0)
    scene.request(call(1, "read"))
    scene.request(call(1, "read"), verdict=replayed, peer=THERE, agent="curl/8")
    scene.request(call(2, "read"))


@fires("identity/claimed-name-mismatch")
def mallory_says_in_her_handshake_that_she_is_alice(scene: Scene) -> None:
    session = scene.session()
    opening = ask(0, "initialize", {"clientInfo": {"name": "Alice", "version": "1.0"}})
    exchange = scene.request(opening, verdict=UNSIGNED)
    scene.answer(exchange, result(0), session=session)
    scene.request(call(1, "read"), session=session, verdict=verified("mallory"))


@fires("identity/claimed-name-mismatch")
def mallory_says_so_with_each_call(scene: Scene) -> None:
    scene.request(modern(call(1, "read"), client="ALICE"), verdict=verified("mallory"))


@fires("identity/claimed-name-mismatch")
def bob_signs_a_receipt_as_alice(scene: Scene) -> None:
    receipt = {"_signet": {"v": 1, "signer": {"name": "alice", "owner": "ann"}}}
    bob = replace(signer("bob"), name="Bob")
    scene.request(call(1, "read", meta=receipt), verdict=by(bob))


@fires("identity/claimed-name-mismatch")
def mallory_found_out_once_her_key_is_there(scene: Scene) -> None:
    exchange = scene.request(modern(call(1, "read"), client="alice"), verdict=waiting("mallory"))
    scene.judge_again(exchange, verified("mallory"))


@spares("identity/claimed-name-mismatch")
def alice_and_a_program_that_everybody_runs(scene: Scene) -> None:
    scene.request(modern(call(1, "read"), client="alice"), verdict=by(replace(signer("alice"), name="Alice")))
    for who in ("alice", "bob", "mallory"):
        scene.request(modern(call(1, "read"), client="desktop"), verdict=verified(who))


@spares("identity/claimed-name-mismatch")
def a_name_that_no_proof_stands_beside(scene: Scene) -> None:
    scene.request(modern(call(1, "read"), client="alice"), verdict=UNSIGNED)
    scene.request(modern(call(2, "read"), client="alice"), verdict=judged(Word.BAD_SIG, "mallory"))
    scene.request(modern(call(3, "read"), client="alice"), verdict=waiting("mallory"))


@spares("identity/claimed-name-mismatch")
def a_tool_whose_arguments_name_alice(scene: Scene) -> None:
    scene.request(call(1, "greet", name="alice", clientInfo={"name": "alice"}), verdict=verified("mallory"))


@fires("identity/principal-mismatch")
def anns_token_with_another_agent(scene: Scene) -> None:
    scene.request(call(1, "read"), principal=principal("ann"), verdict=verified("mallory"))


@fires("identity/principal-mismatch")
def bobs_token_with_anns_agent(scene: Scene) -> None:
    scene.request(call(1, "read"), principal=principal("bob"), verdict=verified("alice"))


@spares("identity/principal-mismatch")
def tokens_with_the_agents_they_may_use(scene: Scene) -> None:
    scene.request(call(0, "read"), principal=principal("bob"), verdict=verified("bob"))
    scene.request(call(1, "read"), principal=principal("ann"))
    scene.request(call(2, "read"), principal=principal("bob"), verdict=by(replace(signer("bob"), name="Bob")))


@spares("identity/principal-mismatch")
def a_token_that_nothing_is_said_of(scene: Scene) -> None:
    scene.request(call(1, "read"), principal=principal("carol"), verdict=verified("mallory"))
    scene.request(call(2, "read"), principal=principal("bob", issuer="https://other.example"))
    scene.request(call(3, "read"), principal=principal(""), verdict=verified("mallory"))


@spares("identity/principal-mismatch")
def anns_token_with_a_signature_that_proves_nothing(scene: Scene) -> None:
    scene.request(call(1, "read"), principal=principal("ann"), verdict=UNSIGNED)
    scene.request(call(2, "read"), principal=principal("ann"), verdict=judged(Word.BAD_SIG, "mallory"))
    scene.request(call(3, "read"), principal=principal("ann"), verdict=waiting("mallory"))
