"""Traffic for the rules on who is shown which tools."""

from collections.abc import Mapping

from msgspec.structs import replace
from registry import fires, spares
from rpc import ask, call, error, result, text, tool
from rule_scene import UNSIGNED, Scene
from verdicts import judged, principal, signer

from mcpwatch.model.entries import Json
from mcpwatch.model.identity import SignatureState, Verdict, Word
from mcpwatch.model.traffic import CallState, Era, Exchange, Session, SessionKind
from mcpwatch.policy.policy import Members, Policy, Role, Signatures, Terms

EXPOSED = "discovery/privileged-tools-exposed"
FILTERING = "discovery/no-per-role-filtering"

READ = tool("read", "Reads a page.")
DUMP = tool("dump", "Gives out the settings.", accessLevel="admin")
PURGE = tool("purge", "Empties the bin.", annotations={"destructiveHint": True})
RESET = tool("admin_reset", "Starts it over.")
FORBIDDEN = 'Unauthorized: tool "dump" requires the admin role'


def listed(
    scene: Scene,
    *tools: Json,
    session: Session | None = None,
    cursor: str = "",
    more: str = "",
    verdict: Verdict = UNSIGNED,
    **request: Json,
) -> None:
    """A list of tools given to a guest, unless the request or the verdict says otherwise."""
    exchange = scene.request(
        ask(1, "tools/list", {"cursor": cursor} if cursor else None), session=session, verdict=verdict, **request
    )
    scene.response(exchange, session=session)
    page = {"tools": list(tools), "nextCursor": more} if more else {"tools": list(tools)}
    scene.answer(exchange, result(1, page), session=session)
    scene.end(exchange, session)


def used(
    scene: Scene,
    name: str,
    answer: Json = None,
    *,
    session: Session | None = None,
    state: CallState = CallState.DONE,
    verdict: Verdict = UNSIGNED,
    **request: Json,
) -> Exchange:
    """A tool called by a guest, unless the request or the verdict says otherwise."""
    exchange = scene.request(call(2, name), session=session, verdict=verdict, **request)
    scene.response(exchange, session=session)
    scene.answer(exchange, answer or result(2, text("done")), session=session, state=state)
    scene.end(exchange, session)
    return exchange


def refused(scene: Scene, name: str, said: str, session: Session | None = None, **request: Json) -> None:
    """A call of a guest that the server denies, inside an HTTP 200."""
    exchange = scene.request(call(2, name), session=session, verdict=UNSIGNED, **request)
    scene.response(exchange, session=session)
    scene.answer(exchange, error(2, -32001, said), session=session, state=CallState.DENIED, code=-32001, text=said)


def withhold(scene: Scene, name: str, *, of: Json, session: Session | None = None) -> Exchange:
    """A guest's request with a header field of that name, whose value the log does not carry."""
    observe = scene.engine.observe

    def observed(seen: Json) -> Json:
        if seen.request is not None:
            seen = replace(seen, request=replace(seen.request, withheld=(name,)))
        return observe(seen)

    scene.engine.observe = observed  # type: ignore[method-assign]
    exchange = scene.request(of, session=session, verdict=UNSIGNED)
    scene.engine.observe = observe  # type: ignore[method-assign]
    scene.response(exchange, session=session)
    return exchange


def with_terms(
    scene: Scene, tools: Mapping[tuple[str, str], Terms] | None = None, upstreams: Mapping[str, Terms] | None = None
) -> None:
    """Alice is an administrator by the policy."""
    roles = {Role.ADMIN: Members(identities=(signer("alice").id,))}
    scene.engine.follow(Policy(roles=roles, tools=tools or {}, upstreams=upstreams or {}))


@fires(EXPOSED)
def a_tool_of_administrators_listed_to_a_guest(scene: Scene) -> None:
    listed(scene, READ, DUMP, session=scene.session())


@fires(EXPOSED)
def the_same_without_sessions(scene: Scene) -> None:
    listed(scene, READ, DUMP, session=scene.session("x", SessionKind.ANONYMOUS, Era.MODERN))


@fires(EXPOSED)
def a_tool_that_the_policy_keeps_from_guests(scene: Scene) -> None:
    with_terms(scene, {("files", "re*"): Terms(roles=(Role.USER, Role.ADMIN))})
    listed(scene, READ, session=scene.session())


