"""Traffic for the rules on what sessions rest on: tokens, and the signer they are bound to."""

from msgspec.structs import replace
from registry import fires, spares
from rpc import ask, call, error, modern, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, principal, signer

from mcpwatch.model.entries import Json, Principal
from mcpwatch.model.identity import Strength, Word
from mcpwatch.model.traffic import Binding, CallState, Era, Session, SessionKind

DONE = result(1, text("ok"))


def until(scene: Scene, seconds: float, subject: str = "ann") -> Principal:
    """A token that ends so many seconds from now."""
    return replace(principal(subject), expires=int(scene.now + seconds))


def unsigned_token(algorithm: str = "none", subject: str = "admin") -> Principal:
    return replace(principal(subject), algorithm=algorithm)


def asked(
    scene: Scene,
    body: Json,
    answer: Json = None,
    session: Session | None = None,
    state: CallState = CallState.DONE,
    status: int = 200,
    **more: Json,
) -> None:
    """A request and its answer; `more` goes to the request."""
    exchange = scene.request(body, session=session, **more)
    scene.response(exchange, status, session)
    scene.answer(exchange, answer or DONE, session=session, state=state)
    scene.end(exchange, session)


@fires("session/unsigned-token")
def a_handshake_in_the_admins_name(scene: Scene) -> None:
    asked(scene, ask(0, "initialize"), result(0), scene.session(), verdict=UNSIGNED, principal=unsigned_token())


@fires("session/unsigned-token")
def a_modern_call_with_an_unsigned_token(scene: Scene) -> None:
    derived = scene.session("files~admin", SessionKind.PRINCIPAL, Era.MODERN)
    for algorithm in ("None", "nOnE"):
        asked(scene, modern(call(1, "read")), session=derived, principal=unsigned_token(algorithm))


@fires("session/unsigned-token")
def an_unsigned_token_that_a_tool_fails_with(scene: Scene) -> None:
    token = unsigned_token(subject="")
    asked(scene, call(1, "read"), session=scene.session(), state=CallState.TOOL_ERROR, principal=token)


@spares("session/unsigned-token")
def an_unsigned_token_that_is_refused(scene: Scene) -> None:
    no = error(0, -32001, "Unauthorized: invalid token")
    token = unsigned_token()
    asked(scene, ask(0, "initialize"), no, state=CallState.DENIED, principal=token)
    asked(scene, call(1, "read"), no, scene.session(), CallState.RPC_ERROR, principal=token)
    exchange = scene.request(call(1, "read"), principal=token)
    scene.response(exchange, 401)
    for each in exchange.calls:
        each.state, each.ended = CallState.DENIED, scene.now
    scene.end(exchange)


@spares("session/unsigned-token")
def an_unsigned_token_sent_where_nobody_looks_at_it(scene: Scene) -> None:
    asked(scene, ask(1, "ping"), result(1), principal=unsigned_token())
    asked(scene, modern(ask(1, "server/discover")), result(1), principal=unsigned_token())


@spares("session/unsigned-token")
def a_signed_and_an_opaque_token(scene: Scene) -> None:
    for algorithm in ("RS256", "", "nonesuch"):
        asked(scene, call(1, "read"), session=scene.session(), principal=unsigned_token(algorithm))


@fires("session/outlives-token")
def a_call_with_a_token_that_has_ended(scene: Scene) -> None:
    asked(scene, call(1, "read"), session=scene.session(), principal=until(scene, -90))


@fires("session/outlives-token")
def a_session_that_goes_on_without_its_token(scene: Scene) -> None:
    session = scene.session()
    session.principal = until(scene, 90)
    open_session(scene, session, principal=session.principal)
    scene.now += 600
    asked(scene, call(1, "read"), session=session)


@fires("session/outlives-token")
def a_modern_call_with_a_token_that_has_ended(scene: Scene) -> None:
    derived = scene.session("files~ann", SessionKind.PRINCIPAL, Era.MODERN)
    asked(scene, modern(call(1, "read")), session=derived, principal=until(scene, -3_600))


@spares("session/outlives-token")
def a_token_that_has_ended_and_is_refused(scene: Scene) -> None:
    no = error(1, -32001, "The access token expired")
    asked(scene, call(1, "read"), no, scene.session(), CallState.DENIED, 401, principal=until(scene, -90))


