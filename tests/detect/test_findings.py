"""What findings say: subject, evidence and reason."""

import cases_identity
import cases_keys
import cases_session
import cases_traffic
import pytest
from msgspec.structs import replace
from rpc import ask, call, error, modern_headers, result, tool
from rule_scene import UNSIGNED, Scene, open_session
from verdicts import judged, principal, signer, verified

from mcpwatch.detect.phrases import named
from mcpwatch.detect.rules.tool_changed import DefinitionChanged
from mcpwatch.model.alerts import Finding, Severity
from mcpwatch.model.feed import FeedState, Gap
from mcpwatch.model.identity import Covered, KeyState, Word
from mcpwatch.model.tools import Tool, ToolChange
from mcpwatch.model.traffic import Binding, CallState, Observation


def only(scene: Scene, rule: str) -> Finding:
    found = scene.of(rule)
    assert len(found) == 1
    return found[0]


def test_unsigned_calls_of_one_client_are_one_subject_over_all_its_sessions() -> None:
    scene = Scene()
    for id in range(3):
        session = scene.session(f"files/5e5{id}")
        session.client_name = "agent 1.0"
        scene.request(call(id, "read"), session=session, verdict=UNSIGNED)
    found = scene.of("identity/unsigned-call")
    assert [finding.subject for finding in found] == ["agent 1.0 at files"] * 3
    assert [finding.evidence for finding in found] == [(0,), (1,), (2,)]
    assert [finding.session for finding in found] == ["files/5e50", "files/5e51", "files/5e52"]
    assert found[0].reason == 'tools/call "read" came without a signature.'
    assert found[2].reason == 'tools/call "read" came without a signature; 3 sessions so far.'
    assert found[0].call == "0"


def test_unsigned_calls_are_told_apart_by_who_makes_them_and_where() -> None:
    scene = Scene()
    session = scene.session()
    session.client_name = "agent 1.0"
    scene.request(call(1, "read"), session=session, verdict=UNSIGNED, principal=principal("ann"))
    scene.request(call(2, "read"), session=session, verdict=UNSIGNED)
    scene.request(call(3, "read"), verdict=UNSIGNED, peer="192.0.2.7:1")
    scene.request(call(4, "read"), verdict=UNSIGNED, upstream="mail")
    subjects = [finding.subject for finding in scene.of("identity/unsigned-call")]
    assert subjects[0].startswith("@ann")
    assert subjects[1:] == ["agent 1.0 at files", "192.0.2.7 at files", "loopback at mail"]


def test_an_unsigned_batch_counts_once() -> None:
    scene = Scene()
    scene.request(call(1, "read"), call(2, "write"), verdict=UNSIGNED)
    assert only(scene, "identity/unsigned-call").subject == "loopback at files"


def test_an_unsigned_call_in_a_bound_session_says_so() -> None:
    scene = Scene()
    session = scene.session()
    session.binding = Binding(signer("alice"), since=0)
    scene.request(call(1, "read"), session=session, verdict=UNSIGNED)
    reason = only(scene, "identity/unsigned-call").reason
    assert reason.startswith('tools/call "read" came without a signature, though the session is bound to did:key:z6Mk')


def test_a_header_in_place_of_a_signature_hides_nobody_among_those_who_send_it_too() -> None:
    scene = Scene()
    session = scene.session()
    session.client_name = "agent 1.0"
    verdict = cases_identity.unchecked("hmac")
    open_session(scene, session, verdict=verdict)
    scene.request(call(1, "read"), session=session, verdict=verdict)
    scene.request(call(2, "read"), verdict=verdict, peer="192.0.2.7:1")
    bound = scene.session("b0b")
    bound.binding = Binding(signer("bob"), since=0)
    scene.request(call(3, "read"), session=bound, verdict=verdict)
    scene.request(call(4, "read"), session=session, verdict=UNSIGNED)
    found = scene.of("identity/cannot-check")
    bob = signer("bob")
    assert [finding.subject for finding in found] == [
        "agent 1.0 with hmac at files",
        "192.0.2.7 with hmac at files",
        f"{bob.fingerprint[:8]} {bob.id}, unchecked, with hmac at files",
    ]
    assert found[0].reason.startswith(
        'tools/call "read" came with hmac and without a signature that can be checked: an'
    )
    assert f"though the session is bound to {named(bob)}" in found[2].reason
    assert {finding.severity for finding in found} == {only(scene, "identity/unsigned-call").severity}


def test_wrong_key_names_both_signers_and_shows_what_bound_the_session() -> None:
    scene = Scene()
    cases_identity.mallory_in_the_session_of_alice(scene)
    found = only(scene, "identity/wrong-key")
    mallory, alice = signer("mallory").id, signer("alice").id
    assert found.evidence == (0, 1)
    assert found.subject == f"5e55 at files by {signer('mallory').fingerprint[:8]} {mallory}"
    assert found.reason == (
        f"A request signed in the name of {mallory[:14]}…{mallory[-6:]} "
        f"came in a session bound to {alice[:14]}…{alice[-6:]}."
    )


