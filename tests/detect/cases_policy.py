"""Traffic for the policy rules, and for the identity rules where a policy asks for more."""

import msgspec
from registry import fires, spares
from rpc import ask, call, note
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, principal, signer, verified

from mcpwatch.model.entries import Json
from mcpwatch.model.identity import Covered, SignatureState, Verdict, Word
from mcpwatch.model.traffic import CallState
from mcpwatch.policy.members import Members, Role
from mcpwatch.policy.policy import Policy
from mcpwatch.policy.terms import Signatures, Terms

ALICE = Members(identities=(signer("alice").id,))
ONLY_ALICE = Policy(upstreams={"files": Terms(members=ALICE)})
ADMINS_DELETE = Policy(
    roles={Role.ADMIN: Members(principals=("https://login.example root",)), Role.USER: ALICE},
    tools={("files", "delete_*"): Terms(roles=(Role.ADMIN,))},
)


def under(scene: Scene, policy: Policy) -> Scene:
    scene.engine.follow(policy)
    return scene


def signed(age: float, scene: Scene, *coverage: Covered) -> Verdict:
    return msgspec.structs.replace(verified("alice", *coverage), signed_at=scene.now - age)


def waiting(name: str = "alice") -> Verdict:
    return msgspec.structs.replace(judged(Word.NO_CHECK, name, SignatureState.UNRESOLVABLE), waiting=True)


@fires("policy/not-permitted")
def a_signer_who_is_not_listed(scene: Scene) -> None:
    under(scene, ONLY_ALICE).request(call(1, "read"), verdict=verified("mallory"))


@fires("policy/not-permitted")
def nobody_in_particular_where_only_alice_may(scene: Scene) -> None:
    under(scene, ONLY_ALICE).request(ask(1, "tools/list"), verdict=UNSIGNED)


@fires("policy/not-permitted")
def somebody_who_only_claims_to_be_alice(scene: Scene) -> None:
    under(scene, ONLY_ALICE).request(call(1, "read"), verdict=judged(Word.BAD_SIG, "alice"))


@fires("policy/not-permitted")
def a_user_who_deletes(scene: Scene) -> None:
    under(scene, ADMINS_DELETE).request(call(1, "delete_all"), verdict=verified("alice"))


@fires("policy/not-permitted")
def a_guest_who_deletes_in_a_batch(scene: Scene) -> None:
    under(scene, ADMINS_DELETE).request(call(1, "read"), call(2, "delete_all"), verdict=UNSIGNED)


@fires("policy/not-permitted")
def a_call_that_wants_no_answer(scene: Scene) -> None:
    under(scene, ADMINS_DELETE).request(note("tools/call", {"name": "delete_all"}), verdict=verified("alice"))


@fires("policy/not-permitted")
def an_unsigned_token_of_an_admin(scene: Scene) -> None:
    root = msgspec.structs.replace(principal("root"), algorithm="none")
    under(scene, ADMINS_DELETE).request(call(1, "delete_all"), verdict=UNSIGNED, principal=root)


@fires("policy/not-permitted")
def a_signer_whose_key_came_later(scene: Scene) -> None:
    exchange = under(scene, ONLY_ALICE).request(call(1, "read"), verdict=waiting("mallory"))
    scene.judge_again(exchange, verified("mallory"))


@spares("policy/not-permitted")
def alice_whose_key_came_later(scene: Scene) -> None:
    exchange = under(scene, ONLY_ALICE).request(call(1, "read"), verdict=waiting())
    scene.judge_again(exchange, verified("alice"))


@spares("policy/not-permitted")
def who_may(scene: Scene) -> None:
    under(scene, ONLY_ALICE).request(call(1, "read"), verdict=verified("alice"))
    scene.request(call(2, "read"), verdict=verified("mallory"), upstream="mail")
    under(scene, ADMINS_DELETE).request(call(3, "read"), verdict=verified("alice"))
    scene.request(call(4, "delete_all"), verdict=UNSIGNED, principal=principal("root"))


@spares("policy/not-permitted", "identity/unsigned-call")
def a_handshake_of_anybody(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(Signatures.REQUIRED, members=ALICE)))
    open_session(scene, scene.session(), verdict=UNSIGNED)
    scene.request(note("notifications/initialized"), verdict=UNSIGNED)


@spares("policy/not-permitted")
def an_unsigned_call_that_the_identity_rules_tell_of(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(Signatures.REQUIRED, members=ALICE))).request(
        call(1, "read"), verdict=UNSIGNED
    )


@spares("policy/not-permitted")
def anybody_without_a_policy(scene: Scene) -> None:
    scene.request(call(1, "delete_all"), verdict=UNSIGNED)


def refusal(rule: str) -> Json:
    error = {"code": -32001, "message": "denied by the policy: read twice", "data": {"rule": rule, "entry": 0}}
    return {"jsonrpc": "2.0", "id": 1, "error": error}


