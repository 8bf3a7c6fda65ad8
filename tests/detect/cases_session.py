"""Traffic for the session rules."""

from registry import fires, spares
from rpc import ask, call, error, note, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import principal

from mcpwatch.model.entries import Principal
from mcpwatch.model.traffic import CallState, SessionKind

SECOND_PORT = "127.0.0.1:50001"
ELSEWHERE = "192.0.2.7:40000"


def opaque(token: str, scheme: str = "bearer") -> Principal:
    return Principal(scheme, token)


@fires("session/anonymous")
def a_session_for_anybody(scene: Scene) -> None:
    open_session(scene, scene.session(), verdict=UNSIGNED)


@spares("session/anonymous")
def a_session_for_a_token(scene: Scene) -> None:
    open_session(scene, scene.session(), verdict=UNSIGNED, principal=principal())


@spares("session/anonymous")
def a_session_for_a_signer(scene: Scene) -> None:
    open_session(scene, scene.session())


@spares("session/anonymous")
def an_anonymous_client_that_is_refused(scene: Scene) -> None:
    exchange = scene.request(ask(0, "initialize"), verdict=UNSIGNED)
    scene.response(exchange)
    scene.answer(exchange, error(0, -32001, "Unauthorized"), state=CallState.RPC_ERROR)
    scene.end(exchange)
    exchange = scene.request(ask(0, "initialize"), verdict=UNSIGNED)
    scene.response(exchange, 401)
    scene.end(exchange)