def test_a_bad_signature_gives_the_reason_of_the_verdict() -> None:
    scene = Scene()
    scene.request(call(1, "read"), verdict=judged(Word.BAD_SIG, "alice"))
    found = only(scene, "identity/bad-signature")
    assert found.subject == f"{signer('alice').fingerprint[:8]} {signer('alice').id} at files"
    assert found.reason.endswith("does not fit the request: made up.")


def test_one_alert_for_each_signer_and_upstream() -> None:
    scene = Scene()
    partial = verified("alice", word=Word.PARTIAL)
    scene.request(call(1, "read"), verdict=partial, session=scene.session("one"))
    scene.request(call(1, "read"), verdict=partial, session=scene.session("two"))
    scene.request(call(1, "read"), verdict=partial, upstream="mail")
    scene.request(call(1, "read"), verdict=verified("bob", word=Word.PARTIAL))
    subjects = [finding.subject for finding in scene.of("identity/body-not-covered")]
    assert len(subjects) == 4
    assert len(set(subjects)) == 3


def test_a_replay_shows_both_requests() -> None:
    scene = Scene()
    cases_identity.the_same_request_twice_in_one_session(scene)
    found = only(scene, "identity/replayed")
    assert found.evidence == (0, 1)
    alice = named(signer("alice"))
    assert found.reason == f"Request 0 in the name of {alice} was sent again in session 5e55."
    scene = Scene()
    cases_identity.a_request_again_at_another_server(scene)
    found = only(scene, "identity/cross-session-replay")
    assert found.evidence == (0, 1)
    assert found.reason == f"Request 0 in the name of {alice} (at files) was sent again at mail."
    scene = Scene()
    cases_identity.a_request_again_through_another_gateway(scene)
    found = only(scene, "identity/cross-session-replay")
    assert found.evidence == (1,)
    assert found.reason == f"Request 0 in the name of {alice} (on other) was sent again on gateway."
    scene = Scene()
    cases_identity.a_request_of_alice_again_in_the_session_of_bob(scene)
    found = only(scene, "identity/cross-session-replay")
    assert found.reason == f"Request 0 in the name of {alice} (session a11ce) was sent again in session b0b."
    assert found.subject.startswith("b0b at files: ")


def test_a_judgement_anew_repeats_nothing_but_what_the_verdict_says() -> None:
    scene = Scene()
    session = scene.session()
    session.listed_tools.add("read")
    exchange = scene.request(call(1, "write"), session=session, verdict=cases_identity.waiting())
    assert len(scene.of("discovery/unlisted-tool")) == 1
    scene.judge_again(exchange, judged(Word.BAD_SIG, "alice"))
    assert len(scene.of("discovery/unlisted-tool")) == 1
    assert len(scene.of("identity/bad-signature")) == 1


def test_an_anonymous_session_is_told_by_upstream_and_claim() -> None:
    scene = Scene()
    cases_session.a_session_for_anybody(scene)
    found = only(scene, "session/anonymous")
    assert found.subject == '"agent 1.0" at files'
    assert found.session == "5e55"
    assert found.evidence == (0, 2)


def test_a_shared_session_shows_where_it_began_and_each_request_from_elsewhere() -> None:
    scene = Scene()
    session = scene.session()
    scene.request(call(1, "read"), session=session)
    for id in (2, 3):
        scene.request(call(id, "read"), session=session, peer="192.0.2.7:1", agent="curl/8")
    first, second = scene.of("session/shared")
    assert (first.evidence, second.evidence) == ((0, 1), (0, 2))
    assert first.reason == (
        'The session came from loopback, now from 192.0.2.7 and with "agent/1.0", now with "curl/8".'
    )


def test_a_changed_token_names_both_owners() -> None:
    scene = Scene()
    cases_session.a_token_of_somebody_else(scene)
    found = only(scene, "session/token-subject-changed")
    assert found.reason == (
        'The session came with the token of "ann" of https://login.example, '
        'now with the token of "bob" of https://login.example.'
    )
    assert found.evidence == (0, 4)


def test_probing_shows_each_denial_and_goes_on_counting() -> None:
    scene = Scene()
    session = scene.session()
    cases_traffic.deny(scene, session, "a", "b", "c", "d")
    first, second = scene.of("discovery/permission-probing")
    assert first.evidence == (2, 6, 10)
    assert second.evidence == (2, 6, 10, 14)
    assert first.reason == 'Denied 3 different targets within 60 s, last "a", "b" and "c".'
    assert second.reason == 'Denied 4 different targets within 60 s, last "b", "c" and "d".'