@fires("policy/unreadable-call")
def a_call_that_the_gateway_cannot_read(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"))
    scene.response(exchange, 403)
    scene.answer(exchange, refusal("policy/unreadable-call"), state=CallState.DENIED)
    scene.end(exchange, rule="policy/unreadable-call", reason="denied by the policy: read twice")


@spares("policy/unreadable-call")
def a_call_that_the_gateway_refuses_for_another_reason(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"))
    scene.answer(exchange, refusal("identity/unsigned-call"), state=CallState.DENIED)
    scene.end(exchange, rule="identity/unsigned-call")


@spares("policy/unreadable-call", "policy/not-permitted")
def a_server_that_speaks_as_a_gateway_does(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"))
    scene.answer(exchange, refusal("policy/unreadable-call"), state=CallState.DENIED)
    scene.end(exchange)


@fires("identity/unsigned-call")
def a_stream_that_the_gateway_refuses(scene: Scene) -> None:
    exchange = scene.request(method="GET", verdict=UNSIGNED)
    scene.end(exchange, rule="identity/unsigned-call", reason="denied by the policy: a signature is required")


@fires("policy/not-permitted")
def a_call_that_the_gateway_refuses_by_a_policy_that_is_not_here(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), verdict=UNSIGNED)
    scene.end(exchange, rule="policy/not-permitted", reason="denied by the policy: its role is guest")


@fires("identity/body-not-covered")
def a_signature_that_leaves_out_what_the_policy_of_the_gateway_alone_wants(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), session=scene.session())
    scene.end(exchange, rule="identity/body-not-covered", reason="denied by the policy: it leaves out: session")


@fires("identity/stale")
def a_signature_that_was_too_old_by_the_policy_at_the_time(scene: Scene) -> None:
    exchange = under(scene, Policy(everywhere=Terms(max_age=300.0))).request(
        call(1, "read"), verdict=signed(31.0, scene)
    )
    scene.end(exchange, rule="identity/stale", reason="denied by the policy: 30 s are allowed")


@fires("identity/unsigned-call")
def an_unsigned_call_refused_that_this_policy_lets_pass(scene: Scene) -> None:
    exchange = under(scene, Policy(everywhere=Terms(Signatures.OFF))).request(call(1, "read"), verdict=UNSIGNED)
    scene.end(exchange, rule="identity/unsigned-call", reason="denied by the policy: a signature is required")


@fires("identity/wrong-key")
def a_session_that_belonged_to_another_before_this_log_began(scene: Scene) -> None:
    exchange = scene.request(call(1, "read"), session=scene.session())
    scene.end(exchange, rule="identity/wrong-key", reason="denied by the policy: the session belongs to another signer")


@spares("feed/broken", "discovery/bypass")
def a_gateway_that_names_a_rule_which_nothing_is_refused_by(scene: Scene) -> None:
    scene.end(scene.request(call(1, "read")), rule="feed/broken", reason="denied by the policy")
    scene.end(scene.request(call(2, "read")), rule="discovery/bypass", reason="denied by the policy")


@spares("policy/not-permitted")
def what_the_gateway_refuses_and_other_rules_tell_of(scene: Scene) -> None:
    scene.end(scene.request(call(1, "read"), verdict=UNSIGNED), rule="identity/unsigned-call")
    stream = scene.request(method="GET", verdict=judged(Word.BAD_SIG, "alice"))
    scene.end(stream, rule="identity/bad-signature")


@spares("identity/unsigned-call", "identity/cannot-check")
def calls_where_nobody_asks_for_signatures(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(Signatures.OFF)))
    scene.request(call(1, "read"), verdict=UNSIGNED)
    scene.request(call(2, "read"), verdict=judged(Word.NO_CHECK, signature=SignatureState.UNSUPPORTED))


@fires("identity/unsigned-call")
def an_unsigned_call_of_the_one_tool_that_expects_a_signature(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(Signatures.OFF), tools={("files", "delete_*"): Terms()}))
    scene.request(call(1, "read"), verdict=UNSIGNED)
    scene.request(call(2, "delete_all"), verdict=UNSIGNED)


@fires("identity/body-not-covered")
def a_signature_without_the_session_id_that_the_policy_wants(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(covers=(Covered.BODY, Covered.SESSION))))
    scene.request(call(1, "read"), session=scene.session())


@spares("identity/body-not-covered")
def a_signature_that_covers_what_the_policy_wants(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(covers=(Covered.TIME, Covered.SESSION, Covered.TOKEN))))
    scene.request(call(1, "read"), verdict=verified("alice", Covered.TIME, word=Word.PARTIAL))
    scene.request(call(2, "read"), session=scene.session(), verdict=verified("alice", Covered.TIME, Covered.SESSION))


@fires("identity/stale")
def a_signature_older_than_the_policy_allows(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(max_age=30.0))).request(call(1, "read"), verdict=signed(31.0, scene))


@fires("identity/stale")
def a_signature_that_does_not_say_when_where_the_policy_asks(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(max_age=30.0))).request(call(1, "read"))


@spares("identity/stale")
def a_signature_as_old_as_the_policy_allows(scene: Scene) -> None:
    under(scene, Policy(everywhere=Terms(max_age=30.0))).request(call(1, "read"), verdict=signed(29.0, scene))
    scene.request(note("notifications/initialized"), verdict=signed(200.0, scene))
    under(scene, Policy()).request(call(2, "read"), verdict=signed(200.0, scene))
