"""Traffic for the rules on what is denied first and let through then."""

from msgspec.structs import replace
from registry import fires, spares
from rpc import ask, call, error, result, text
from rule_scene import UNSIGNED, Scene
from verdicts import principal, verified

from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Verdict
from mcpwatch.model.traffic import CallState, Era, Session, SessionKind

BYPASS, HOPPING = "discovery/bypass", "discovery/context-hopping"
NEEDS_ROLE = 'Forbidden: tool "dump" requires the admin role'
OTHER_FOLDER = "Access denied: the path is outside of the allowed folders"


def denied(
    scene: Scene,
    body: Json,
    session: Session,
    said: str = NEEDS_ROLE,
    *,
    status: int = 200,
    code: int | None = -32001,
    verdict: Verdict = UNSIGNED,
    **request: Json,
) -> None:
    """A request that the server refuses."""
    exchange = scene.request(body, session=session, verdict=verdict, **request)
    for each in exchange.calls:
        each.session = session.key
    scene.response(exchange, status, session)
    answer = error(body["id"], code, said) if code is not None else result(body["id"], text(said, is_error=True))
    scene.answer(exchange, answer, session=session, state=CallState.DENIED, code=code, text=said)


def allowed(scene: Scene, body: Json, session: Session, verdict: Verdict = UNSIGNED, **request: Json) -> None:
    """A request that the server grants."""
    exchange = scene.request(body, session=session, verdict=verdict, **request)
    for each in exchange.calls:
        each.session = session.key
    scene.response(exchange, session=session)
    scene.answer(exchange, result(body["id"], text("done")), session=session)


def second(scene: Scene, key: str = "0ther") -> Session:
    """Another session, opened by now."""
    return scene.session(key)


@fires(BYPASS)
def denied_and_then_let_through(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session)
    allowed(scene, call(2, "dump"), session)


@spares(BYPASS, HOPPING)
def refused_by_the_gateway_until_its_policy_says_otherwise(scene: Scene) -> None:
    session = scene.session()
    exchange = scene.request(call(1, "dump"), session=session, verdict=UNSIGNED)
    scene.response(exchange, 403, session)
    scene.answer(exchange, error(1, -32001, NEEDS_ROLE), session=session, state=CallState.DENIED, text=NEEDS_ROLE)
    exchange.outcome = "denied"
    scene.end(exchange, session)
    allowed(scene, call(2, "dump"), session)
    allowed(scene, call(3, "dump"), second(scene))


@fires(BYPASS)
def denied_by_name_and_let_through_with_other_arguments(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump", what="all"), session)
    allowed(scene, call(2, "dump", what="all", role="admin"), session)


@fires(BYPASS)
def denied_by_the_status_alone(scene: Scene) -> None:
    session = scene.session("x", SessionKind.SIGNER, Era.MODERN)
    denied(scene, call(1, "dump"), session, "", status=403, code=None, verdict=verified())
    allowed(scene, call(2, "dump"), session, verified())


@fires(BYPASS)
def a_resource_denied_and_then_read(scene: Scene) -> None:
    session = scene.session()
    denied(scene, ask(1, "resources/read", {"uri": "notes://all"}), session, "not authorized")
    allowed(scene, ask(2, "resources/read", {"uri": "notes://all"}), session)


@fires(BYPASS)
def a_token_that_anybody_can_write(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session)
    allowed(scene, call(2, "dump"), session, principal=replace(principal("root"), algorithm="none"))


@spares(BYPASS, HOPPING)
def a_user_who_logs_in(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session)
    allowed(scene, call(2, "dump"), session, principal=principal())
    allowed(scene, call(3, "dump"), second(scene), principal=principal())


@spares(BYPASS, HOPPING)
def a_token_with_more_scope(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session, "insufficient_scope", status=403, principal=principal())
    allowed(scene, call(2, "dump"), session, principal=principal(token="t2"))


@spares(BYPASS)
def another_signer(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session, verdict=verified("bob"))
    allowed(scene, call(2, "dump"), session, verified("alice"))


@spares(BYPASS, HOPPING)
def other_arguments_where_the_arguments_were_denied(scene: Scene) -> None:
    for code in (-32602, None):
        session = scene.session(f"session {code}")
        denied(scene, call(1, "read", path="/private/a"), session, OTHER_FOLDER, code=code)
        allowed(scene, call(2, "read", path="/srv/a"), session)
        allowed(scene, call(3, "read", path="/srv/a"), second(scene, f"other {code}"))


@spares(BYPASS, HOPPING)
def a_file_that_the_system_would_not_open_for_a_while(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "read", path="a"), session, "Permission denied: a", code=None)
    allowed(scene, call(2, "read", path="a"), session)
    allowed(scene, call(3, "read", path="a"), second(scene))


