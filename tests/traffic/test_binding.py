"""Which signer a session belongs to, and what happens when another comes."""

import pytest
from build import Log
from folding import Folded, fold
from msgspec.structs import replace
from rpc import ask, call, modern, note, result, tool
from verdicts import judged, principal, signer, unsigned, verified

from mcpwatch.model.entries import Entry
from mcpwatch.model.identity import Covered, SignatureState, Strength, Verdict, Word
from mcpwatch.model.traffic import Binding, SessionKind
from mcpwatch.traffic.fold import Traffic

ALICE = verified("alice")
MALLORY = verified("mallory")
COVERED = verified("alice", Covered.METHOD, Covered.TARGET, Covered.BODY, Covered.SESSION)
WAITING = replace(judged(Word.UNKNOWN_KEY, "alice", SignatureState.UNRESOLVABLE), waiting=True)


def session_of(*verdicts: Verdict, opened_by: Verdict | None = None) -> tuple[Folded, list[Entry]]:
    """A legacy session whose requests after the handshake have these verdicts."""
    log = Log()
    handshake = log.initialize("s1")
    asked = [log.request(call(number, "x"), session="s1") for number in range(1, len(verdicts) + 1)]
    chosen = {entry.index: verdict for entry, verdict in zip(asked, verdicts, strict=True)}
    if opened_by is not None:
        chosen |= {handshake[0].index: opened_by, handshake[4].index: opened_by}
    return fold(log, chosen), asked


def test_the_first_verified_signer_binds() -> None:
    folded, asked = session_of(unsigned(), judged(Word.BAD_SIG, "mallory"), ALICE)
    (session,) = folded.sessions
    assert session.binding == Binding(signer("alice"), Strength.EACH, asked[2].index)
    assert (session.signed, session.requests) == (1, 5)


@pytest.mark.parametrize("ending", ["deleted", "lost"])
def test_an_id_that_is_given_out_again_after_its_end_is_bound_anew(ending: str) -> None:
    log = Log()
    log.initialize("s1", client="first")
    if ending == "deleted":
        log.exchange(None, method="DELETE", session="s1")
    else:
        log.exchange(call(1, "x"), status=404, session="s1")
    second = log.next
    log.initialize("s1", client="second")
    asked, *_ = log.exchange(call(1, "x"), result(1), session="s1")
    folded = fold(log, {entry.index: ALICE if entry.index < second else MALLORY for entry in log.entries})
    (session,) = folded.sessions
    assert session.binding.signer == signer("mallory")
    assert (session.client_name, session.requests) == ("second 1.0", 3)
    assert folded.at(asked).verdict == MALLORY
    assert folded.at(asked).rebound is None


def test_an_initialize_in_a_session_that_is_alive_is_held_against_its_signer() -> None:
    log = Log()
    handshake = log.initialize("s1")
    stolen, *_ = log.exchange(ask(9, "initialize"), result(9), session="s1")
    batch, *_ = log.exchange([note("initialize"), call(5, "x")], result(5), session="s1")
    folded = fold(log, {handshake[0].index: ALICE, stolen.index: MALLORY, batch.index: MALLORY})
    (session,) = folded.sessions
    for seen in (folded.at(stolen), folded.at(batch)):
        assert seen.session is session
        assert seen.verdict is not None
        assert seen.verdict.word is Word.WRONG_KEY
        assert seen.rebound == signer("alice")


def test_a_request_that_an_unknown_session_refuses_does_not_bind_it() -> None:
    log = Log()
    refused = log.request(call(1, "x"), session="s1")
    running = log.request(call(2, "x"), session="s1")
    log.response(refused, 403)
    log.response(running)
    asked = log.request(call(3, "x"), session="s1")
    folded = fold(log, {refused.index: MALLORY, asked.index: ALICE})
    assert [session.binding.signer for session in folded.sessions] == [signer("alice")]
    assert folded.at(asked).verdict == ALICE


def test_an_initialize_with_the_id_of_a_session_opens_the_one_that_the_server_answers_with() -> None:
    log = Log()
    log.initialize("s1")
    asked, *_ = log.exchange(ask(9, "initialize"), result(9), session="s1", opens="s2")
    folded = fold(log, ALICE)
    first, second = folded.sessions
    assert (first.requests, second.requests) == (2, 1)
    assert second.initialized_at == asked.index + 1
    assert second.binding.signer == signer("alice")


def test_a_signed_initialize_binds_the_session_it_opens() -> None:
    folded, _ = session_of(opened_by=ALICE)
    (session,) = folded.sessions
    assert session.binding == Binding(signer("alice"), Strength.EACH, 0)
    assert session.signed == 2