@fires("session/shared")
def another_address_on_the_same_session(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.request(call(1, "read"), session=session, peer=ELSEWHERE)


@fires("session/shared")
def another_program_on_the_same_session(scene: Scene) -> None:
    session = scene.session()
    scene.request(call(1, "read"), session=session)
    scene.request(call(2, "read"), session=session, agent="curl/8.5")


@fires("session/shared")
def a_thief_that_names_no_program(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.request(call(1, "read"), session=session, agent="")


@spares("session/shared")
def one_client_over_several_connections(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.request(call(1, "read"), session=session, peer=SECOND_PORT)
    scene.request(call(2, "read"), session=session, peer="[::1]:50002")
    scene.request(method="GET", session=session, peer="::ffff:127.0.0.1:50003")


@spares("session/shared")
def two_places_behind_one_derived_session(scene: Scene) -> None:
    session = scene.session(kind=SessionKind.SIGNER)
    scene.request(call(1, "read"), session=session)
    scene.request(call(2, "read"), session=session, peer=ELSEWHERE, agent="other/2")


@spares("session/shared")
def an_id_that_is_given_out_again(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    open_session(scene, session, peer=ELSEWHERE)
    scene.request(call(1, "read"), session=session, peer=ELSEWHERE)


@fires("session/token-subject-changed")
def a_token_of_somebody_else(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("ann"))
    scene.request(call(1, "read"), session=session, principal=principal("bob", token="t2"))


@fires("session/token-subject-changed")
def the_same_name_from_another_issuer(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("ann"))
    scene.request(call(1, "read"), session=session, principal=principal("ann", issuer="https://evil.example"))


@fires("session/token-subject-changed")
def a_token_that_is_gone(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=opaque("t1"))
    scene.response(scene.request(call(1, "read"), session=session), 200, session)
    scene.end(scene.request(call(2, "read"), session=session), session)


@spares("session/token-subject-changed")
def a_request_without_the_token_that_is_refused(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=opaque("t1"))
    refused = scene.request(call(1, "read"), session=session)
    scene.response(refused, 401, session)
    scene.end(refused, session)


@fires("session/token-subject-changed")
def a_token_that_no_longer_says_whose_it_is(scene: Scene) -> None:
    session = scene.session()
    scene.request(call(1, "read"), session=session, principal=principal("ann"))
    scene.request(call(2, "read"), session=session, principal=opaque("t2"))


@fires("session/token-subject-changed")
def a_password_in_place_of_a_token(scene: Scene) -> None:
    session = scene.session()
    scene.request(call(1, "read"), session=session, principal=opaque("t1"))
    scene.request(call(2, "read"), session=session, principal=opaque("t2", "basic"))


@fires("session/token-subject-changed")
def a_change_after_the_first_token_told_the_subject(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.request(call(1, "read"), session=session, principal=opaque("t1"))
    scene.request(call(2, "read"), session=session, principal=principal("ann", token="t2"))
    scene.request(call(3, "read"), session=session, principal=principal("bob", token="t3"))


@spares("session/token-subject-changed")
def a_refreshed_token_of_the_same_subject(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("ann", token="t1"))
    scene.request(call(1, "read"), session=session, principal=principal("ann", token="t2"))


@spares("session/token-subject-changed")
def a_refreshed_opaque_token(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=opaque("t1"))
    scene.request(call(1, "read"), session=session, principal=opaque("t2"))


@spares("session/token-subject-changed")
def a_login_after_the_handshake(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.request(ask(1, "tools/list"), session=session)
    scene.request(call(2, "read"), session=session, principal=opaque("t1"))
    scene.request(call(3, "read"), session=session, principal=principal("ann", token="t2"))
    scene.request(call(4, "read"), session=session, principal=principal("ann", token="t3"))


@fires("session/token-subject-changed")
@fires("session/shared")
def a_handshake_with_a_stolen_id(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("ann"))
    scene.request(ask(0, "initialize"), session=session, principal=principal("bob"), peer=ELSEWHERE)


@spares("session/token-subject-changed", "session/shared")
def a_handshake_by_the_same_client_with_the_id_of_its_session(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("ann", token="t1"))
    again = scene.request(ask(0, "initialize"), session=session, principal=principal("ann", token="t2"))
    scene.response(again, session=session)
    scene.answer(again, result(0), session=session)
    scene.request(call(1, "read"), session=session, principal=principal("ann", token="t2"))


@fires("session/used-after-delete")
def a_call_answered_after_the_end(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.whole(call(1, "read"), result(1, text("still here")), session)


@fires("session/used-after-delete")
def a_stream_opened_after_the_end(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.response(scene.request(method="GET", session=session), 200, session)


@fires("session/used-after-delete")
def a_notification_accepted_after_the_end(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 200, session)
    scene.response(scene.request(note("notifications/cancelled"), session=session), 202, session)


@spares("session/used-after-delete")
def a_session_that_is_properly_dead(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.response(scene.request(call(1, "read"), session=session), 404, session)
    refused = scene.request(call(2, "read"), session=session)
    scene.response(refused, 200, session)
    scene.answer(refused, error(2, -32002, "unknown session"), session=session, state=CallState.RPC_ERROR)
    scene.end(refused, session)


@spares("session/used-after-delete")
def a_delete_that_is_refused(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 405, session)
    scene.whole(call(1, "read"), result(1, text("ok")), session)


@spares("session/used-after-delete")
def a_delete_that_names_no_session(scene: Scene) -> None:
    session = scene.session(kind=SessionKind.SIGNER)
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.whole(call(1, "read"), result(1, text("ok")), session)


@spares("session/used-after-delete")
def calls_that_were_under_way(scene: Scene) -> None:
    session = scene.session()
    slow = scene.request(call(1, "read"), session=session)
    delete = scene.request(method="DELETE", session=session)
    racing = scene.request(call(2, "read"), session=session)
    stream = scene.request(method="GET", session=session)
    scene.response(delete, 204, session)
    scene.response(stream, 200, session)
    for exchange in (slow, racing):
        scene.response(exchange, 200, session)
        scene.answer(exchange, result(1, text("ok")), session=session)
        scene.end(exchange, session)


@spares("session/used-after-delete")
def an_id_that_opens_a_session_again(scene: Scene) -> None:
    session = scene.session()
    scene.response(scene.request(method="DELETE", session=session), 204, session)
    open_session(scene, session)
    scene.whole(call(1, "read"), result(1, text("ok")), session)