@spares(BYPASS, HOPPING)
def limits_and_people_who_say_no_at_first(scene: Scene) -> None:
    for said in ("Forbidden: rate limit exceeded", "Call denied by the user", "Access denied, try again later"):
        session = scene.session(said)
        denied(scene, call(1, "read"), session, said, status=403)
        allowed(scene, call(2, "read"), session)
        allowed(scene, call(3, "read"), second(scene, f"other {said}"))


@spares(BYPASS, HOPPING)
def a_token_that_the_server_did_not_know_yet(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session, "Unauthorized", status=401, principal=principal())
    allowed(scene, call(2, "dump"), session, principal=principal())


@spares(BYPASS, HOPPING)
def secrets_that_were_masked(scene: Scene) -> None:
    session = scene.session()
    body = call(1, "login", name="ann", password="***")
    denied(scene, body, session, "Unauthorized: wrong password", masked=1)
    allowed(scene, {**body, "id": 2}, session, masked=1)
    allowed(scene, {**body, "id": 3}, second(scene), masked=1)


@spares(BYPASS)
def let_through_a_day_later(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session)
    scene.now += 86_400
    allowed(scene, call(2, "dump"), session)


@spares(BYPASS, HOPPING)
def another_tool_and_another_server(scene: Scene) -> None:
    session = scene.session()
    denied(scene, call(1, "dump"), session)
    allowed(scene, call(2, "read"), session)
    scene.upstream = "other"
    allowed(scene, call(3, "dump"), second(scene))


@fires(HOPPING)
def a_guest_gets_it_in_another_session(scene: Scene) -> None:
    denied(scene, call(1, "dump"), scene.session())
    allowed(scene, call(2, "dump"), second(scene))


@fires(HOPPING)
def a_signer_gets_it_in_another_session(scene: Scene) -> None:
    denied(scene, call(1, "dump"), scene.session(), verdict=verified())
    allowed(scene, call(2, "dump"), second(scene), verified(), peer="192.0.2.7:1")


@fires(HOPPING)
def a_client_comes_back_as_somebody_else(scene: Scene) -> None:
    denied(scene, call(1, "dump"), scene.session(), principal=principal("bob"))
    allowed(scene, call(2, "dump"), second(scene), principal=principal("root", token="t2"))


@fires(HOPPING)
def a_client_comes_back_as_somebody_else_without_sessions(scene: Scene) -> None:
    modern = Era.MODERN, SessionKind.PRINCIPAL
    denied(scene, call(1, "dump"), scene.session("bob", modern[1], modern[0]), principal=principal("bob"))
    later = scene.session("root", modern[1], modern[0])
    allowed(scene, call(2, "dump"), later, principal=principal("root", token="t2"))


@spares(HOPPING)
def two_people_at_one_agent(scene: Scene) -> None:
    root = scene.session("root")
    denied(scene, call(1, "dump"), scene.session("bob"), principal=principal("bob"))
    allowed(scene, call(2, "dump"), root, principal=principal("root", token="t2"))
    scene.now += 120
    allowed(scene, call(3, "dump"), second(scene), principal=principal("root", token="t2"))


@spares(HOPPING)
def another_client(scene: Scene) -> None:
    denied(scene, call(1, "dump"), scene.session())
    allowed(scene, call(2, "dump"), second(scene), peer="192.0.2.7:1")
    allowed(scene, call(3, "dump"), second(scene, "third"), agent="other/2.0")


@spares(HOPPING)
def a_right_that_was_given_in_the_meantime(scene: Scene) -> None:
    denied(scene, call(1, "dump"), scene.session())
    scene.now += 900
    allowed(scene, call(2, "dump"), second(scene))


@spares(HOPPING)
def a_session_without_an_id(scene: Scene) -> None:
    kind = SessionKind.ANONYMOUS
    denied(scene, call(1, "dump"), scene.session("a", kind, Era.MODERN))
    allowed(scene, call(2, "dump"), scene.session("b", kind, Era.MODERN))
