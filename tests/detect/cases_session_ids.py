"""Traffic for the rules on the ids of sessions."""

from registry import fires, spares
from rpc import ask, call, error, modern, note, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import principal, verified

from mcpwatch.model.entries import SessionForm
from mcpwatch.model.traffic import CallState, Era, Session, SessionKind

ELSEWHERE = "192.0.2.7:40000"
NO_SESSION = "Unknown session"


def gives(scene: Scene, form: SessionForm, session: Session | None = None) -> None:
    """A handshake whose answer gives out an id of that form."""
    exchange = scene.request(ask(0, "initialize"))
    scene.response(exchange, session=session, gives="aa" * 16, form=form)


@fires("session/weak-id")
def a_server_that_counts(scene: Scene) -> None:
    gives(scene, "counter", scene.session())


@fires("session/weak-id")
def a_short_id_of_which_no_session_came(scene: Scene) -> None:
    gives(scene, "short")


@fires("session/weak-id")
def each_other_form(scene: Scene) -> None:
    for form in ("timestamp", "time-uuid", "fixed"):
        gives(scene, form)


@spares("session/weak-id")
def an_id_of_which_nothing_is_said(scene: Scene) -> None:
    gives(scene, "", scene.session())
    scene.response(scene.request(call(1, "read")), 404)


@fires("session/id-collision")
def an_admin_in_the_session_of_a_guest(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, verdict=UNSIGNED)
    open_session(scene, session, verdict=UNSIGNED, principal=principal("admin"))