@spares("session/outlives-token")
def clocks_a_little_apart(scene: Scene) -> None:
    asked(scene, call(1, "read"), session=scene.session(), principal=until(scene, -50))


@spares("session/outlives-token")
def a_token_that_ends_while_the_call_runs(scene: Scene) -> None:
    session = scene.session()
    exchange = scene.request(call(1, "read"), session=session, principal=until(scene, 10))
    scene.response(exchange, session=session)
    scene.now += 600
    scene.answer(exchange, DONE, session=session)


@spares("session/outlives-token")
def a_token_that_is_refreshed(scene: Scene) -> None:
    session = scene.session()
    session.principal = until(scene, 90)
    open_session(scene, session, principal=session.principal)
    scene.now += 600
    asked(scene, call(1, "read"), session=session, principal=until(scene, 90))
    asked(scene, call(2, "read"), session=session, principal=principal())


@spares("session/outlives-token")
def somebody_else_without_a_token(scene: Scene) -> None:
    derived = scene.session("files~ann", SessionKind.SIGNER, Era.MODERN)
    derived.principal = until(scene, -600)
    asked(scene, modern(call(1, "read")), session=derived)
    asked(scene, ask(2, "ping"), result(2), scene.session(), principal=until(scene, -600))


def bound(scene: Scene) -> Session:
    """A session that is Alice's by signature."""
    session = scene.session()
    opened = open_session(scene, session)
    session.binding = Binding(signer("alice"), Strength.EACH, opened.index)
    return session


@fires("session/unbound")
def a_call_by_nobody_in_a_signers_session(scene: Scene) -> None:
    asked(scene, call(1, "read"), session=bound(scene), verdict=UNSIGNED)


@fires("session/unbound")
def a_call_by_nobody_that_a_tool_fails_with(scene: Scene) -> None:
    answer = result(1, text("no such file", is_error=True))
    asked(scene, call(1, "read"), answer, bound(scene), CallState.TOOL_ERROR, verdict=UNSIGNED)


@spares("session/unbound")
def a_call_by_nobody_that_is_refused(scene: Scene) -> None:
    no = error(1, -32001, "Unauthorized")
    asked(scene, call(1, "read"), no, bound(scene), CallState.DENIED, 401, verdict=UNSIGNED)
    scene.request(call(2, "read"), session=bound(scene), verdict=UNSIGNED)


@spares("session/unbound")
def a_session_that_never_was_anybodys(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, verdict=UNSIGNED)
    asked(scene, call(1, "read"), session=session, verdict=UNSIGNED)


@fires("session/unbound")
def a_call_by_nobody_with_a_token_that_may_be_made_up(scene: Scene) -> None:
    asked(scene, call(1, "read"), session=bound(scene), verdict=UNSIGNED, principal=principal())


@spares("session/unbound")
def a_signers_session_with_the_owners_token_alone(scene: Scene) -> None:
    session = bound(scene)
    asked(scene, call(1, "read"), session=session, principal=principal())
    asked(scene, call(2, "read"), session=session, verdict=UNSIGNED, principal=principal(token="t2"))


@spares("session/unbound")
def what_is_no_tool_call(scene: Scene) -> None:
    session = bound(scene)
    asked(scene, ask(1, "tools/list"), result(1), session, verdict=UNSIGNED)
    asked(scene, ask(2, "ping"), result(2), session, verdict=UNSIGNED)


@spares("session/unbound")
def a_signature_that_does_not_hold_or_cannot_be_checked(scene: Scene) -> None:
    session = bound(scene)
    for word in (Word.BAD_SIG, Word.NO_CHECK, Word.UNKNOWN_KEY):
        asked(scene, call(1, "read"), session=session, verdict=judged(word, "bob"))


@spares("session/unbound")
def an_unsigned_call_in_a_derived_session(scene: Scene) -> None:
    derived = scene.session("files~alice", SessionKind.SIGNER, Era.MODERN)
    derived.binding = Binding(signer("alice"), Strength.EACH, 0)
    asked(scene, modern(call(1, "read")), session=derived, verdict=UNSIGNED)