@fires(EXPOSED)
def a_tool_that_is_listed_and_then_denied(scene: Scene) -> None:
    session = scene.session()
    listed(scene, tool("dump"), session=session)
    refused(scene, "dump", FORBIDDEN, session)


@spares(EXPOSED)
def a_list_for_a_signer_and_one_for_a_token(scene: Scene) -> None:
    scene.whole(ask(1, "tools/list"), result(1, {"tools": [DUMP]}), scene.session())
    listed(scene, DUMP, session=scene.session("other"), principal=principal())


@spares(EXPOSED)
def a_list_without_anything_special(scene: Scene) -> None:
    listed(scene, READ, tool("write"), tool("search", accessLevel="public"), session=scene.session())


@spares(EXPOSED)
def a_tool_that_destroys_where_nobody_signs(scene: Scene) -> None:
    with_terms(scene, upstreams={"files": Terms(signatures=Signatures.OFF)})
    listed(scene, READ, PURGE, session=scene.session())


@spares(EXPOSED)
def a_tool_that_the_policy_has_for_guests(scene: Scene) -> None:
    with_terms(scene, {("files", "dump"): Terms(roles=tuple(Role))})
    listed(scene, DUMP, session=scene.session())


@spares(EXPOSED)
def a_list_for_a_cookie_and_one_for_a_key_of_the_api(scene: Scene) -> None:
    for name in ("cookie", "x-api-key"):
        exchange = withhold(scene, name, of=ask(1, "tools/list"))
        scene.answer(exchange, result(1, {"tools": [DUMP]}))


@spares(EXPOSED)
def a_list_for_a_signature_that_nobody_here_can_check(scene: Scene) -> None:
    listed(scene, DUMP, verdict=judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED))


@spares(EXPOSED)
def a_denial_that_is_about_the_arguments(scene: Scene) -> None:
    session = scene.session()
    listed(scene, READ, session=session)
    refused(scene, "read", "Access denied: /srv/private is outside of the allowed folders", session)


@spares(EXPOSED)
def a_denial_of_what_was_never_listed(scene: Scene) -> None:
    session = scene.session()
    listed(scene, READ, session=session)
    refused(scene, "dump", FORBIDDEN, session)


@fires(FILTERING)
def the_same_list_for_a_guest_and_a_user(scene: Scene) -> None:
    listed(scene, READ, DUMP, session=scene.session())
    listed(scene, READ, DUMP, session=scene.session("other"), principal=principal())


@fires(FILTERING)
def the_same_list_and_a_tool_that_one_was_denied(scene: Scene) -> None:
    refused(scene, "read", 'Forbidden: tool "read" requires authentication')
    listed(scene, READ)
    listed(scene, READ, principal=principal())


@fires(FILTERING)
def the_same_list_for_two_roles_of_the_policy(scene: Scene) -> None:
    with_terms(scene, {("files", "read"): Terms(roles=(Role.ADMIN,))})
    scene.whole(ask(1, "tools/list"), result(1, {"tools": [READ]}), scene.session())
    listed(scene, READ, principal=principal())


@spares(FILTERING)
def a_longer_list_for_users(scene: Scene) -> None:
    listed(scene, READ)
    listed(scene, READ, DUMP, principal=principal())
    listed(scene, READ)


@spares(FILTERING)
def the_same_list_where_all_is_for_all(scene: Scene) -> None:
    listed(scene, READ, PURGE)
    listed(scene, READ, PURGE, principal=principal())


@spares(FILTERING)
def the_same_list_for_two_users_and_of_two_servers(scene: Scene) -> None:
    listed(scene, DUMP, principal=principal("ann"))
    listed(scene, DUMP, principal=principal("bob"))
    listed(scene, DUMP, upstream="other")


@spares(FILTERING)
def pages_that_agree_by_chance(scene: Scene) -> None:
    listed(scene, READ, DUMP, more="2")
    listed(scene, tool("write"), cursor="2")
    listed(scene, READ, DUMP, principal=principal())
    listed(scene, tool("write"), RESET, cursor="2", principal=principal("bob"))
    listed(scene, tool("write"), RESET)