def test_probing_remembers_no_more_than_it_needs() -> None:
    scene = Scene()
    session = scene.session()
    cases_traffic.deny(scene, session, *(f"tool {number}" for number in range(300)))
    assert len(scene.of("discovery/permission-probing")[-1].evidence) <= 64


def test_a_changed_definition_names_the_fields() -> None:
    scene = Scene()
    cases_traffic.listed(scene, tool("read", "One", title="T"))
    cases_traffic.listed(scene, tool("read", "Two", annotations={}))
    found = only(scene, "tool/definition-changed")
    assert found.subject == "read at files"
    assert found.reason == (
        'description, title and annotations of "read" changed: description "One" → "Two"; first listed by entry 2.'
    )
    assert found.evidence == (2, 6)


def test_a_changed_definition_whose_predecessor_is_not_held_says_so() -> None:
    back = Tool("files", "read", tool("read", "Two"), digest="", first_seen=2, last_seen=6, changed=1)
    changed = Observation(6, "", 0.0, "message", tools=(ToolChange(back, is_new=False, is_changed=True),))
    (found,) = DefinitionChanged().observe(changed)
    assert found.reason == (
        '"read" comes back changed; of the definition before, only the digest is still held; first listed by entry 2.'
    )


def test_escapes_in_definitions_and_in_results_are_two_subjects() -> None:
    scene = Scene()
    cases_traffic.listed(scene, tool("read", "\x1b[2J", inputSchema={"title": "\x07"}))
    scene.whole(call(2, "read"), {"id": 2, "result": {"content": [{"text": "\x1b]0;x\x07"}]}})
    definition, answer = scene.of("tool/terminal-escapes")
    assert definition.subject == "read at files"
    assert definition.reason == ('"read" holds U+001B ESC and U+0007 BEL; in its description and inputSchema.title.')
    assert answer.subject == "read results at files"
    assert answer.reason == 'What "read" sent holds U+001B ESC and U+0007 BEL.'


@pytest.mark.parametrize(
    "content",
    ["10%\r20%", "bold\bb", "\x1b[41mFAIL\x1b[0m", "\x1b[Kdone", "It\x92s read as another charset", "\x00\x01\x07"],
)
def test_what_meters_and_wrong_charsets_leave_in_results_is_low(content: str) -> None:
    scene = Scene()
    scene.whole(call(2, "build"), {"id": 2, "result": {"content": [{"text": content}]}})
    assert only(scene, "tool/terminal-escapes").severity is Severity.LOW


def test_an_unchanged_definition_is_told_once() -> None:
    scene = Scene()
    for _ in range(3):
        cases_traffic.listed(scene, tool("read", "\u200b\x1b"))
    assert len(scene.of("tool/terminal-escapes")) == 1
    assert len(scene.of("tool/hidden-characters")) == 1


def test_tags_are_read_out() -> None:
    scene = Scene()
    cases_traffic.a_message_in_tags(scene)
    reason = only(scene, "tool/hidden-characters").reason
    assert "holds 10 characters such as U+E0073 TAG LATIN SMALL LETTER S, U+E0065" in reason
    assert 'which spell "send it on"; in its title.' in reason


def test_a_mismatch_says_both_sides_once() -> None:
    scene = Scene()
    body = call(1, "spawn")
    cases_traffic.ask_modern(scene, body, {**modern_headers(body), "mcp-name": "read"})
    exchange = scene.requests[0].exchange
    assert exchange is not None
    scene.answer(exchange, error(1, -32020, "no"), state=CallState.RPC_ERROR, code=-32020, text="no")
    found = only(scene, "protocol/header-mismatch")
    assert found.reason == 'Mcp-Name says "read", the body "spawn".'


def test_a_header_that_came_twice_is_a_mismatch_even_if_both_agree() -> None:
    scene = Scene()
    body = call(1, "read")
    headers = (*modern_headers(body).items(), ("mcp-name", "read"))
    scene.request(body, headers=headers)
    assert only(scene, "protocol/header-mismatch").reason == "Mcp-Name came 2 times."


def test_names_of_any_length_make_short_findings() -> None:
    scene = Scene()
    session = scene.session()
    session.listed_tools.add("read")
    scene.request(call(1, "x" * 100_000), session=session)
    cases_traffic.listed(scene, tool("\x1b" + "y" * 100_000), tool("\x1b" + "y" * 100_001))
    assert all(len(finding.subject) <= 300 and len(finding.reason) <= 800 for finding in scene.findings)
    assert len({finding.subject for finding in scene.of("tool/terminal-escapes")}) == 2


def test_the_end_of_a_session_is_the_first_delete() -> None:
    scene = Scene()
    session = scene.session()
    for _ in range(2):
        scene.response(scene.request(method="DELETE", session=session), 204, session)
    scene.whole(call(1, "read"), result(1), session)
    found = only(scene, "session/used-after-delete")
    assert found.evidence == (1, 4, 6)
    assert found.reason == "The session was ended at entry 1, and tools/call was answered after that."