@pytest.mark.parametrize(
    ("verdicts", "strength"),
    [
        ((COVERED,), Strength.COVERED),
        ((COVERED, COVERED), Strength.COVERED),
        ((COVERED, ALICE), Strength.EACH),
        ((ALICE, COVERED), Strength.EACH),
        ((ALICE, ALICE), Strength.EACH),
        ((verified("alice", word=Word.PARTIAL),), Strength.EACH),
        ((ALICE, unsigned()), Strength.FIRST),
        ((COVERED, unsigned(), COVERED), Strength.FIRST),
        ((ALICE, judged(Word.BAD_SIG, "alice")), Strength.FIRST),
        ((ALICE, MALLORY), Strength.FIRST),
        ((unsigned(), unsigned()), Strength.NONE),
        ((WAITING,), Strength.NONE),
        ((ALICE, WAITING), Strength.EACH),
    ],
)
def test_the_strength_says_how_the_session_is_bound(verdicts: tuple[Verdict, ...], strength: Strength) -> None:
    folded, _ = session_of(*verdicts)
    assert folded.sessions[0].binding.strength is strength


def test_initialize_cannot_cover_a_session_id_and_does_not_weaken_the_binding() -> None:
    log = Log()
    handshake = log.initialize("s1")
    asked = log.request(call(1, "x"), session="s1")
    folded = fold(log, {handshake[0].index: ALICE, handshake[4].index: COVERED, asked.index: COVERED})
    assert folded.sessions[0].binding.strength is Strength.COVERED


def test_another_valid_signer_has_the_wrong_key() -> None:
    folded, (first, second, third) = session_of(ALICE, MALLORY, ALICE)
    (session,) = folded.sessions
    seen = folded.at(second)
    assert seen.verdict is not None
    assert (seen.verdict.word, seen.verdict.signature) == (Word.WRONG_KEY, SignatureState.VALID)
    assert signer("alice").id in seen.verdict.reasons[0]
    assert signer("mallory").id in seen.verdict.reasons[0]
    assert seen.rebound == signer("alice")
    assert seen.exchange is not None
    assert seen.exchange.verdict == seen.verdict
    assert seen.opened[0].verdict == seen.verdict
    assert session.binding.signer == signer("alice")
    assert session.signed == 2
    assert [folded.at(entry).rebound for entry in (first, third)] == [None, None]
    assert folded.at(third).verdict == ALICE


def test_a_word_that_is_bad_already_stays() -> None:
    folded, asked = session_of(ALICE, judged(Word.REPLAY, "mallory", SignatureState.VALID))
    seen = folded.at(asked[1])
    assert seen.verdict is not None
    assert (seen.verdict.word, seen.rebound) == (Word.REPLAY, None)


def test_one_key_under_two_names_and_one_name_with_two_keys_are_the_same_signer() -> None:
    alice = signer("alice")
    renamed = replace(ALICE, signer=replace(alice, id="key:" + alice.fingerprint))
    rotated = replace(ALICE, signer=replace(alice, fingerprint="another"))
    folded, asked = session_of(ALICE, renamed, rotated)
    assert [folded.at(entry).rebound for entry in asked] == [None, None, None]
    assert folded.sessions[0].binding.strength is Strength.EACH


def test_a_refreshed_token_rebinds_nothing() -> None:
    log = Log()
    log.initialize("s1", principal=principal("ann", token="t1"))
    log.request(call(1, "x"), session="s1", principal=principal("ann", token="t2"))
    folded = fold(log, ALICE)
    assert all(seen.rebound is None for seen in folded.seen)
    assert folded.sessions[0].binding == Binding(signer("alice"), Strength.EACH, 0)


def test_a_modern_session_is_its_signers_own() -> None:
    log = Log()
    first, second = (log.request(modern(call(number, "x"))) for number in (1, 2))
    other = log.request(modern(call(3, "x")))
    folded = fold(log, {first.index: ALICE, second.index: ALICE, other.index: MALLORY})
    assert [(session.kind, session.binding) for session in folded.sessions] == [
        (SessionKind.SIGNER, Binding(signer("alice"), Strength.EACH, first.index)),
        (SessionKind.SIGNER, Binding(signer("mallory"), Strength.EACH, other.index)),
    ]
    assert all(seen.rebound is None for seen in folded.seen)


def test_a_request_without_a_verdict_is_not_checked() -> None:
    log = Log()
    seen = Traffic().apply(log.request(modern(call(1, "x"))))
    assert seen.verdict is not None
    assert (seen.verdict.word, seen.verdict.reasons) == (Word.NO_CHECK, ("nothing has judged this request",))


def test_a_key_that_arrives_later_binds_as_if_it_had_been_there() -> None:
    folded, (first, second, third) = session_of(WAITING, WAITING, unsigned())
    seen = folded.traffic.rejudge(first.index, ALICE)
    assert seen is not None
    assert (seen.index, seen.kind, seen.rejudged, seen.verdict) == (first.index, "request", True, ALICE)
    assert seen.request == folded.at(first).request
    assert seen.opened == folded.at(first).opened
    assert seen.opened[0].verdict == ALICE
    (session,) = folded.sessions
    assert session.binding == Binding(signer("alice"), Strength.FIRST, first.index)
    assert folded.traffic.rejudge(second.index, ALICE) is not None
    assert (session.signed, session.binding.since) == (2, first.index)
    assert third.index not in folded.traffic._held
    assert folded.traffic.rejudge(first.index, MALLORY) is None


