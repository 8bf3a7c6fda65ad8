"""Traffic for the rule on who may use a tool."""

from cases_discovery_roles import DUMP, FORBIDDEN, PURGE, READ, listed, refused, used, with_terms
from msgspec.structs import replace
from registry import fires, spares
from rpc import call, note, result, text
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, principal

from mcpwatch.model.identity import SignatureState, Word
from mcpwatch.model.traffic import CallState
from mcpwatch.policy.policy import Role, Terms

ADMIN_TOOL = "discovery/admin-tool-by-guest"


@fires(ADMIN_TOOL)
def a_guest_gets_what_is_for_administrators(scene: Scene) -> None:
    session = scene.session()
    listed(scene, DUMP, session=session)
    used(scene, "dump", session=session)


@fires(ADMIN_TOOL)
def a_guest_in_a_session_that_somebody_else_opened(scene: Scene) -> None:
    session = scene.session()
    open_session(scene, session, principal=principal("root"), verdict=UNSIGNED)
    listed(scene, DUMP, session=session, principal=principal("root"))
    used(scene, "dump", session=session)


@fires(ADMIN_TOOL)
def a_guest_with_a_token_that_is_not_signed(scene: Scene) -> None:
    listed(scene, DUMP)
    used(scene, "dump", principal=replace(principal("root"), algorithm="None"))


@fires(ADMIN_TOOL)
def a_user_where_the_policy_knows_the_administrators(scene: Scene) -> None:
    with_terms(scene)
    listed(scene, DUMP)
    used(scene, "dump", principal=principal("bob"))


@fires(ADMIN_TOOL)
def a_user_where_the_policy_wants_an_administrator(scene: Scene) -> None:
    with_terms(scene, {("files", "read"): Terms(roles=(Role.ADMIN,))})
    used(scene, "read", principal=principal("bob"))


@fires(ADMIN_TOOL)
def a_guest_who_leaves_before_the_end(scene: Scene) -> None:
    listed(scene, DUMP)
    exchange = scene.request(call(2, "dump"), verdict=UNSIGNED)
    scene.response(exchange)
    for each in exchange.calls:
        each.messages = 1
    scene.push(exchange, note("notifications/partial_output", {"text": "settings"}))
    scene.answer(exchange, state=CallState.CANCELLED)


@spares(ADMIN_TOOL)
def a_guest_is_denied(scene: Scene) -> None:
    listed(scene, DUMP)
    refused(scene, "dump", FORBIDDEN)
    used(scene, "dump", result(2, text("Forbidden: requires admin role")))
    used(scene, "dump", result(2, text("broken", is_error=True)), state=CallState.TOOL_ERROR)


@spares(ADMIN_TOOL)
def somebody_named_where_nobody_says_who_is_an_administrator(scene: Scene) -> None:
    listed(scene, DUMP)
    used(scene, "dump", principal=principal("root"))
    scene.whole(call(2, "dump"), result(2, text("done")))


@spares(ADMIN_TOOL)
def an_administrator_by_the_policy(scene: Scene) -> None:
    with_terms(scene, {("files", "read"): Terms(roles=(Role.ADMIN,))})
    listed(scene, DUMP)
    scene.whole(call(2, "dump"), result(2, text("done")))
    scene.whole(call(2, "read"), result(2, text("done")))


@spares(ADMIN_TOOL)
def a_signer_whose_key_is_still_looked_up(scene: Scene) -> None:
    listed(scene, DUMP)
    waiting = replace(judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED), waiting=True)
    used(scene, "dump", verdict=waiting)


@spares(ADMIN_TOOL)
def a_tool_that_destroys_and_one_that_is_for_all(scene: Scene) -> None:
    listed(scene, READ, PURGE)
    used(scene, "read")
    used(scene, "purge")


@spares(ADMIN_TOOL)
def a_tool_that_was_made_for_all_since(scene: Scene) -> None:
    listed(scene, DUMP)
    listed(scene, {**DUMP, "accessLevel": "public"})
    used(scene, "dump")
