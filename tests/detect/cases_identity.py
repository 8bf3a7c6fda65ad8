"""Traffic for the identity rules."""

import msgspec
from registry import fires, spares
from rpc import ask, call, note, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, signer, verified

from mcpwatch.model.identity import Freshness, SignatureState, Verdict, Word
from mcpwatch.model.traffic import Binding, SessionKind


def replay(first: int | None, name: str = "alice", word: Word = Word.REPLAY) -> Verdict:
    return msgspec.structs.replace(verified(name, word=word), freshness=Freshness.REPLAYED, first_seen=first)


def waiting() -> Verdict:
    return msgspec.structs.replace(judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE), waiting=True)


def unchecked(scheme: str) -> Verdict:
    """A header that stands in place of a signature."""
    verdict = judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED)
    return msgspec.structs.replace(verdict, scheme=scheme, reasons=("an HMAC can be checked only by who shares it",))


@fires("identity/unsigned-call")
def an_unsigned_tool_call(scene: Scene) -> None:
    scene.request(call(1, "read"), session=scene.session(), verdict=UNSIGNED)


@fires("identity/unsigned-call")
def an_unsigned_list(scene: Scene) -> None:
    scene.request(ask(1, "tools/list"), session=scene.session(), verdict=UNSIGNED)


@fires("identity/unsigned-call")
def an_unsigned_tool_call_that_wants_no_answer(scene: Scene) -> None:
    scene.request(note("tools/call", {"name": "read"}), session=scene.session(), verdict=UNSIGNED)


@spares("identity/unsigned-call")
def unsigned_notifications(scene: Scene) -> None:
    session = scene.session()
    scene.request(note("notifications/cancelled", {"requestId": 1}), session=session, verdict=UNSIGNED)
    scene.request(note("notifications/progress"), note("notifications/cancelled"), session=session, verdict=UNSIGNED)


@fires("identity/unsigned-call")
def an_unsigned_request_whose_body_did_not_travel(scene: Scene) -> None:
    scene.request(session=scene.session(), verdict=UNSIGNED, unread=True)


@spares("identity/unsigned-call")
def an_unsigned_handshake_of_a_signed_session(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, verdict=UNSIGNED)
    scene.request(note("notifications/initialized"), session=session, verdict=UNSIGNED)
    scene.request(ask(1, "server/discover"), session=session, verdict=UNSIGNED)
    scene.request(ask(2, "ping"), session=session, verdict=UNSIGNED)
    scene.request(method="GET", session=session, verdict=UNSIGNED)
    scene.request(call(3, "read"), session=session)
    scene.request(method="DELETE", session=session, verdict=UNSIGNED)


@spares("identity/unsigned-call", "identity/unknown-identity")
def a_call_with_a_scheme_that_cannot_be_checked(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED))


@fires("identity/bad-signature")
def a_changed_body(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=judged(Word.BAD_SIG, "alice"))


@fires("identity/bad-signature")
def a_signature_that_proves_bad_once_the_key_is_there(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, judged(Word.BAD_SIG, "alice"))


@spares("identity/bad-signature", "identity/stale", "identity/unknown-identity", "identity/body-not-covered")
def a_good_signature(scene: Scene) -> None:
    scene.request(call(1, "read"))


@fires("identity/wrong-key")
def mallory_in_the_session_of_alice(scene: Scene) -> None:
    session = scene.session()
    scene.request(call(1, "read"), session=session)
    session.binding = Binding(signer("alice"), since=0)
    verdict = verified("mallory", word=Word.WRONG_KEY)
    scene.request(call(2, "read"), session=session, verdict=verdict, rebound=signer("alice"))


@fires("identity/wrong-key")
def mallory_found_out_once_the_key_is_there(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), session=scene.session(), verdict=waiting())
    scene.judge_again(exchange, verified("mallory", word=Word.WRONG_KEY), rebound=signer("alice"))


@spares("identity/wrong-key")
def the_same_signer_all_along(scene: Scene) -> None:
    session = scene.session()
    session.binding = Binding(signer("alice"), since=0)
    scene.request(call(1, "read"), session=session)
    scene.request(call(2, "read"), session=session, verdict=UNSIGNED)