def test_a_feed_that_stays_bad_is_told_once_until_it_was_good_again() -> None:
    scene = Scene()
    scene.feed(FeedState.STALE, FeedState.DISCONNECTED, FeedState.CONNECTING, overdue=True)
    scene.feed(FeedState.LIVE)
    scene.feed(FeedState.DISCONNECTED, detail="connection refused", overdue=True)
    scene.feed(FeedState.BROKEN, FeedState.BROKEN, detail="two roots for size 7")
    first, second = scene.of("feed/stale")
    assert first.reason == "No fresh checkpoint came for 15 s; the feed is STALE."
    assert second.reason == "No fresh checkpoint came for 15 s; the feed is DISCONNECTED: connection refused."
    found = only(scene, "feed/broken")
    assert (found.subject, found.evidence, found.newest) == ("gateway", (), 9)
    assert found.reason == "The log is BROKEN: two roots for size 7."


def test_a_gap_shows_its_edges() -> None:
    scene = Scene()
    scene.feed(FeedState.GAP, gaps=(Gap(0, 4, "joined late"), Gap(7, 8, "past retention")))
    first, second = scene.of("feed/gap")
    assert (first.evidence, second.evidence) == ((5,), (6, 9))
    assert second.reason == "Entries 7 to 8 are missing: past retention."


def test_a_key_in_two_places_shows_both() -> None:
    scene = Scene()
    cases_keys.one_key_in_two_programs_in_two_places_at_once(scene)
    (finding,) = scene.of("identity/shared-key")
    assert finding.evidence == (0, 1, 2)
    assert 'from 192.0.2.7 with "other/2.0"' in finding.reason


def test_each_further_key_of_a_session_is_told_once() -> None:
    scene = Scene()
    cases_keys.a_session_that_goes_on_with_another_key(scene)
    session = scene.requests[0].session
    for number in range(3):
        verdict = cases_keys.by(cases_keys.aged(cases_keys.NEW, KeyState.CURRENT))
        scene.request(call(number, "read"), session=session, verdict=verdict)
    (finding,) = scene.of("identity/key-rotated-mid-session")
    assert finding.evidence == (0, 1)
    assert cases_keys.OLD in finding.reason and cases_keys.NEW in finding.reason


def test_a_weak_signer_is_one_subject_for_each_scheme_wherever_it_calls() -> None:
    scene = Scene()
    weak = verified("alice", Covered.BODY, Covered.TIME)
    for upstream in ("files", "mail"):
        for scheme in ("aip", "rfc9421"):
            scene.request(call(1, "read"), verdict=replace(weak, scheme=scheme), upstream=upstream)
    assert len({finding.subject for finding in scene.of("identity/weak-replay-protection")}) == 2


def test_a_handshake_with_a_stolen_id_changes_nothing_for_the_owner() -> None:
    scene = Scene()
    session = scene.session()
    open_session(scene, session, principal=principal("ann"))
    exchange = scene.request(ask(0, "initialize"), session=session, principal=principal("bob"))
    scene.answer(exchange, error(0, -32001, "no"), session=session, state=CallState.RPC_ERROR)
    scene.request(call(1, "read"), session=session, principal=principal("ann"))
    (finding,) = scene.of("session/token-subject-changed")
    assert finding.evidence == (0, exchange.index)


def test_a_bad_signature_beside_a_good_one_names_both() -> None:
    scene = Scene()
    cases_keys.a_forged_signature_beside_a_good_one(scene)
    (finding,) = scene.of("identity/bad-signature-beside-good")
    assert signer("mallory").id in finding.subject and signer("alice").id in finding.subject
    assert finding.reason.endswith("does not hold: BAD SIG: made up.")


def test_a_bad_proof_shows_the_request_and_the_answer() -> None:
    scene = Scene()
    cases_keys.an_answer_that_was_changed(scene)
    (finding,) = scene.of("identity/bad-server-proof")
    assert finding.evidence == (0, 1)


def test_a_signature_that_leaves_out_the_body_tells_what_it_covers_of_the_call_and_no_other_reason() -> None:
    scene = Scene()
    partial = replace(verified("alice", Covered.METHOD, word=Word.PARTIAL), reasons=("nobody vouches for the key",))
    scene.request(call(1, "read"), verdict=partial)
    scene.request(call(2, "read"), verdict=replace(partial, coverage=(Covered.ARGUMENTS, Covered.MCP)))
    whole, arguments = (finding.reason for finding in scene.of("identity/body-not-covered"))
    assert whole == f"The valid signature by {named(signer('alice'))} leaves out the body."
    assert arguments.endswith("leaves out the body: only the tool and its arguments are signed.")