@fires("session/id-collision")
def two_signers_in_one_session(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    open_session(scene, session, verdict=verified("bob"))


@fires("session/id-collision")
def two_that_nothing_tells_apart(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, verdict=UNSIGNED)
    open_session(scene, session, verdict=UNSIGNED, peer=ELSEWHERE)


@fires("session/id-collision")
def another_id_than_the_request_carries(scene: Scene) -> None:
    session = scene.session("files/aaaaaaaaaaaa")
    open_session(scene, session, principal=principal("ann"), named="")
    open_session(scene, session, principal=principal("ben"), verdict=UNSIGNED, named="bb" * 16)


@spares("session/id-collision")
def an_id_made_of_the_callers_name(scene: Scene) -> None:
    session = scene.session()
    for token in ("t1", "t2"):
        open_session(scene, session, verdict=UNSIGNED, principal=principal("ann", token=token))
    other = scene.session("07e2")
    open_session(scene, other)
    open_session(scene, other, principal=principal("ben"))


@spares("session/id-collision", "session/re-initialised")
def an_id_given_out_after_its_session_has_ended(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, verdict=UNSIGNED)
    session.initialized_at = None
    open_session(scene, session, verdict=UNSIGNED, peer=ELSEWHERE)


@spares("session/id-collision")
def a_handshake_that_carries_the_id_itself(scene: Scene) -> None:
    session = scene.session("files/aaaaaaaaaaaa")
    open_session(scene, session, verdict=UNSIGNED)
    open_session(scene, session, verdict=UNSIGNED, principal=principal("ben"), named="aa" * 16)


@spares("session/id-collision", "session/re-initialised")
def handshakes_of_the_modern_kind_and_without_ids(scene: Scene) -> None:
    derived = scene.session("files~ann", SessionKind.PRINCIPAL)
    for _ in range(2):
        open_session(scene, derived, principal=principal("ann"))
    scene.whole(modern(ask(1, "server/discover")), result(1), scene.session("x", SessionKind.ANONYMOUS, Era.MODERN))


@fires("session/re-initialised")
def a_second_handshake_in_the_session(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.whole(ask(0, "initialize"), result(0), session)


@fires("session/re-initialised")
def a_handshake_in_a_session_joined_midway(scene: Scene) -> None:
    scene.whole(ask(0, "initialize"), result(0), scene.session())


@spares("session/re-initialised")
def a_second_handshake_that_is_refused(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    again = scene.request(ask(0, "initialize"), session=session)
    scene.response(again, session=session)
    scene.answer(again, error(0, -32600, "Already initialised"), session=session, state=CallState.RPC_ERROR)
    scene.end(again, session)


@spares("session/re-initialised")
def a_second_handshake_that_opens_another_session(scene: Scene) -> None:
    session, other = scene.session(), scene.session("07e2")
    open_session(scene, session)
    again = scene.request(ask(0, "initialize"), session=session)
    scene.response(again, session=other)
    scene.answer(again, result(0), session=other)
    scene.end(again, other)


@spares("session/re-initialised")
def the_rest_of_the_handshake(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.response(scene.request(note("notifications/initialized"), session=session), 202, session)
    scene.whole(ask(1, "ping"), result(1), session)


@fires("session/id-leaked")
def an_answer_that_holds_the_id(scene: Scene) -> None:
    session = scene.session()
    exchange = scene.request(call(1, "whoami"), session=session)
    scene.response(exchange, session=session)
    scene.answer(exchange, result(1, text("***")), session=session, leaked=True)


@fires("session/id-leaked")
def an_event_that_holds_the_id_before_the_answer(scene: Scene) -> None:
    session = scene.session()
    exchange = scene.request(method="GET", session=session)
    scene.response(exchange, session=session)
    exchange.calls.clear()
    scene.answer(exchange, note("notifications/message"), session=session, leaked=True)


@fires("session/id-leaked")
def arguments_that_hold_the_id(scene: Scene) -> None:
    scene.request(call(1, "send", text="***"), session=scene.session(), leaked=("body",))


@fires("session/id-leaked")
def an_address_that_holds_the_id(scene: Scene) -> None:
    scene.request(method="GET", session=scene.session(), leaked=("target",))


@spares("session/id-leaked")
def an_id_in_its_place(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session)
    scene.whole(call(1, "read"), result(1, text("session 5e55")), session)


def refused(scene: Scene, number: int, status: int = 404, said: str = "", agent: str = "agent/1.0") -> None:
    """A call that names a session which nobody ever had."""
    session = scene.session(f"id{number}")
    exchange = scene.request(call(number, "read"), session=session, agent=agent)
    scene.response(exchange, status, gone=(session,))
    if said:
        scene.answer(exchange, error(number, -32002, said), state=CallState.DENIED, text=said)
    scene.end(exchange)


@fires("session/id-guessing")
def many_ids_that_the_server_does_not_know(scene: Scene) -> None:
    for number in range(10):
        refused(scene, number, 404 if number % 2 else 400)


@fires("session/id-guessing")
def ids_refused_like_tokens(scene: Scene) -> None:
    for number in range(10):
        refused(scene, number, 401, NO_SESSION)


@fires("session/id-guessing")
def ids_refused_inside_of_a_good_answer(scene: Scene) -> None:
    for number in range(10):
        session = scene.session(f"id{number}")
        exchange = scene.request(call(number, "read"), session=session)
        scene.response(exchange, 200, session)
        session.call_count = session.errors = 1
        state = CallState.DENIED if number % 2 else CallState.RPC_ERROR
        scene.answer(exchange, error(number, -32002, NO_SESSION), session=session, state=state, text=NO_SESSION)


@spares("session/id-guessing")
def one_old_id_tried_again_and_again(scene: Scene) -> None:
    for _ in range(30):
        refused(scene, 7)


@spares("session/id-guessing")
def old_ids_after_a_restart(scene: Scene) -> None:
    for number in range(30):
        session = scene.session(f"id{number}")
        open_session(scene, session)
        scene.response(scene.request(call(number, "read"), session=session), 404, session)


@spares("session/id-guessing")
def nine_ids_and_then_slowly(scene: Scene) -> None:
    for number in range(30):
        refused(scene, number)
        scene.now += 7


@spares("session/id-guessing")
def many_addresses_with_an_old_id_each(scene: Scene) -> None:
    for number in range(30):
        session = scene.session(f"id{number}")
        exchange = scene.request(call(number, "read"), session=session, peer=f"192.0.2.{number}:4000")
        scene.response(exchange, 404, gone=(session,))


@spares("session/id-guessing")
def tokens_refused_in_sessions_not_seen_before(scene: Scene) -> None:
    for number in range(30):
        refused(scene, number, 401, "The access token expired")
    for number in range(30):
        refused(scene, number, 429)
        refused(scene, number, 405)


@spares("session/id-guessing")
def tools_that_speak_of_sessions(scene: Scene) -> None:
    for number in range(30):
        session = scene.session(f"id{number}")
        open_session(scene, session)
        exchange = scene.request(call(number, "read"), session=session)
        scene.response(exchange, 200, session)
        session.call_count, session.errors = 2, 1
        said = "this session has no such file"
        scene.answer(exchange, error(number, -32000, said), session=session, state=CallState.RPC_ERROR, text=said)