@fires("identity/replayed")
@spares("identity/cross-session-replay")
def the_same_request_twice_in_one_session(scene: Scene) -> None:
    session = scene.session()
    first = scene.request(call(1, "read"), session=session)
    scene.request(call(1, "read"), session=session, verdict=replay(first.index))


@fires("identity/replayed")
@spares("identity/cross-session-replay")
def a_replay_of_what_nobody_remembers(scene: Scene) -> None:
    scene.request(call(1, "read"), session=scene.session(), verdict=replay(None))
    scene.request(call(1, "read"), session=scene.session(), verdict=replay(7_777_777))


@fires("identity/replayed")
@spares("identity/cross-session-replay")
def a_replay_where_the_first_had_no_session_yet(scene: Scene) -> None:
    first = scene.request(ask(0, "initialize"))
    scene.request(ask(0, "initialize"), session=scene.session(), verdict=replay(first.index))


@fires("identity/replayed")
@spares("identity/cross-session-replay")
def a_replay_where_no_protocol_id_names_a_session(scene: Scene) -> None:
    first = scene.request(call(1, "read"), session=scene.session("by signer", SessionKind.SIGNER))
    other = scene.session("by address", SessionKind.ANONYMOUS)
    scene.request(call(1, "read"), session=other, verdict=replay(first.index))


@fires("identity/cross-session-replay")
@spares("identity/replayed", "identity/wrong-key")
def a_request_of_alice_again_in_the_session_of_bob(scene: Scene) -> None:
    first = scene.request(call(1, "read"), session=scene.session("a11ce"))
    bobs = scene.session("b0b")
    scene.request(
        call(1, "read"), session=bobs, verdict=replay(first.index, word=Word.WRONG_KEY), rebound=signer("bob")
    )


@fires("identity/cross-session-replay")
@spares("identity/replayed")
def a_request_again_at_another_server(scene: Scene) -> None:
    first = scene.request(call(1, "read"), upstream="files")
    scene.request(call(1, "read"), upstream="mail", verdict=replay(first.index))


@fires("identity/cross-session-replay")
@spares("identity/replayed")
def a_request_again_through_another_gateway(scene: Scene) -> None:
    scene.request(call(1, "read"))
    scene.request(call(1, "read"), verdict=msgspec.structs.replace(replay(0), first_source="other"))


@fires("identity/cross-session-replay")
def a_replay_of_a_request_that_had_to_wait_for_its_key(scene: Scene) -> None:
    first = scene.request(call(1, "read"), session=scene.session("a11ce"), verdict=waiting())
    second = scene.request(call(1, "read"), session=scene.session("b0b"), verdict=waiting())
    scene.judge_again(first, verified())
    scene.judge_again(second, replay(first.index))


@spares("identity/replayed", "identity/cross-session-replay")
def each_attempt_signed_anew(scene: Scene) -> None:
    session = scene.session(kind=SessionKind.SIGNER)
    for attempt in range(3):
        exchange = scene.request(call(attempt, "read"), session=session)
        scene.answer(exchange, result(attempt, text("ok")), session=session)


@fires("identity/stale")
def an_old_signature(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified(word=Word.STALE))


@fires("identity/unknown-identity")
def an_identity_nobody_knows(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=judged(Word.UNKNOWN_KEY, "ghost", SignatureState.UNRESOLVABLE))


@fires("identity/cannot-check")
def a_registry_that_is_down(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, judged(Word.NO_CHECK, "alice", SignatureState.UNRESOLVABLE))


@fires("identity/cannot-check")
def a_registry_that_is_down_and_asked_again(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, msgspec.structs.replace(waiting(), reasons=("the registry is down",)))


@fires("identity/cannot-check")
@spares("identity/unsigned-call")
def a_header_that_nobody_can_check(scene: Scene) -> None:
    scene.request(call(1, "read"), session=scene.session(), verdict=unchecked("hmac"))


@spares("identity/cannot-check", "identity/unknown-identity")
def a_key_that_is_on_its_way(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, verified())


@fires("identity/body-not-covered")
def a_signature_without_the_body(scene: Scene) -> None:
    scene.request(call(1, "read"), verdict=verified(word=Word.PARTIAL))


@spares("identity/body-not-covered")
def a_signed_request_that_has_no_body(scene: Scene) -> None:
    scene.request(method="GET", session=scene.session(), verdict=verified(word=Word.PARTIAL))