def test_strength_recovers_when_all_keys_have_arrived() -> None:
    folded, asked = session_of(WAITING, WAITING, WAITING)
    for entry in asked:
        folded.traffic.rejudge(entry.index, ALICE)
    assert folded.sessions[0].binding == Binding(signer("alice"), Strength.EACH, asked[0].index)


def test_a_key_that_arrives_later_takes_the_session_from_a_hijacker() -> None:
    folded, (mine, hijack, again) = session_of(WAITING, MALLORY, MALLORY)
    (session,) = folded.sessions
    assert session.binding.signer == signer("mallory")
    seen = folded.traffic.rejudge(mine.index, ALICE)
    assert seen is not None
    assert seen.rebound is None
    assert session.binding == Binding(signer("alice"), Strength.FIRST, mine.index)
    revised = folded.traffic.revised()
    assert [(one.index, one.rebound, one.rejudged) for one in revised] == [
        (hijack.index, signer("alice"), True),
        (again.index, signer("alice"), True),
    ]
    assert [one.verdict.word for one in revised if one.verdict] == [Word.WRONG_KEY, Word.WRONG_KEY]
    assert folded.traffic.exchanges[hijack.index].verdict.word is Word.WRONG_KEY
    assert (session.signed, folded.traffic.revised()) == (1, ())


def test_a_key_that_arrives_later_may_be_the_wrong_one() -> None:
    folded, (mine, late) = session_of(ALICE, WAITING)
    seen = folded.traffic.rejudge(late.index, MALLORY)
    assert seen is not None
    assert seen.verdict is not None
    assert (seen.verdict.word, seen.rebound) == (Word.WRONG_KEY, signer("alice"))
    assert folded.at(mine).verdict == ALICE


def test_a_key_that_never_arrives_leaves_the_session_unbound() -> None:
    folded, (mine,) = session_of(WAITING)
    seen = folded.traffic.rejudge(mine.index, judged(Word.UNKNOWN_KEY, "alice"))
    assert seen is not None
    assert folded.sessions[0].binding == Binding()
    assert folded.traffic.rejudge(mine.index, ALICE) is None


def test_what_is_not_held_cannot_be_judged_again() -> None:
    folded, (mine,) = session_of(ALICE)
    assert folded.traffic.rejudge(mine.index, MALLORY) is None
    assert folded.traffic.rejudge(999_999, MALLORY) is None


def test_an_initialize_judged_again_before_its_answer_binds_when_it_opens() -> None:
    log = Log()
    traffic = Traffic()
    asked = log.request(ask(0, "initialize"))
    traffic.apply(asked, WAITING)
    seen = traffic.rejudge(asked.index, ALICE)
    assert seen is not None
    assert seen.session is None
    traffic.apply(log.response(asked, 200, session="s1"))
    (session,) = traffic.sessions.values()
    assert session.binding == Binding(signer("alice"), Strength.EACH, asked.index)


def test_a_modern_request_moves_to_its_signers_session_when_the_key_arrives() -> None:
    log = Log()
    listed = log.exchange(modern(ask(1, "tools/list")), result(1, {"tools": [tool("read")]}))[0]
    running = log.request(modern(call(2, "slow"), progressToken="p"))
    folded = fold(log, WAITING)
    (anonymous,) = folded.sessions
    first = folded.traffic.rejudge(listed.index, ALICE)
    assert first is not None
    assert first.gone == ()
    second = folded.traffic.rejudge(running.index, ALICE)
    assert second is not None
    assert second.gone == (anonymous,)
    (session,) = folded.traffic.sessions.values()
    assert second.session is session
    assert session.kind is SessionKind.SIGNER
    assert (session.requests, session.signed, session.call_count) == (2, 2, 2)
    assert [call.target or call.method for call in session.calls] == ["tools/list", "slow"]
    assert {call.session for call in session.calls} == {session.key}
    assert session.listed_tools == {"read"}
    assert session.binding == Binding(signer("alice"), Strength.EACH, listed.index)
    folded.traffic.apply(log.message(running, result(2)))
    assert [call.state.value for call in session.calls] == ["done", "done"]


def test_a_call_that_moved_is_not_found_in_its_former_session() -> None:
    log = Log()
    moved = log.request(modern(call(7, "slow"), progressToken="p"))
    stay = log.request(modern(call(8, "other")))
    folded = fold(log, WAITING)
    folded.traffic.rejudge(moved.index, ALICE)
    for stray in (result(7), note("notifications/progress", {"progressToken": "p", "progress": 1})):
        folded.traffic.apply(log.message(stay, stray))
    slow, other = folded.calls
    assert (slow.state.value, slow.progress, other.progress) == ("running", None, 1.0)
    folded.traffic.apply(log.message(moved, result(7)))
    assert slow.state.value == "done"


def test_many_waiting_requests_stay_bounded_and_still_bind() -> None:
    folded, asked = session_of(*[WAITING] * 400)
    for entry in asked:
        folded.traffic.rejudge(entry.index, ALICE)
    (session,) = folded.sessions
    assert session.binding.signer == signer("alice")
    assert session.signed == 400
